"""Schemas of an event, and events written by them, as a producer of Confluent's libraries does."""

import base64
import json
from typing import Any

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

TYPES = {"crossing_type": ("CrossingType", ["between_ports", "at_port"])}
OPTIONAL = ("reported_at", "crossing", "citizenship", "group_id", "period", "replaces")
FIELDS = ("event_id", "occurred_at", "sector", "crossing_type", "demographic", "count", *OPTIONAL)
TIMES = ("occurred_at", "reported_at")


def avro(*, times: Any = "string", more: tuple[dict[str, Any], ...] = ()) -> str:
    """An Avro schema of an event, with `times` of this type and `more` fields."""
    kinds: dict[str, Any] = dict.fromkeys(FIELDS, "string") | dict.fromkeys(TIMES, times) | {"count": "int"}
    kinds["crossing_type"] = {"type": "enum", "name": "CrossingType", "symbols": ["between_ports", "at_port"]}
    fields: list[dict[str, Any]] = [
        {"name": name, "type": ["null", kinds[name]], "default": None}
        if name in OPTIONAL
        else {"name": name, "type": kinds[name]}
        for name in FIELDS
    ]
    return json.dumps({"type": "record", "name": "Encounter", "fields": [*fields, *more]})


JSON_SCHEMA = json.dumps(
    {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Encounter",
        "type": "object",
        "properties": {name: {"type": "integer" if name == "count" else "string"} for name in FIELDS},
    }
)


def protobuf() -> FileDescriptorProto:
    """A file with another message before that of an event, which is nested in one that has its enum."""
    file = FileDescriptorProto(name="encounter.proto", package="border", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    file.message_type.add(name="Other")
    outer = file.message_type.add(name="Border")
    kinds = outer.enum_type.add(name="CrossingType")
    for number, name in enumerate(("UNSPECIFIED", "BETWEEN_PORTS", "AT_PORT")):
        kinds.value.add(name=f"CROSSING_TYPE_{name}", number=number)
    event = outer.nested_type.add(name="Encounter")
    for number, name in enumerate(FIELDS, 1):
        field = event.field.add(name=name, number=number, label=Field.LABEL_OPTIONAL, type=Field.TYPE_STRING)
        if name in TIMES:
            field.type, field.type_name = Field.TYPE_MESSAGE, ".google.protobuf.Timestamp"
        elif name == "crossing_type":
            field.type, field.type_name = Field.TYPE_ENUM, ".border.Border.CrossingType"
        elif name == "count":
            field.type = Field.TYPE_INT32
    return file


def protobuf_text(file: FileDescriptorProto) -> str:
    """A file as the registry gives it."""
    return base64.b64encode(file.SerializeToString()).decode()


def protobuf_class(file: FileDescriptorProto, name: str = "border.Border.Encounter") -> type[Message]:
    """The class of a message."""
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(name))


def protobuf_event(made: type[Message], event: dict[str, Any]) -> Message:
    """An event as that message; times are aware."""
    message = made()
    for name, value in event.items():
        if name in TIMES:
            getattr(message, name).FromDatetime(value)
        elif name == "crossing_type":
            setattr(message, name, ("between_ports", "at_port").index(value) + 1)
        else:
            setattr(message, name, value)
    return message
