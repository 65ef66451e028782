"""Heartbeats on the wire: the contract and the decoder agree, and each fault has its reason."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.contract.dead_letters import DeadLetter, Reason
from streams.contract.events import LONGEST_INTERVAL, Heartbeat
from streams.contract.sectors import registry
from streams.counting import decoder, state_codec
from streams.counting.decoder import Decoder
from streams.counting.sector_counts import Counts
from streams.counting.sources import GONE, LIMIT, MISSED, Sources
from tests.streams.counting.test_decoder import NOW, moments, words

REGISTRY = registry()
DECODER = Decoder(REGISTRY)
GOOD = {"source": "customs", "sector": "swanton", "alive_at": "2022-11-03T14:05:00Z", "interval_seconds": 300}
FAULTS = {
    "no source": ({"source": None}, Reason.INVALID),
    "a blank source": ({"source": " "}, Reason.INVALID),
    "an interval of 0": ({"interval_seconds": 0}, Reason.INVALID),
    "an interval beyond a month": ({"interval_seconds": LONGEST_INTERVAL + 1}, Reason.INVALID),
    "an interval that is text": ({"interval_seconds": "300"}, Reason.INVALID),
    "a time without offset": ({"alive_at": "2022-11-03T14:05:00"}, Reason.INVALID),
    "a time before 1900": ({"alive_at": "1899-11-03T14:05:00Z"}, Reason.INVALID),
    "a time in the future": ({"alive_at": "2023-01-01T01:00:01Z"}, Reason.FUTURE),
    "an unknown sector": ({"sector": "atlantis"}, Reason.UNKNOWN_SECTOR),
    "a field of an event": ({"count": 3}, Reason.UNKNOWN_FIELD),
    "a name": ({"name": "Ada"}, Reason.UNKNOWN_FIELD),
}


@settings(deadline=None)
@given(
    st.builds(
        Heartbeat,
        source=words,
        sector=st.sampled_from(sorted(REGISTRY.by_name)),
        alive_at=moments,
        interval_seconds=st.integers(1, LONGEST_INTERVAL),
        last=st.booleans(),
    )
)
def test_every_heartbeat_comes_through_as_it_was_sent(sent: Heartbeat) -> None:
    (found,), rejected = DECODER.decode([sent.model_dump_json().encode()], NOW)
    assert rejected == []
    assert isinstance(found, decoder.Heartbeat)
    assert (found.source, found.interval, found.last) == (sent.source, sent.interval_seconds, sent.last)
    assert found.sector == REGISTRY.find(sent.sector).id
    assert found.event_time == sent.alive_at.timestamp() // 1


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_heartbeat_has_its_reason(fault: str) -> None:
    changes, reason = FAULTS[fault]
    record = json.dumps({**GOOD, **changes}).encode()
    (rejected,) = DECODER.decode([record], NOW).rejected
    assert rejected.reason is reason
    if reason in (Reason.INVALID, Reason.UNKNOWN_FIELD):
        with pytest.raises(ValidationError):
            Heartbeat.model_validate_json(record, strict=True)


def test_a_dead_letter_of_a_heartbeat_keeps_its_fields_alone() -> None:
    record = json.dumps({**GOOD, "name": "Ada"}).encode()
    (rejected,) = DECODER.decode([record], NOW).rejected
    assert (
        json.loads(DeadLetter.of(rejected, record, topic="encounters", partition=0, offset=1, when=NOW).value)
        == GOOD
    )


def heartbeat(source: str, at: int, *, position: int = 0, last: bool = False) -> decoder.Heartbeat:
    return decoder.Heartbeat(position, source, "here", at, at, 300, last)


def test_a_source_has_stopped_once_some_intervals_are_missed() -> None:
    sources = Sources()
    sources.add(heartbeat("a", 0), 0)
    assert sources.stopped(MISSED * 300 - 1) == {}
    assert sources.stopped(MISSED * 300) == {"a": 0}


def test_an_older_heartbeat_and_one_that_comes_twice_change_nothing() -> None:
    sources = Sources()
    for at in (600, 300, 600):
        assert sources.add(heartbeat("a", at), at)
    assert sources["a"].alive_at == 600
    sources.add(heartbeat("a", 300, last=True), 300)
    assert "a" in sources


def test_the_sources_of_a_sector_are_bounded_and_one_that_ends_makes_room() -> None:
    sources = Sources()
    assert all(sources.add(heartbeat(f"s{n}", n), n) for n in range(LIMIT))
    assert not sources.add(heartbeat("one more", LIMIT), LIMIT)
    assert sources.add(heartbeat("s0", LIMIT, last=True), LIMIT)
    assert sources.add(heartbeat("one more", LIMIT), LIMIT)
    assert len(sources) == LIMIT


def test_names_that_nobody_uses_any_more_keep_no_source_out_for_good() -> None:
    """Sixteen feeds that were renamed, or junk; the one that stopped first makes room, and no other."""
    sources = Sources()
    for number in range(LIMIT):
        sources.add(heartbeat(f"old-{number}", number), number)
    gone = sources["old-0"].stops_at + GONE
    assert not sources.add(heartbeat("feed", gone - 1), gone - 1)
    assert sources.add(heartbeat("feed", gone), gone)
    assert sorted(sources) == sorted(["feed", *(f"old-{number}" for number in range(1, LIMIT))])


def test_sources_survive_a_restart_and_a_worker_that_knew_none_wrote_none() -> None:
    counts = Counts("here")
    counts.observe(heartbeat("a", 900, position=7), 900)
    counts.state.stopped = {"a": 900}
    held = {key: value for key, value in state_codec.pairs(counts) if value is not None}
    back = state_codec.restore(held, {})["here"]
    assert (back.sources, back.offset, back.state.stopped) == (counts.sources, 7, {"a": 900})
    now = msgspec.msgpack.decode(held[b"here\0now"])
    del now["sources"]
    held[b"here\0now"] = msgspec.msgpack.encode(now)
    assert state_codec.restore(held, {})["here"].sources == {}
