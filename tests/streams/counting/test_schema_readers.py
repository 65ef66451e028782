"""Laws of records in the Schema Registry wire format: read as the same event in JSON is, or refused alike."""

import json
import uuid
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.contract.dead_letters import DeadLetter, Reason
from streams.contract.events import Encounter
from streams.contract.sectors import registry
from streams.counting.decoder import Decoded, Decoder
from streams.counting.schema_readers import reader_of, refusing
from streams.counting.wire_format import Reader, Schema, SchemaError
from tests import event_schemas
from tests.streams.counting.test_decoder import GOOD, NOW, encounters, patient

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
FILE = event_schemas.protobuf()
MESSAGE = event_schemas.protobuf_class(FILE)
INDEXES = b"\x04\x02\x00"  # two: the second message of the file, the first within it
NAME = {"name": "name", "type": "string", "default": ""}
TEXT, TIMES, JSON, PROTOBUF, NAMED, NESTED, BROKEN, XML = range(1, 9)
SCHEMAS = {
    TEXT: Schema("AVRO", event_schemas.avro()),
    TIMES: Schema("AVRO", event_schemas.avro(times=MICROS)),
    JSON: Schema("JSON", event_schemas.JSON_SCHEMA),
    PROTOBUF: Schema("PROTOBUF", event_schemas.protobuf_text(FILE)),
    NAMED: Schema("AVRO", event_schemas.avro(more=(NAME,))),
    NESTED: Schema(
        "AVRO", event_schemas.avro(more=({"name": "x", "type": {"type": "array", "items": "null"}},))
    ),
    BROKEN: Schema("AVRO", '{"type": "record"}'),
    XML: Schema("XML", "<schema/>"),
}


def reader(schema: Schema) -> Reader:
    """Return the reader that a worker has of a schema."""
    try:
        return reader_of(schema)
    except SchemaError as error:
        return refusing(str(error))


DECODER = Decoder(registry(), readers={number: reader(schema) for number, schema in SCHEMAS.items()})


def framed(schema: int, content: bytes) -> bytes:
    return b"\0" + schema.to_bytes(4, "big") + content


def as_avro(schema: int, event: dict[str, Any]) -> bytes:
    out = BytesIO()
    parsed = fastavro.parse_schema(json.loads(SCHEMAS[schema].text))
    fastavro.schemaless_writer(out, parsed, event)
    return framed(schema, out.getvalue())


def as_protobuf(event: dict[str, Any]) -> bytes:
    made = event_schemas.protobuf_event(MESSAGE, event)
    return framed(PROTOBUF, INDEXES + made.SerializeToString())


def ways(sent: Encounter) -> dict[str, bytes]:
    """The same event in every format."""
    text = sent.model_dump(mode="json")
    times = sent.model_dump()
    return {
        "Avro": as_avro(TEXT, text),
        "Avro with times": as_avro(TIMES, times),
        "JSON": framed(JSON, json.dumps(text).encode()),
        "Protobuf": as_protobuf({name: value for name, value in times.items() if value is not None}),
    }


def decode(record: bytes) -> Decoded:
    return DECODER.decode([record], NOW)


@patient
@given(encounters())
def test_an_event_is_the_same_in_every_format(sent: Encounter) -> None:
    expected = decode(sent.model_dump_json().encode())
    assert expected.events
    for way, record in ways(sent).items():
        assert decode(record) == expected, way


@pytest.mark.parametrize("way", ["Avro", "Avro with times", "JSON", "Protobuf"])
def test_what_the_contract_refuses_is_refused_in_every_format(way: str) -> None:
    sent = Encounter.model_validate_json(json.dumps(GOOD)).model_copy(update={"demographic": "tourist"})
    (rejected,) = decode(ways(sent)[way]).rejected
    assert rejected.reason is Reason.INVALID
    assert "tourist" in rejected.detail


