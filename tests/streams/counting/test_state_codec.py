"""State on the wire: written by its tail, read back whole, and refused where another version wrote it."""

import msgspec
import pytest

from streams.contract.cadence import Cadence
from streams.counting import state_codec
from streams.counting.reporting_triangle import ReportingTriangle, column
from streams.counting.sector_counts import Counts
from streams.counting.series import KEEP, Series
from streams.counting.state_version import StateVersionError

FIRST = 19_000


def counted() -> Counts:
    counts = Counts("here")
    counts.offset, counts.people = 7, 3
    counts.series[Cadence.DAY] = days = Series(Cadence.DAY, KEEP[Cadence.DAY])
    counts.triangles[Cadence.DAY] = ReportingTriangle(Cadence.DAY, FIRST)
    for day in range(FIRST, FIRST + 40):
        days.add(day, 3)
        counts.triangles[Cadence.DAY].add(day, column(0.5), 2)
        counts.triangles[Cadence.DAY].add(day, column(1.7), 1)
    counts.revised = {(Cadence.DAY, FIRST + 39)}
    return counts


def restored(pairs: list[state_codec.Pair]) -> Counts:
    held = {key: value for key, value in pairs if value is not None}
    return state_codec.restore(held, {"here": "UTC"})["here"]


def test_reporting_triangles_are_written_whole_and_by_their_tail() -> None:
    counts = counted()
    whole = restored(first := state_codec.pairs(counts))
    assert whole.triangles[Cadence.DAY].table.tolist() == counts.triangles[Cadence.DAY].table.tolist()
    assert whole.revised == counts.revised
    for day in range(FIRST + 40, FIRST + 42):
        counts.triangles[Cadence.DAY].add(day, column(0.5), 5)
    second = state_codec.pairs(counts)
    assert [key for key, _ in second] == [b"here\0now"], "a new day is within the tail"
    after = restored([*first, *second])
    assert after.triangles[Cadence.DAY].last == FIRST + 41
    assert after.triangles[Cadence.DAY].table.tolist() == counts.triangles[Cadence.DAY].table.tolist()


def test_state_of_a_version_to_come_is_refused() -> None:
    (key, value) = next(pair for pair in state_codec.pairs(counted()) if pair[0].endswith(b"now"))
    newer = {**msgspec.msgpack.decode(value or b""), "version": state_codec.VERSION + 1}
    with pytest.raises(StateVersionError, match=f"has version {state_codec.VERSION + 1}"):
        restored([(key, msgspec.msgpack.encode(newer))])
