"""Laws of the flow: everybody is counted once, however records are fetched, and whenever a worker dies."""

import datetime as dt
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.sectors import registry
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorOutput, SectorPipeline
from surgewatch.harness.records import Record

PLACES = registry()
HOUR, START = 3600, 1_672_531_200  # 2023-01-01
SECTORS = ("swanton", "rcmp-quebec", "blaine")


def moment(at: int) -> str:
    """Seconds after the start, as on the wire."""
    return dt.datetime.fromtimestamp(START + at, dt.UTC).isoformat()


def event(number: int, at: int, sector: str, count: int, **more: Any) -> bytes:
    """One event on the wire."""
    return json.dumps(
        {
            "event_id": f"e{number}",
            "occurred_at": moment(at),
            "sector": sector,
            "crossing_type": "between_ports",
            "demographic": "single_adult",
            "citizenship": "HAITI",
            "count": count,
            **more,
        }
    ).encode()


@st.composite
def feeds(draw: st.DrawFn) -> list[Record]:
    """A fortnight of events, mostly in order; some sent twice, some corrected, some broken."""
    values: list[bytes | None] = []
    at = 0
    for number in range(draw(st.integers(1, 60))):
        at += draw(st.integers(0, 8 * HOUR))
        late = draw(st.sampled_from([0, 0, 0, 0, 30 * HOUR]))
        sector, count = draw(st.sampled_from(SECTORS)), draw(st.integers(1, 30))
        kind = draw(st.sampled_from(["new"] * 8 + ["again", "replaced", "back", "broken"]))
        if kind == "broken" or not number:
            values.append(draw(st.sampled_from([b"{", b"", None, b"\xff\xfe", b'{"count": -1}'])))
        elif kind == "again" and values[-1]:
            values.append(values[-1])
        elif kind in ("replaced", "back"):
            original = {"replaces": f"e{draw(st.integers(0, number))}"}
            values.append(
                event(number, max(at - late, 0), sector, 0 if kind == "back" else count, **original)
            )
        else:
            delay = draw(st.sampled_from([0, 0, HOUR, 40 * HOUR]))  # until it is known
            reported = {"reported_at": moment(max(at - late, 0) + delay)} if delay else {}
            values.append(event(number, max(at - late, 0), sector, count, **reported))
    return [Record(offset, value) for offset, value in enumerate(values)]


def pipeline() -> SectorPipeline:
    return SectorPipeline(PLACES, Judge(PLACES))


def shape(flow: SectorPipeline) -> dict[str, Any]:
    """All that is counted, as plain values."""
    for counts in flow.partitions[0].counts.values():
        counts.settle()
    return {
        sector: (
            counts.people,
            counts.offset,
            {c.value: (s.first, s.values.tolist()) for c, s in counts.series.items()},
            sorted(counts.dedup.counted.items()),
            {
                name: counts.slices.window(counts.slices.last, 20)[row].tolist()
                for row, name in enumerate(counts.slices.names)
            },
            {c.value: (a.last, a.table.tolist()) for c, a in counts.triangles.items()},
            counts.revised,
            counts.state.encode(),
        )
        for sector, counts in flow.partitions[0].counts.items()
    }


def run(flow: SectorPipeline, records: list[Record], size: int) -> list[SectorOutput]:
    return [flow.process(0, records[at : at + size]) for at in range(0, len(records), size)]


@given(feeds())
def test_every_record_becomes_exactly_one_thing(records: list[Record]) -> None:
    outcomes = run(pipeline(), records, 7)
    assert sum(sum(outcome.outcomes.values()) for outcome in outcomes) == len(records)
    assert sum(len(outcome.dead) for outcome in outcomes) == sum(o.outcomes["rejected"] for o in outcomes)


@given(feeds(), st.integers(1, 9))
def test_a_partition_that_is_released_and_resumed_goes_on_as_if_it_had_been_held(
    records: list[Record], size: int
) -> None:
    held, resumed = pipeline(), pipeline()
    outputs = run(held, records, size)
    for at, expected in zip(range(0, len(records), size), outputs, strict=True):
        assert resumed.process(0, records[at : at + size]) == expected
        state = resumed.release(0)
        assert state is not None
        assert not resumed.partitions
        resumed.resume(0, state)
    assert resumed.dirty() == held.dirty()


@given(feeds(), st.integers(1, 9), st.integers(10, 70))
def test_how_records_are_fetched_does_not_matter(records: list[Record], small: int, large: int) -> None:
    one, other = pipeline(), pipeline()
    run(one, records, small)
    run(other, records, large)
    assert shape(one) == shape(other)


