"""Laws of enums and of Protobuf files that import others: read as registries and producers have them."""

import json
from io import BytesIO
from typing import Any

import fastavro
import pytest
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from streams.contract.events import Encounter
from streams.contract.sectors import registry
from streams.counting.decoder import Decoded, Decoder
from streams.counting.schema_readers import reader_of
from streams.counting.wire_format import Schema
from tests import event_schemas
from tests.streams.counting.test_decoder import GOOD, NOW
from tests.streams.counting.test_schema_readers import INDEXES, PROTOBUF, as_protobuf, decode, framed, reader


@pytest.mark.parametrize("symbol", ["at_port", "AT_PORT", "CROSSING_TYPE_AT_PORT"])
def test_an_enum_of_avro_is_named_in_any_case_and_may_bear_its_own_name(symbol: str) -> None:
    kind = {"type": "enum", "name": "org.border.CrossingType", "symbols": [symbol, "UNSPECIFIED"]}
    found, refused = (decoded_with("crossing_type", kind, one) for one in (symbol, "UNSPECIFIED"))
    assert found.events[0].crossing_type == "at_port"  # type: ignore[union-attr]  # no heartbeat
    assert "UNSPECIFIED" in refused.rejected[0].detail


def test_an_enum_of_a_free_text_stays_as_the_source_writes_it_in_avro_and_protobuf() -> None:
    """Else the same people would count under two names: in JSON they are `MEX`."""
    kind = {"type": "enum", "name": "Citizenship", "symbols": ["MEX"]}
    (in_avro,) = decoded_with("citizenship", kind, "MEX").events
    file = event_schemas.protobuf()
    countries = file.enum_type.add(name="Citizenship")
    for number, name in enumerate(("CITIZENSHIP_UNSPECIFIED", "CITIZENSHIP_MEX")):
        countries.value.add(name=name, number=number)
    field = file.message_type[1].nested_type[0].field[event_schemas.FIELDS.index("citizenship")]
    field.type, field.type_name = FieldDescriptorProto.TYPE_ENUM, ".border.Citizenship"
    sent = Encounter.model_validate_json(json.dumps(GOOD)).model_dump(exclude_none=True)
    made = event_schemas.protobuf_class(file)
    message = event_schemas.protobuf_event(made, sent | {"citizenship": 1})
    decoder = Decoder(registry(), readers={1: reader(Schema("PROTOBUF", event_schemas.protobuf_text(file)))})
    (in_protobuf,) = decoder.decode([framed(1, INDEXES + message.SerializeToString())], NOW).events
    assert in_avro == in_protobuf
    assert in_avro.citizenship == "MEX"  # type: ignore[union-attr]  # no heartbeat


def decoded_with(name: str, kind: dict[str, Any], value: str) -> Decoded:
    """Decode an event in Avro whose field is of that kind and has that value."""
    text = json.loads(event_schemas.avro())
    field = next(one for one in text["fields"] if one["name"] == name)
    field["type"] = kind
    field.pop("default", None)
    out = BytesIO()
    sent = dict.fromkeys(event_schemas.OPTIONAL) | GOOD | {name: value}
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(json.dumps(text))), sent)
    decoder = Decoder(registry(), readers={1: reader(Schema("AVRO", json.dumps(text)))})
    return decoder.decode([framed(1, out.getvalue())], NOW)


def test_a_protobuf_file_is_found_by_the_name_that_others_refer_to_it_by() -> None:
    """A registry calls every file that it compiles "default", and may give those of `google/protobuf` too."""
    file, other = event_schemas.protobuf(), FileDescriptorProto(name="default", package="other")
    file.name = "default"
    file.dependency.append("border/other.proto")
    standard = FileDescriptorProto.FromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
    standard.ClearField("options")
    references = (
        Schema("PROTOBUF", event_schemas.protobuf_text(other), "border/other.proto"),
        Schema("PROTOBUF", event_schemas.protobuf_text(standard), "google/protobuf/timestamp.proto"),
    )
    sent = Encounter.model_validate_json(json.dumps(GOOD))
    read = reader_of(Schema("PROTOBUF", event_schemas.protobuf_text(file), references=references))
    decoder = Decoder(registry(), readers={PROTOBUF: read})
    record = as_protobuf(sent.model_dump(exclude_none=True))
    assert decoder.decode([record], NOW) == decode(record)
