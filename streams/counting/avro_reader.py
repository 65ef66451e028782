"""Read events in Avro, by the schema that their producer wrote them with."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import Any, Final, cast

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

from streams.counting.wire_format import Fields, Reader, Schema, SchemaError, enum_values

Convert = Callable[[Any], str]
NESTED: Final = frozenset({"array", "map", "record", "error"})


def avro_reader(schema: Schema) -> Reader:
    """Return a reader of a schema: a record whose fields are those of an event, or a union of such records.

    Timestamps may be RFC 3339 text, `timestamp-millis` or `timestamp-micros`; UUIDs are text, and so are
    enums, as `enum_values` has it; a missing value is null. Raises SchemaError.
    """
    named: dict[str, Any] = {}
    try:
        for text in schema.closure().values():
            parse_schema(json.loads(text), named)
        parsed = parse_schema(json.loads(schema.text), named)
    except (SchemaParseException, UnknownType, ValueError, TypeError, KeyError, RecursionError) as error:
        raise SchemaError(f"no Avro schema: {error!r}") from error
    members = [named.get(one, one) if isinstance(one, str) else one for one in _members(parsed)]
    convert = {name: made for record in members for name, made in _checked(record, named).items()}
    written = members if isinstance(parsed, list) else parsed  # a union finds no names of other schemas

    def read(value: bytes) -> Fields:
        source = BytesIO(value)
        try:
            fields = cast("Fields", schemaless_reader(source, written, None))
        except Exception as error:  # whatever the bytes make the library raise
            raise ValueError(f"the bytes do not fit the schema: {error!r}") from error
        if source.read(1):
            raise ValueError("there are more bytes than the schema has fields for")
        return fields | {
            name: made(fields[name]) for name, made in convert.items() if fields.get(name) is not None
        }

    return read


def _members(kind: Any) -> list[Any]:
    return kind if isinstance(kind, list) else [kind]


def _checked(record: Any, named: dict[str, Any]) -> dict[str, Convert]:
    """Return how values of an event's fields become text: of UUIDs, of enums. Raises SchemaError."""
    if not isinstance(record, dict) or record.get("type") != "record":
        raise SchemaError("an event is a record")
    for field in record["fields"]:
        if _is_nested(field["type"], named):
            raise SchemaError(f"field {field['name']} is no single value")
    made = {field["name"]: _conversion(field["name"], field["type"], named) for field in record["fields"]}
    return {name: convert for name, convert in made.items() if convert is not None}


def _conversion(field: str, kind: Any, named: dict[str, Any]) -> Convert | None:
    for one in _members(kind):
        found = named.get(one) if isinstance(one, str) else one
        if not isinstance(found, dict):
            continue
        if found.get("logicalType") == "uuid":
            return str
        if found["type"] == "enum":
            values = enum_values(field, found["name"].rpartition(".")[2], found["symbols"])
            return partial(_enum_value, values)
    return None


def _enum_value(values: Mapping[str, str], symbol: str) -> str:
    return values.get(symbol, symbol)


def _is_nested(kind: Any, named: dict[str, Any]) -> bool:
    if isinstance(kind, list):
        return any(_is_nested(one, named) for one in kind)
    if isinstance(kind, dict):
        return kind["type"] in NESTED
    return kind in named and _is_nested(named[kind], {})
