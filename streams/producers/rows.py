"""What a reader gives for each row of a file: an event to be, or why there is none."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import msgspec

from streams.contract.dead_letters import Reason, Rejected
from streams.counting.decoder import Decoder
from streams.producers.outgoing import Outgoing


class InputError(ValueError):
    """A file cannot be used at all; the message says what is wrong with it."""


class Row(NamedTuple):
    """A record to be: the row it comes from (1 is the first line of the file) and its JSON."""

    number: int
    value: bytes


class Skipped(NamedTuple):
    """A row that is in order but no encounter."""

    number: int
    why: str


Read = Row | Skipped | Rejected  # of a Rejected, the position is the number of the row


def row(number: int, fields: Mapping[str, object]) -> Row | Rejected:
    """The record of these fields; those that are None are left out."""
    try:
        return Row(number, msgspec.json.encode({k: v for k, v in fields.items() if v is not None}))
    except UnicodeEncodeError:
        return Rejected(number, Reason.MALFORMED_JSON, "the row is not UTF-8")


def row_id(source: str, *content: str) -> str:
    """An event id that is the same whenever the same row is read."""
    return f"{source}-{hashlib.blake2b('|'.join(content).encode(), digest_size=12).hexdigest()}"


class Checked:
    """Runs rows through the decoder that the worker runs them through, and keeps count of what it saw.

    Iterating gives what is good, as it is to be sent. What is refused is kept in `rejected` (the first 1,000)
    and counted by reason; what is skipped is counted by its why.
    """

    _KEEP, _CHUNK = 1_000, 512

    def __init__(self, rows: Iterable[Read], decoder: Decoder, now: float) -> None:
        self._rows, self._decoder, self._now = iter(rows), decoder, now
        self.rejected: list[Rejected] = []
        self.reasons: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Outgoing]:
        while chunk := list(islice(self._rows, self._CHUNK)):
            good = [item for item in chunk if isinstance(item, Row)]
            decoded = self._decoder.decode([item.value for item in good], self._now)
            refused = [bad._replace(position=good[bad.position].number) for bad in decoded.rejected]
            refused += [item for item in chunk if isinstance(item, Rejected)]
            self._note(sorted(refused), chunk)
            for event in decoded.events:
                yield Outgoing(event.sector.encode(), good[event.position].value, event.reported_at)

    def _note(self, refused: list[Rejected], chunk: list[Read]) -> None:
        self.reasons.update(bad.reason for bad in refused)
        self.rejected += refused[: self._KEEP - len(self.rejected)]
        self.skipped.update(item.why for item in chunk if isinstance(item, Skipped))
