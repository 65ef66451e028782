"""The id of a tally is kept as long as its period: a table that is published again counts once."""

import datetime as dt
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.cadence import DAY, Cadence
from streams.counting.decoder import Event
from streams.counting.dedup import HORIZON, TALLY_LIMIT, DedupIndex
from streams.counting.series import KEEP


def tally(number: int, time: int, *, count: int = 1, **more: str) -> Event:
    fields = {"period": Cadence.MONTH, "replaces": None} | more
    return Event(
        position=number, event_id=f"t{number}", sector="yuma", event_time=time, reported_at=time,
        appended_at=time, count=count, crossing_type="between_ports", demographic="unknown",
        citizenship=None, **fields,
    )  # fmt: skip


def months(number: int, rows: int = 1) -> list[Event]:
    """So many months from January 2004 on, each with so many rows."""
    starts = [
        int(dt.datetime(2004 + at // 12, at % 12 + 1, 1, tzinfo=dt.UTC).timestamp()) for at in range(number)
    ]
    return [tally(at * rows + row, start) for at, start in enumerate(starts) for row in range(rows)]


def restored(index: DedupIndex) -> DedupIndex:
    other = DedupIndex(index.limit, index.horizon)
    for segment in index.segments:
        other.restore(segment.number, index.encode(segment))
    return other


def counted(index: DedupIndex, events: Iterable[Event]) -> int:
    """Net people that events count for."""
    found = index.add(list(events), 0)
    return sum(sum(people.values()) for _, people in found.runs)


@given(st.integers(1, KEEP[Cadence.MONTH]), st.integers(1, 9), st.booleans(), st.booleans())
def test_a_table_of_years_read_again_counts_once(
    length: int, rows: int, restarts: bool, backwards: bool
) -> None:
    table = months(length, rows)
    index = DedupIndex()
    assert counted(index, table) == length * rows
    index = restored(index) if restarts else index
    assert counted(index, reversed(table) if backwards else table) == 0


def test_a_month_of_years_ago_can_be_revised() -> None:
    index = DedupIndex()
    counted(index, months(200))
    first = months(1)[0]
    revision = tally(900, first.event_time, count=5, replaces=first.event_id)
    assert counted(index, [revision]) == 5 - 1
    assert counted(index, [revision, first]) == 0


def test_ids_of_single_events_leave_with_the_horizon_beside_tallies_that_stay() -> None:
    index = DedupIndex()
    single = [
        tally(10_000 + day, 1_072_915_200 + day * DAY // 4, period=None)  # type: ignore[arg-type]
        for day in range(2_000)
    ]
    counted(index, [*months(24), *single])
    assert len(index.counted) < 24 + 2_000
    assert counted(index, months(24)) == 0
    newest = single[-1].event_time
    assert counted(index, [one for one in single if one.event_time > newest - (HORIZON - 1) * 3600]) == 0


def test_ids_of_tallies_are_bounded() -> None:
    index = DedupIndex()
    counted(index, months(240, rows=300))
    assert TALLY_LIMIT < 240 * 300
    assert len(index.counted) <= TALLY_LIMIT + 256