@patient
@given(st.sampled_from(list(SCHEMAS)), st.binary(max_size=60))
def test_whatever_the_bytes_are_nothing_is_raised(schema: int, content: bytes) -> None:
    decoded = decode(framed(schema, content))
    assert len(decoded.events) + len(decoded.rejected) == 1


ODD = st.recursive(
    st.none() | st.integers(-1, 9) | st.sampled_from(["int", "enum", "record", "Encounter", "uuid", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "name", "fields", "symbols", "logicalType", "items", "size", "default"]),
            inner,
        )
    ),
    max_leaves=8,
)


@patient
@given(ODD, st.sampled_from(["type", "name", "default", "aliases"]), st.binary(max_size=60))
@example({"type": "int"}, "name", b"")  # which no library refuses
def test_whatever_a_schema_is_nothing_is_raised(odd: Any, key: str, content: bytes) -> None:
    schema = json.loads(event_schemas.avro())
    schema["fields"][2][key] = odd
    for text in (json.dumps(schema), json.dumps(odd)):
        decoder = Decoder(registry(), readers={1: reader(Schema("AVRO", text))})
        decoded = decoder.decode([framed(1, content)], NOW)
        assert len(decoded.events) + len(decoded.rejected) == 1


@patient
@given(encounters(), st.data())
def test_a_record_that_is_cut_or_longer_is_refused(sent: Encounter, data: st.DataObject) -> None:
    record = ways(sent)["Avro"]
    end = data.draw(st.integers(5, len(record) - 1))
    for bad in (record[:end], record + b"\0"):
        (rejected,) = decode(bad).rejected
        assert rejected.reason is Reason.UNDECODABLE


@pytest.mark.parametrize(
    ("schema", "content", "reason", "detail"),
    [
        (99, b"x", Reason.UNKNOWN_SCHEMA, "schema 99 is not known"),
        (NESTED, b"x", Reason.UNKNOWN_SCHEMA, "field x is no single value"),
        (BROKEN, b"x", Reason.UNKNOWN_SCHEMA, "no Avro schema"),
        (XML, b"x", Reason.UNKNOWN_SCHEMA, "schemas of type XML are not read"),
        (PROTOBUF, b"\x02\x08", Reason.UNDECODABLE, "the schema has no message [4]"),
        (PROTOBUF, b"\xff\xff\xff", Reason.UNDECODABLE, "the place of the message cannot be read"),
        (PROTOBUF, INDEXES + b"\xff", Reason.UNDECODABLE, "the bytes do not fit the schema"),
        (PROTOBUF, INDEXES, Reason.INVALID, "missing required field `event_id`"),
        (JSON, b"{", Reason.MALFORMED_JSON, "truncated"),
        (JSON, b"[]", Reason.INVALID, "Expected `object`"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_with_the_reason(
    schema: int, content: bytes, reason: Reason, detail: str
) -> None:
    (rejected,) = decode(framed(schema, content)).rejected
    assert (rejected.reason, detail in rejected.detail) == (reason, True), rejected


def test_a_nil_report_in_protobuf_needs_no_count_on_the_wire() -> None:
    sent = Encounter.model_validate_json(json.dumps({**GOOD, "count": 0, "period": "day"}))
    (event,) = decode(ways(sent)["Protobuf"]).events
    assert (event.count, event.period) == (0, "day")


def test_a_heartbeat_is_the_same_by_a_schema_as_in_json() -> None:
    beat = {"source": "s", "sector": "swanton", "alive_at": "2022-11-03T14:05:00Z", "interval_seconds": 60}
    kinds = {name: "int" if name == "interval_seconds" else "string" for name in beat}
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    schema = json.dumps({"type": "record", "name": "Heartbeat", "fields": fields})
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(schema)), beat)
    decoder = Decoder(
        registry(),
        readers={1: reader_of(Schema("AVRO", schema)), 2: reader_of(Schema("JSON", "{}"))},
    )
    text = json.dumps(beat).encode()
    plain, avro, by_json = (
        decoder.decode([record], NOW) for record in (text, framed(1, out.getvalue()), framed(2, text))
    )
    assert plain.events
    assert plain == avro == by_json


@pytest.mark.parametrize("schema", [NAMED, JSON])
def test_a_name_that_was_sent_by_mistake_is_not_kept(schema: int) -> None:
    event = {**dict.fromkeys(event_schemas.OPTIONAL), **GOOD, "name": "Jane Roe"}
    record = as_avro(schema, event) if schema == NAMED else framed(schema, json.dumps(event).encode())
    (rejected,) = decode(record).rejected
    assert rejected.reason is Reason.UNKNOWN_FIELD
    letter = DeadLetter.of(rejected, record, topic="encounters", partition=0, offset=7, when=NOW)
    assert b"Roe" not in letter.value
    assert json.loads(letter.value)["event_id"] == GOOD["event_id"]
    assert letter.size == len(record)


def test_schemas_that_others_refer_to_are_read_too() -> None:
    place = Schema("AVRO", '{"type": "enum", "name": "Place", "symbols": ["swanton"]}', "Place")
    text = event_schemas.avro().replace(
        '{"name": "sector", "type": "string"}', '{"name": "sector", "type": "Place"}'
    )
    read = reader_of(Schema("AVRO", text, references=(place,)))
    parsed = json.loads(text.replace('"Place"', place.text))
    out = BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(parsed), dict.fromkeys(event_schemas.OPTIONAL) | GOOD
    )
    assert read(out.getvalue())["sector"] == "swanton"


