"""The Schema Registry wire format: a zero byte, the id of a schema in four bytes, then the value.

A registry gives the schema of an id; a `Reader` made of that schema turns values into the fields of an event.
Nothing here asks a registry: readers are given.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

HEAD: Final = 5  # bytes before the value
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


def schema_id(value: bytes) -> int | None:
    """Return the id of a value's schema; None where the value is not in the wire format."""
    return int.from_bytes(value[1:HEAD], "big") if len(value) >= HEAD and not value[0] else None
