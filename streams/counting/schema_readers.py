"""The reader of a schema, whatever its kind. Needs the libraries of the extra `registry`."""

from collections.abc import Callable
from typing import Final

from msgspec.json import Decoder as JsonDecoder

from streams.counting.avro_reader import avro_reader
from streams.counting.protobuf_reader import protobuf_reader
from streams.counting.wire_format import Reader, Schema, SchemaError

KINDS: Final[dict[str, Callable[[Schema], Reader]]] = {
    "AVRO": avro_reader,
    "PROTOBUF": protobuf_reader,
    "JSON": lambda _: JsonDecoder().decode,  # held to the contract of events, not to its own schema
}


def reader_of(schema: Schema) -> Reader:
    """Return the reader of a schema; raises SchemaError where no event can be read by the schema."""
    make = KINDS.get(schema.kind)
    if make is None:
        raise SchemaError(f"schemas of type {schema.kind} are not read")
    try:
        return make(schema)
    except SchemaError:
        raise
    except Exception as error:  # whatever a schema makes the libraries raise
        raise SchemaError(f"the schema cannot be read: {error!r}") from error


def refusing(reason: str) -> Reader:
    """Return a reader that refuses every value, for that reason."""

    def read(_: bytes) -> dict[str, object]:
        raise SchemaError(reason)

    return read
