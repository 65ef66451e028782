"""Sentences to people about what is wrong with what they asked for, kept so that they can be translated."""

from collections.abc import Mapping
from typing import NamedTuple


class Sentence(NamedTuple):
    """A message and the values to put into it, which may be sentences again. As text it is English."""

    message: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return self.message.format(**self.values)


class FaultsError(ValueError):
    """What somebody asked for cannot be done: a sentence for each fault."""

    def __init__(self, *sentences: Sentence) -> None:
        super().__init__("; ".join(map(str, sentences)))
        self.sentences = sentences


def sentence(message: str, /, **values: object) -> Sentence:
    """Return a sentence."""
    return Sentence(message, values)


def invalid(message: str, /, **values: object) -> FaultsError:
    """Return the error of one fault."""
    return FaultsError(Sentence(message, values))
