"""The Schema Registry wire format: a zero byte, the id of a schema in four bytes, then the value.

A registry gives the schema of an id; a `Reader` made of that schema turns values into the fields of an event.
Nothing here asks a registry: readers are given.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, get_args

from streams.contract.cadence import Cadence
from streams.contract.events import CrossingType, Demographic

HEAD: Final = 5  # bytes before the value
# The values of a field that has no others.
VALUES: Final = {
    "crossing_type": get_args(CrossingType),
    "demographic": get_args(Demographic),
    "period": tuple(Cadence),
}
_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
Fields = dict[str, Any]  # of an event by name, as they came
Reader = Callable[[bytes], Fields]  # raises ValueError where the bytes do not fit the schema


class Schema(NamedTuple):
    """A registered schema. `name` is what others refer to it by; `references` are those that it refers to."""

    kind: str  # AVRO, JSON or PROTOBUF
    text: str  # of Protobuf: the FileDescriptorProto in base64
    name: str = ""
    references: tuple["Schema", ...] = ()

    def closure(self) -> dict[str, str]:
        """Return the text of every schema that this one needs, by name; each after those that it needs."""
        found: dict[str, str] = {}
        for reference in self.references:
            found |= {**reference.closure(), reference.name: reference.text}
        return found


class SchemaError(ValueError):
    """No event can be read by a schema; the message names the reason."""


def enum_values(field: str, enum: str, symbols: Iterable[str]) -> dict[str, str]:
    """Return each symbol of an enum as events have it in that field.

    By custom symbols are in capitals, and those of Protobuf begin with the enum's name:
    `CROSSING_TYPE_AT_PORT` is `at_port`. Where a field is free text, a symbol stays as the source writes it.
    """
    prefix = f"{_WORD_START.sub('_', enum).lower()}_"
    own = {
        symbol: symbol[len(prefix) :] if symbol.lower().startswith(prefix) else symbol for symbol in symbols
    }
    known = VALUES.get(field, ())
    return {symbol: word.lower() if word.lower() in known else word for symbol, word in own.items()}


def schema_id(value: bytes) -> int | None:
    """Return the id of a value's schema; None where the value is not in the wire format."""
    return int.from_bytes(value[1:HEAD], "big") if len(value) >= HEAD and not value[0] else None
