"""Read events in Protobuf, by the descriptor of the file that has their message."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, EnumDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from streams.counting.wire_format import Fields, Reader, Schema, SchemaError, enum_values

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
TIMESTAMP: Final = "google.protobuf.Timestamp"
STANDARD: Final = (
    any_pb2, descriptor_pb2, duration_pb2, empty_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
)  # fmt: skip


def protobuf_reader(schema: Schema) -> Reader:
    """Return a reader of a file's messages: each value names the message that it is.

    Times are text or `google.protobuf.Timestamp`; enums are text, as `enum_values` has it.
    What is not set is missing; but a `count` that is not `optional` is then 0, as Protobuf sends no zeros.
    Raises SchemaError.
    """
    pool = DescriptorPool()
    standard = {file.DESCRIPTOR.name: file.DESCRIPTOR.serialized_pb for file in STANDARD}
    for content in standard.values():
        pool.AddSerializedFile(content)
    try:
        for name, text in schema.closure().items():
            if name not in standard:
                file = _file(text)
                file.name = name  # registries call every file "default"
                pool.Add(file)
        own = _file(schema.text)
        pool.Add(own)
    except (binascii.Error, DecodeError, TypeError, KeyError, ValueError) as error:
        raise SchemaError(f"no descriptor of a Protobuf file: {error}") from error
    messages: dict[tuple[int, ...], _Message] = {}

    def read(value: bytes) -> Fields:
        indexes, at = _indexes(value)
        if indexes not in messages:
            messages[indexes] = _Message(pool.FindMessageTypeByName(_name(own, indexes)))
        return messages[indexes].read(value[at:])

    return read


def _file(text: str) -> descriptor_pb2.FileDescriptorProto:
    return descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text, validate=True))


class _Message:
    """One kind of message."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._converted: dict[str, Callable[[Any], Any]] = {}
        for field in descriptor.fields:
            is_time = field.message_type is not None and field.message_type.full_name == TIMESTAMP
            if field.is_repeated or (field.message_type is not None and not is_time):
                raise SchemaError(f"field {field.name} is no single value")
            if is_time:
                self._converted[field.name] = _moment
            elif field.enum_type is not None:
                self._converted[field.name] = partial(_enum_value, _enum_values(field.name, field.enum_type))
        self._class = GetMessageClass(descriptor)
        count = descriptor.fields_by_name.get("count")
        self._sends_no_zero = count is not None and not count.has_presence

    def read(self, content: bytes) -> Fields:
        try:
            found = self._class.FromString(content)
        except DecodeError as error:
            raise ValueError(f"the bytes do not fit the schema: {error}") from error
        fields = {field.name: value for field, value in found.ListFields()}
        for name, convert in self._converted.items():
            if name in fields:
                fields[name] = convert(fields[name])
        if self._sends_no_zero:
            fields.setdefault("count", 0)
        return fields


def _moment(timestamp: Any) -> dt.datetime:
    try:
        return EPOCH + dt.timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)
    except OverflowError as error:
        raise ValueError(f"{timestamp.seconds} s since 1970 is no time") from error


def _enum_values(field: str, kind: EnumDescriptor) -> dict[int, str]:
    """Return the values of an enum as events have them."""
    values = enum_values(field, kind.name, kind.values_by_name)
    return {number: values[value.name] for number, value in kind.values_by_number.items()}


def _enum_value(values: Mapping[int, str], number: int) -> str | int:
    return values.get(number, number)


def _name(file: descriptor_pb2.FileDescriptorProto, indexes: Sequence[int]) -> str:
    """Return the full name of the message at these places: in the file, then each within the one before."""
    names, level = [file.package] if file.package else [], file.message_type
    for index in indexes:
        if not 0 <= index < len(level):
            raise ValueError(f"the schema has no message {list(indexes)}")
        names.append(level[index].name)
        level = level[index].nested_type
    return ".".join(names)


def _indexes(value: bytes) -> tuple[tuple[int, ...], int]:
    """Return the places of a value's message, and where it begins. One byte of 0 is short for the first."""
    numbers = _numbers(value)
    length, at = next(numbers)
    if not length:
        return (0,), at
    if not 0 < length <= len(value):
        raise ValueError("the place of the message cannot be read")
    places = [next(numbers) for _ in range(length)]
    return tuple(place for place, _ in places), places[-1][1]


def _numbers(value: bytes) -> Iterator[tuple[int, int]]:
    """Yield the zigzag varints of a value, each with the place behind it."""
    number = shift = 0
    for at, byte in enumerate(value, 1):
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield (number >> 1) ^ -(number & 1), at
            number = shift = 0
    raise ValueError("the place of the message cannot be read")
