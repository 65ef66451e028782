"""Counts: what has been seen of a sector, in buckets of event time.

         hours   ─┬─┬─┬─┬─┬─┬─┬─┬─▶   the last four weeks (UTC)
         days    ──┬──────┬──────┬─▶   the last years (the sector's clock), and by slice the last eight weeks
         months  ──────┬───────────▶   tallies only: they speak of a whole period and enter no shorter one

Counts are bounded by what is kept, not by what has happened. They know up to which offset of their source
they have counted, so that reading a record again changes nothing, and which event ids they have seen, so that
an event sent twice counts once and a later one can stand in for it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.arrived import Arrived
from streams.calendar import HOUR, Cadence
from streams.decode import Event
from streams.memory import Memory
from streams.seen import Seen, When

Integers = NDArray[np.int64]
Values = NDArray[np.int32]

KEEP = {Cadence.HOUR: 28 * 24, Cadence.DAY: 3 * 366, Cadence.WEEK: 520, Cadence.MONTH: 240}
SLICED = 56  # periods that slices are kept for
SLICES = 48  # slices a sector may have; a citizenship beyond them counts as OTHER
OTHER = "OTHER"
SEAM = 2  # periods before the end of the written history from which on a tail covers what changes


@lru_cache(maxsize=1 << 16)
def local(zone: str, hour: int) -> int:
    """The wall clock of a zone, in seconds since 1970, at the start of a UTC hour.

    Days are made of whole UTC hours: where the offset is half an hour, a day starts at the next full one.
    """
    moment = dt.datetime.fromtimestamp(hour * HOUR, ZoneInfo(zone))
    return hour * HOUR + int((moment.utcoffset() or dt.timedelta()).total_seconds())


class Series:
    """Counts of consecutive periods: `values[i]` is that of period `first + i`. Periods outside count 0."""

    __slots__ = ("cadence", "first", "keep", "values")

    def __init__(self, cadence: Cadence, keep: int, first: int = 0, values: Values | None = None) -> None:
        self.cadence, self.keep, self.first = cadence, keep, first
        self.values: Values = np.asarray(() if values is None else values, np.int32)

    @property
    def end(self) -> int:
        """The index behind the last period."""
        return self.first + len(self.values)

    def get(self, index: int) -> int:
        """The count of one period."""
        return int(self.values[index - self.first]) if self.first <= index < self.end else 0

    def window(self, last: int, length: int) -> Integers:
        """The counts of the `length` periods that end with `last`, oldest first."""
        out = np.zeros(length, np.int64)
        start = last - length + 1
        low, high = max(start, self.first), min(last + 1, self.end)
        if low < high:
            out[low - start : high - start] = self.values[low - self.first : high - self.first]
        return out

    def add(self, index: int, count: int) -> None:
        """Add to a period; one that is older than what is kept is passed over."""
        if self._reach(index):
            self.values[index - self.first] += count

    def _reach(self, index: int) -> bool:
        """Hold a period, growing and forgetting as it takes; False for one older than what is kept."""
        if 0 <= index - self.first < len(self.values):
            return True
        if not len(self.values):
            self.first, self.values = index, np.zeros(1, np.int32)
        elif index >= self.end:
            grown = np.zeros(index + 1 - self.first, np.int32)
            grown[: len(self.values)] = self.values
            self.first, self.values = self.first + max(0, len(grown) - self.keep), grown[-self.keep :]
        elif self.end - index > self.keep:
            return False
        else:
            self.values = np.concatenate([np.zeros(self.first - index, np.int32), self.values])
            self.first = index
        return True

    def merge(self, other: Self) -> None:
        """Add all of another series of the same cadence."""
        for index, count in enumerate(other.values.tolist(), other.first):
            self.add(index, count)


class Slices:
    """Counts by slice (`citizenship=HAITI`) for the last periods, in one table.

    What comes for the last period waits, by the slices that it counts into, until somebody looks.
    """

    __slots__ = ("_names", "_table", "_waiting", "last")

    def __init__(self, last: int = 0, names: Iterable[str] = (), table: Values | None = None) -> None:
        self.last = last  # period of the last column
        self._names = {name: row for row, name in enumerate(names)}
        self._table: Values = np.zeros((len(self._names), SLICED), np.int32) if table is None else table
        self._waiting: dict[tuple[str, ...], int] = {}

    def add(self, index: int, kinds: Mapping[int, int], names: Sequence[tuple[str, ...]]) -> None:
        """Add people of a period by combination (`names`: its slices); what is too old is passed over."""
        if index > self.last:
            step = min(index - self.last, SLICED)
            table = self.table
            self._table = np.hstack([table[:, step:], np.zeros((len(table), step), np.int32)])
            self.last = index
        if index <= self.last - SLICED:
            return
        if index < self.last:
            self._settle()  # so that slices get their rows in the order of events, however they came
        waiting = self._waiting
        for kind, count in kinds.items():
            waiting[names[kind]] = waiting.get(names[kind], 0) + count
        if index < self.last:
            self._settle(index)

    @property
    def names(self) -> list[str]:
        """The slices, in the order of the table's rows."""
        self._settle()
        return list(self._names)

    @property
    def table(self) -> Values:
        """People: one row a slice; one column a period, up to `last`."""
        self._settle()
        return self._table

    def window(self, last: int, length: int) -> Integers:
        """Counts of the `length` periods that end with `last`: one row a slice, in the order of `names`."""
        table = self.table
        out = np.zeros((len(table), length), np.int64)
        start, first = last - length + 1, self.last - SLICED + 1
        low, high = max(start, first), min(last, self.last) + 1
        if low < high:
            out[:, low - start : high - start] = table[:, low - first : high - first]
        return out

    def overlaid(self, last: int, names: Sequence[str], tail: Values) -> "Slices":
        """The same up to `last`, with more names, and `tail` in the place of its last columns."""
        table = np.zeros((len(names), SLICED), np.int32)
        table[: len(self.table)] = self.window(last, SLICED)
        table[:, SLICED - tail.shape[1] :] = tail
        return Slices(last, names, table)

    def _settle(self, index: int | None = None) -> None:
        """Enter what waits, into the last period unless told."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        known, rows = self._names, dict[int, int]()
        for names, count in waiting.items():
            for name in names:
                row = known.get(name)
                if row is None:
                    row = self._row(name)
                rows[row] = rows.get(row, 0) + count
        if len(self._names) > len(self._table):
            more = np.zeros((len(self._names) - len(self._table), SLICED), np.int32)
            self._table = np.concatenate([self._table, more])
        column = self._table[:, SLICED - 1 - (self.last - (self.last if index is None else index))]
        for row, count in rows.items():
            column[row] += count

    def _row(self, name: str) -> int:
        if name not in self._names and len(self._names) >= SLICES:
            name = f"{name.partition('=')[0]}={OTHER}"
        return self._names.setdefault(name, len(self._names))


@lru_cache(maxsize=1 << 16)
def _periods(zone: str, hour: int, period: Cadence | None) -> tuple[tuple[Cadence, int], ...]:
    """The periods that an event of that hour counts into."""
    if period is not None:
        return ((period, period.index(local(zone, hour))),)
    return (Cadence.HOUR, hour), (Cadence.DAY, Cadence.DAY.index(local(zone, hour)))


class Fold(NamedTuple):
    """What folding events into a sector did."""

    counted: int
    duplicate: int
    corrected: int
    late: int  # counted into periods that had been closed
    unknown: tuple[Event, ...]  # corrections of events that are not remembered


class Counts:
    """All that is known of one sector as one partition of the source tells it."""

    __slots__ = (
        "arrival", "arrived", "asked", "closed", "event_time", "grown", "learnt", "memory", "offset",
        "people", "revised", "sealed", "sector", "seen", "series", "sliced", "slices", "threshold", "zone",
    )  # fmt: skip

    def __init__(self, sector: str, zone: str = "UTC", seen: Seen | None = None) -> None:
        self.sector, self.zone = sector, zone
        self.offset = -1  # of the source, up to which all is counted
        self.event_time = 0  # the newest moment that an event spoke of
        self.arrival = 0  # the newest moment at which one became known
        self.people = 0  # all that were ever counted, net of corrections
        self.series: dict[Cadence, Series] = {}
        self.arrived: dict[Cadence, Arrived] = {}  # when word of the last days (weeks, months) came
        self.slices = Slices()
        self.sliced: Cadence | None = None  # the periods that slices are kept by
        self.seen = Seen() if seen is None else seen
        self.closed: dict[Cadence, int] = {}  # the last period that was judged as over
        self.revised: set[tuple[Cadence, int]] = set()  # closed periods to be judged again
        self.asked: dict[str, int] = {}  # question: the last period in which it was answered with a breach
        self.memory = Memory()  # what detection remembers beyond the counts
        self.threshold: dict[Cadence, float] = {}  # counts below it cannot breach in the open period
        self.sealed: dict[Cadence, int] = {}  # series are in the written history up to here
        self.grown = True  # since the history was last written, more than its tail has changed
        self.learnt = True  # since the memory was last written, it may have changed

    def now(self, clock: float) -> int:
        """What the clock on the sector's wall shows, in whole hours of seconds since 1970.

        `clock` is the partition's event time; word that has come tells the time as well.
        """
        return local(self.zone, int(max(clock, self.arrival)) // HOUR)

    def fold(self, events: Sequence[Event], clock: int = 0) -> Fold:
        """Count events of this sector, in the order of their offsets; those counted before change nothing.

        `clock` is the partition's event time: word comes no earlier than that, whatever it says of itself.
        """
        if events[0].position <= self.offset:
            events = [event for event in events if event.position > self.offset]
        noted = self.seen.note(events, clock)
        if events:
            self.offset = events[-1].position
        self.event_time = max(self.event_time, noted.event_time)
        self.arrival = max(self.arrival, noted.arrival)
        late = self._enter(noted.runs)
        counted = len(events) - len(noted.unknown) - noted.duplicate - noted.corrected
        return Fold(counted, noted.duplicate, noted.corrected, late, tuple(noted.unknown))

    def _enter(self, runs: Iterable[tuple[When, Mapping[int, int]]]) -> int:
        """Count what was noted; how many people of it into periods that had been closed."""
        late = 0
        sums: dict[When, int] = {}
        for when, kinds in runs:
            people = sum(kinds.values())
            self.people += people
            sums[when] = sums.get(when, 0) + people
            cadence, index = _periods(self.zone, when[0], when[1])[-1]
            if cadence is not Cadence.HOUR:
                self.sliced = self.sliced or cadence
                if cadence is self.sliced:
                    self.slices.add(index, kinds, self.seen.kinds.names)
        for when, people in sums.items():
            for cadence, index in _periods(self.zone, when[0], when[1]):
                late += self._add(cadence, index, when[2], people)
        return late

    def _add(self, cadence: Cadence, index: int, word: int, count: int) -> int:
        """Count people into one period, of whom word came in hour `word`; how many, if it had been closed."""
        series = self.series.get(cadence)
        if series is None:
            series = self.series[cadence] = Series(cadence, KEEP[cadence])
        series.add(index, count)
        if cadence is not Cadence.HOUR:
            self._arrive(cadence, index, word, count)
        if index < self.sealed.get(cadence, index) - SEAM:
            self.grown = True
        if index > self.closed.get(cadence, -1):
            return 0
        if cadence is not Cadence.HOUR:
            self.revised.add((cadence, index))
        return abs(count)

    def _arrive(self, cadence: Cadence, index: int, hour: int, count: int) -> None:
        arrived = self.arrived.get(cadence)
        if arrived is None:
            arrived = self.arrived[cadence] = Arrived(cadence, index)
        arrived.add(index, local(self.zone, hour) + HOUR, count)  # known by the end of that hour