def test_an_id_may_be_a_uuid_of_avro() -> None:
    kind = {"type": "string", "logicalType": "uuid"}
    text = json.loads(event_schemas.avro())
    for field, made in (("event_id", kind), ("replaces", ["null", kind])):
        next(one for one in text["fields"] if one["name"] == field)["type"] = made
    ids = {"event_id": str(uuid.uuid4()), "replaces": str(uuid.uuid4())}
    for event in (GOOD | ids, GOOD | ids | {"replaces": None}):
        out = BytesIO()
        sent = dict.fromkeys(event_schemas.OPTIONAL) | event
        fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(json.dumps(text))), sent)
        decoder = Decoder(registry(), readers={1: reader_of(Schema("AVRO", json.dumps(text)))})
        (found,) = decoder.decode([framed(1, out.getvalue())], NOW).events
        assert found == decoder.decode([json.dumps(event).encode()], NOW).events[0]


def test_events_and_heartbeats_may_be_a_union_of_avro_and_of_what_it_refers_to() -> None:
    """So Confluent has it where a topic has more than one kind of record."""
    beat = {"source": "s", "sector": "swanton", "alive_at": "2022-11-03T14:05:00Z", "interval_seconds": 60}
    fields = [{"name": name, "type": "int" if value == 60 else "string"} for name, value in beat.items()]
    heartbeat = {"type": "record", "name": "Heartbeat", "fields": fields}
    encounter = json.loads(event_schemas.avro())
    schemas = {
        1: Schema("AVRO", json.dumps([encounter, heartbeat])),
        2: Schema(
            "AVRO",
            '["Encounter", "Heartbeat"]',
            references=(
                Schema("AVRO", json.dumps(encounter), "e"), Schema("AVRO", json.dumps(heartbeat), "h")
            ),
        ),
        3: Schema("AVRO", json.dumps(["null", heartbeat])),
    }  # fmt: skip
    decoder = Decoder(registry(), readers={number: reader(one) for number, one in schemas.items()})
    written = fastavro.parse_schema([encounter, heartbeat])
    for event in (dict.fromkeys(event_schemas.OPTIONAL) | GOOD, beat):
        out = BytesIO()
        fastavro.schemaless_writer(out, written, event)
        plain = decoder.decode([json.dumps(event).encode()], NOW)
        assert plain.events
        for number in (1, 2):
            assert decoder.decode([framed(number, out.getvalue())], NOW) == plain
        (rejected,) = decoder.decode([framed(3, out.getvalue())], NOW).rejected
        assert "an event is a record" in rejected.detail