@given(feeds(), st.integers(1, 9), st.integers(10, 70))
def test_how_records_are_fetched_does_not_matter_to_verdicts_on_closed_periods(
    records: list[Record], small: int, large: int
) -> None:
    ids = [
        {
            one.verdict_id
            for outcome in run(pipeline(), records, size)
            for one in outcome.verdicts
            if one.closed
        }
        for size in (small, large)
    ]
    assert ids[0] == ids[1]


@given(feeds(), st.data())
def test_reading_records_again_counts_nobody_twice(records: list[Record], data: st.DataObject) -> None:
    flow, once = pipeline(), pipeline()
    run(once, records, 10)
    run(flow, records, 10)
    back = data.draw(st.integers(0, len(records)))
    run(flow, records[back:], 10)
    assert shape(flow) == shape(once)


@settings(deadline=None)
@given(feeds(), st.data())
def test_a_worker_that_died_goes_on_as_if_it_had_not(records: list[Record], data: st.DataObject) -> None:
    never, first = pipeline(), pipeline()
    run(never, records, 5)
    held: dict[bytes, bytes | None] = {}
    cut = data.draw(st.integers(0, len(records)))
    for at in range(0, cut, 5):
        first.process(0, records[at : min(at + 5, cut)])
        if data.draw(st.booleans()):
            held.update(first.dirty().get(0, []))
            committed = min(at + 5, cut)
            held[b"committed"] = str(committed).encode()
    back = int(held.pop(b"committed", b"0") or 0)
    revived = pipeline()
    revived.restore(0, {key: value for key, value in held.items() if value is not None})
    run(revived, records[data.draw(st.integers(0, back)) :], 5)
    assert shape(revived) == shape(never)


@given(feeds())
def test_the_sum_of_what_is_kept_by_day_is_everybody(records: list[Record]) -> None:
    flow = pipeline()
    run(flow, records, 10)
    for counts in flow.partitions[0].counts.values():
        counts.settle()
        if counts.series:
            assert int(counts.series[Cadence.DAY].values.sum()) == counts.people
            assert int(counts.series[Cadence.HOUR].values.sum()) == counts.people


def test_a_correction_moves_people_to_the_hour_of_the_new_event() -> None:
    flow = pipeline()
    first = event(1, 0, "swanton", 7)
    second = event(2, 5 * HOUR, "swanton", 9, replaces="e1")
    flow.process(0, [Record(0, first), Record(1, second)])
    flow.partitions[0].counts["swanton"].settle()
    hours = flow.partitions[0].counts["swanton"].series[Cadence.HOUR]
    assert (hours.get(START // HOUR), hours.get(START // HOUR + 5)) == (0, 9)


def test_taking_back_what_nobody_remembers_is_refused_with_its_reason() -> None:
    outcome = pipeline().process(0, [Record(0, event(1, 0, "swanton", 0, replaces="gone"))])
    assert [letter.reason for letter in outcome.dead] == ["unknown_original"]


def test_a_second_correction_of_one_event_does_not_count_beside_the_first() -> None:
    flow = pipeline()
    corrected = [event(1, 0, "swanton", 3), event(2, HOUR, "swanton", 5, replaces="e1")]
    flow.process(0, [Record(offset, value) for offset, value in enumerate(corrected)])
    revived = pipeline()
    held = {key: value for key, value in flow.dirty()[0] if value is not None}
    revived.restore(0, held)
    outcome = revived.process(0, [Record(2, event(3, HOUR, "swanton", 7, replaces="e1"))])
    assert [letter.reason for letter in outcome.dead] == ["unknown_original"]
    assert "replaced already" in outcome.dead[0].detail
    assert revived.partitions[0].counts["swanton"].people == 5
    outcome = revived.process(0, [Record(3, event(4, HOUR, "swanton", 7, replaces="e2"))])
    assert not outcome.dead
    assert revived.partitions[0].counts["swanton"].people == 7


def test_what_came_late_before_any_period_was_closed_outlives_the_worker() -> None:
    first, revived = pipeline(), pipeline()
    held: dict[bytes, bytes | None] = {}
    for number, day in enumerate((20, 20, 5, 21)):
        first.process(0, [Record(number, event(number, day * 24 * HOUR, "swanton", 3 + number))])
        held.update(first.dirty()[0])
    revived.restore(0, {key: value for key, value in held.items() if value is not None})
    assert shape(revived) == shape(first)
