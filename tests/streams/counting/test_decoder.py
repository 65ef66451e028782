"""Laws of decoding: what is decoded, what is refused, and that the contract `Encounter` agrees."""

import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.contract.cadence import Cadence
from streams.contract.dead_letters import DeadLetter, Reason
from streams.contract.events import Encounter
from streams.contract.sectors import registry
from streams.counting.decoder import Decoder

NOW = dt.datetime(2023, 1, 1, tzinfo=dt.UTC).timestamp()
REGISTRY = registry()
DECODER = Decoder(REGISTRY)
GOOD = {
    "event_id": "e1",
    "occurred_at": "2022-11-03T14:05:00Z",
    "sector": "swanton",
    "crossing_type": "between_ports",
    "demographic": "single_adult",
    "count": 3,
}

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64).filter(str.strip)
moments = st.datetimes(
    dt.datetime(1900, 1, 2),  # noqa: DTZ001
    dt.datetime(2022, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from(
        [dt.UTC, dt.timezone(dt.timedelta(hours=-5)), dt.timezone(dt.timedelta(hours=14))]
    ),
)


@st.composite
def encounters(draw: st.DrawFn) -> Encounter:
    occurred = draw(moments)
    reported = draw(st.none() | moments.filter(lambda moment: moment >= occurred))
    replaces = draw(st.none() | words)
    period = draw(st.none() | st.sampled_from(Cadence))
    return Encounter(
        event_id=draw(words),
        occurred_at=occurred,
        reported_at=reported,
        sector=draw(st.sampled_from(sorted(REGISTRY.by_name))),
        crossing=draw(st.none() | words),
        crossing_type=draw(st.sampled_from(["between_ports", "at_port"])),
        demographic=draw(st.sampled_from(["single_adult", "family_unit", "unknown"])),
        citizenship=draw(st.none() | words),
        count=draw(st.integers(0 if replaces or period else 1, 1_000_000)),
        group_id=draw(st.none() | words),
        period=period,
        replaces=replaces,
    )


values = st.dictionaries(
    st.sampled_from([*Encounter.model_fields, "name"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=70)
    | st.sampled_from(list(GOOD.values())),
    max_size=4,
)
records = (
    st.binary(max_size=80)
    | st.builds(lambda changes: json.dumps({**GOOD, **changes}).encode(), values)
    | st.sampled_from([b"", b"{}", b"[]", b"null", b"{", b"}", json.dumps(GOOD).encode()])
)


patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(encounters())
def test_every_encounter_comes_through_as_it_was_sent(sent: Encounter) -> None:
    (event,), rejected = DECODER.decode([sent.model_dump_json().encode()], NOW)
    assert rejected == []
    assert event.event_id == sent.event_id
    assert event.sector == REGISTRY.find(sent.sector).id
    assert event.event_time == sent.occurred_at.timestamp() // 1
    assert event.reported_at == (sent.reported_at or sent.occurred_at).timestamp() // 1
    assert (event.count, event.period, event.replaces) == (sent.count, sent.period, sent.replaces)
    assert (event.crossing_type, event.demographic) == (sent.crossing_type, sent.demographic)
    assert event.citizenship == sent.citizenship


@patient
@given(records)
def test_what_the_decoder_accepts_the_contract_accepts(record: bytes) -> None:
    if DECODER.decode([record], NOW).events:
        Encounter.model_validate_json(record, strict=True)


@patient
@given(st.lists(records | st.none(), max_size=8))
@example([json.dumps(GOOD).encode() + b"," + json.dumps(GOOD).encode(), b""])
@example([b'{"event_id":"a', b'b"}'])
def test_a_batch_is_its_records_one_by_one(batch: list[bytes | None]) -> None:
    decoded = DECODER.decode(batch, NOW)
    positions = [event.position for event in decoded.events] + [bad.position for bad in decoded.rejected]
    assert sorted(positions) == list(range(len(batch)))
    for position, record in enumerate(batch):
        alone = DECODER.decode([record], NOW)
        assert [e.event_id for e in alone.events] == [
            e.event_id for e in decoded.events if e.position == position
        ]
        assert [r[1:] for r in alone.rejected] == [r[1:] for r in decoded.rejected if r.position == position]


BAD = {
    "garbage": (b"\x00\xff\xfe", Reason.MALFORMED_JSON),
    "not UTF-8": (json.dumps(GOOD).encode().replace(b"e1", b"\xff\xff"), Reason.MALFORMED_JSON),
    "truncated JSON": (json.dumps(GOOD).encode()[:-9], Reason.MALFORMED_JSON),
    "no value at all": (None, Reason.MALFORMED_JSON),
    "an empty value": (b"", Reason.MALFORMED_JSON),
    "two objects in one record": (json.dumps(GOOD).encode() * 2, Reason.MALFORMED_JSON),
    "half of two objects": (b'{"event_id":"a"},{"event_id":"b"', Reason.INVALID),
    "a list": (b"[]", Reason.INVALID),
    "deep nesting": (b"[" * 16_000, Reason.INVALID),
    "10 MB": (b'{"event_id": "' + b"x" * 10_000_000 + b'"}', Reason.TOO_LARGE),
    "a missing field": (b'{"event_id": "a"}', Reason.INVALID),
}
CHANGED = {
    "a count as text": ({"count": "3"}, Reason.INVALID),
    "a count that is true": ({"count": True}, Reason.INVALID),
    "a fractional count": ({"count": 1.5}, Reason.INVALID),
    "NaN": ({"count": float("nan")}, Reason.MALFORMED_JSON),
    "infinity": ({"count": float("inf")}, Reason.MALFORMED_JSON),
    "a negative count": ({"count": -1}, Reason.INVALID),
    "nobody": ({"count": 0}, Reason.INVALID),
    "a million and one": ({"count": 1_000_001}, Reason.INVALID),
    "the year 9999": ({"occurred_at": "9999-12-31T23:59:59-14:00"}, Reason.FUTURE),
    "two hours ahead": ({"occurred_at": "2023-01-01T02:00:00Z"}, Reason.FUTURE),
    "reported in the future": ({"reported_at": "2023-01-02T00:00:00Z"}, Reason.FUTURE),
    "reported before it occurred": ({"reported_at": "2022-11-03T14:04:59Z"}, Reason.INVALID),
    "the year 1": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, Reason.INVALID),
    "no offset from UTC": ({"occurred_at": "2022-11-03T14:05:00"}, Reason.INVALID),
    "a number for a moment": ({"occurred_at": 1667484300}, Reason.INVALID),
    "a blank id": ({"event_id": "  "}, Reason.INVALID),
    "a name of 65 letters": ({"citizenship": "x" * 65}, Reason.INVALID),
    "a field about a person": ({"passport": "X123"}, Reason.UNKNOWN_FIELD),
    "an unknown crossing type": ({"crossing_type": "tunnel"}, Reason.INVALID),
    "an unknown sector": ({"sector": "swnton"}, Reason.UNKNOWN_SECTOR),
    "a lone surrogate": ({"event_id": "\ud800"}, Reason.MALFORMED_JSON),
}
CASES = BAD | {
    name: (json.dumps(GOOD | change).encode(), reason) for name, (change, reason) in CHANGED.items()
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_bad_record_has_its_reason(case: str) -> None:
    record, reason = CASES[case]
    good = json.dumps(GOOD).encode()
    events, (rejected,) = DECODER.decode([good, record, good], NOW)
    assert [event.position for event in events] == [0, 2]
    assert (rejected.position, rejected.reason) == (1, reason)
    assert 0 < len(rejected.detail) <= 200


@pytest.mark.parametrize(
    "case", [case for case in CASES if CASES[case][1] in (Reason.INVALID, Reason.UNKNOWN_FIELD)]
)
def test_what_is_refused_as_invalid_the_contract_refuses_too(case: str) -> None:
    with pytest.raises(ValidationError):
        Encounter.model_validate_json(CASES[case][0] or b"", strict=True)


def test_an_unknown_sector_is_refused_with_the_nearest_known_one() -> None:
    (rejected,) = DECODER.decode([CASES["an unknown sector"][0]], NOW).rejected
    assert rejected.detail == "unknown sector 'swnton'; nearest known: swanton"


def test_old_history_is_welcome() -> None:
    old = json.dumps(GOOD | {"occurred_at": "1925-06-01T00:00:00Z"}).encode()
    assert DECODER.decode([old], NOW).events[0].event_time < 0


@given(st.binary(max_size=200), st.sampled_from(Reason))
def test_a_dead_letter_bears_the_original_bytes(value: bytes, reason: Reason) -> None:
    rejected = DECODER.decode([b"\x00"], NOW).rejected[0]._replace(reason=reason)
    letter = DeadLetter.of(rejected, value, topic="encounters", partition=3, offset=42, when=NOW)
    assert DeadLetter.model_validate_json(letter.model_dump_json()) == letter
    assert (letter.value, letter.size, letter.offset) == (value, len(value), 42)


def test_a_dead_letter_keeps_no_field_that_an_encounter_lacks() -> None:
    value = json.dumps(GOOD | {"surname": "Tremblay", "passport": {"number": "X123"}}).encode()
    rejected = DECODER.decode([value], NOW).rejected[0]
    letter = DeadLetter.of(rejected, value, topic="encounters", partition=0, offset=1, when=NOW)
    assert (rejected.reason, json.loads(letter.value)) == (Reason.UNKNOWN_FIELD, GOOD)
    assert letter.size == len(value)


def test_a_nil_report_is_an_event_and_nobody_at_no_time_is_not() -> None:
    nil = json.dumps(GOOD | {"count": 0, "period": "day"}).encode()
    assert DECODER.decode([nil], NOW).events[0].count == 0
    assert DECODER.decode([json.dumps(GOOD | {"count": 0}).encode()], NOW).rejected


def test_the_dead_letter_of_a_huge_record_is_small_enough_to_send() -> None:
    huge = b"x" * 10_000_000
    letter = DeadLetter.of(
        DECODER.decode([huge], NOW).rejected[0], huge, topic="encounters", partition=0, offset=1, when=NOW
    )
    assert len(letter.model_dump_json()) < 100_000
    assert letter.size == len(huge)
