"""Counts: what has been seen of a sector, in buckets of event time.

         hours   ─┬─┬─┬─┬─┬─┬─┬─┬─▶   the last four weeks (UTC)
         days    ──┬──────┬──────┬─▶   the last years (the sector's clock), and by slice the last eight weeks
         months  ──────┬───────────▶   tallies only: they speak of a whole period and enter no shorter one

Counts are bounded by what is kept, not by what has happened. They know up to which offset of their source
they have counted, so that reading a record again changes nothing, and which event ids they have seen, so that
an event sent twice counts once and a later one can stand in for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import inf
from typing import NamedTuple

from streams.contract.cadence import HOUR, Cadence
from streams.counting.decoder import Event
from streams.counting.dedup import DedupIndex, When
from streams.counting.detection_state import DetectionState
from streams.counting.reporting_triangle import ReportingTriangle
from streams.counting.series import Series, local
from streams.counting.slices import Slices

KEEP = {Cadence.HOUR: 28 * 24, Cadence.DAY: 3 * 366, Cadence.WEEK: 520, Cadence.MONTH: 240}
SEAM = 2  # periods before the end of the written history from which on a tail covers what changes


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
        "_arrived", "_most", "_waiting", "arrival", "closed", "event_time", "grown", "held", "offset",
        "people", "revised", "sealed", "sector", "seen", "sliced", "slices", "state", "zone",
    )  # fmt: skip

    def __init__(self, sector: str, zone: str = "UTC", seen: DedupIndex | None = None) -> None:
        self.sector, self.zone = sector, zone
        self.offset = -1  # of the source, up to which all is counted
        self.event_time = 0  # the newest moment that an event spoke of
        self.arrival = 0  # the newest moment at which one became known
        self.people = 0  # all that were ever counted, net of corrections
        self.held: dict[Cadence, Series] = {}  # `series`, without the people that wait to be entered
        self._arrived: dict[Cadence, ReportingTriangle] = {}
        self._waiting: dict[When, int] = {}  # people whom nobody had to look at yet
        self._most = 0  # that any period can have waiting
        self.slices = Slices()
        self.sliced: Cadence | None = None  # the periods that slices are kept by
        self.seen = DedupIndex() if seen is None else seen
        self.closed: dict[Cadence, int] = {}  # the last period that was judged as over
        self.revised: set[tuple[Cadence, int]] = set()  # closed periods to be judged again
        self.state = DetectionState()
        self.sealed: dict[Cadence, int] = {}  # series are in the written history up to here
        self.grown = True  # since the history was last written, more than its tail has changed

    @property
    def series(self) -> dict[Cadence, Series]:
        """People by period."""
        if self._waiting:
            self._settle()
        return self.held

    @property
    def arrived(self) -> dict[Cadence, ReportingTriangle]:
        """When word of the last days (weeks, months) came."""
        if self._waiting:
            self._settle()
        return self._arrived

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
        for when, kinds in runs:
            people = sum(kinds.values())
            self.people += people
            periods = _periods(self.zone, when[0], when[1])
            cadence, index = periods[-1]
            if cadence is not Cadence.HOUR:
                self.sliced = self.sliced or cadence
                if cadence is self.sliced:
                    self.slices.add(index, kinds, self.seen.kinds.names)
            if when in self._waiting or all(self._can_wait(*period) for period in periods):
                self._waiting[when] = self._waiting.get(when, 0) + people
                self._most += max(people, 0)
                continue
            self._settle()
            for cadence, index in periods:
                self._add(cadence, index, when[2], people)
                if index <= self.closed.get(cadence, -1):
                    late += abs(people)
                    if cadence is not Cadence.HOUR:
                        self.revised.add((cadence, index))
        return late

    def _can_wait(self, cadence: Cadence, index: int) -> bool:
        """Would a period's people change nothing but its count?"""
        series = self.held.get(cadence)
        return series is not None and index >= series.first and index > self.closed.get(cadence, -1)

    def _settle(self) -> None:
        waiting, self._waiting, self._most = self._waiting, {}, 0
        for when, people in waiting.items():
            for cadence, index in _periods(self.zone, when[0], when[1]):
                self._add(cadence, index, when[2], people)

    def close(self, cadence: Cadence, index: int) -> None:
        """A period is over, and will be judged: what comes for it from now on is late."""
        self._settle()
        self.closed[cadence] = index

    def is_quiet(self) -> bool:
        """Can no open period have reached its limit? (Asked very often, so nothing is settled.)"""
        for cadence, series in self.held.items():
            limit = self.state.open_limits.get(cadence, 0)
            if limit == inf or cadence is Cadence.HOUR:
                continue
            if series.values[-1] + self._most >= limit:
                return False
        return True

    def may_reach(self, hour: int, people: int) -> bool:
        """Can an hour have so many people? (Asked very often, so nothing is settled.)"""
        return self.held[Cadence.HOUR].get(hour) + self._most >= people

    def _add(self, cadence: Cadence, index: int, word: int, count: int) -> None:
        """Count people into one period, of whom word came in hour `word`."""
        series = self.held.get(cadence)
        if series is None:
            series = self.held[cadence] = Series(cadence, KEEP[cadence])
        series.add(index, count)
        if cadence is not Cadence.HOUR:
            self._arrive(cadence, index, word, count)
        if index < self.sealed.get(cadence, index) - SEAM:
            self.grown = True

    def _arrive(self, cadence: Cadence, index: int, hour: int, count: int) -> None:
        arrived = self._arrived.get(cadence)
        if arrived is None:
            arrived = self._arrived[cadence] = ReportingTriangle(cadence, index)
        arrived.add(index, local(self.zone, hour) + HOUR, count)  # known by the end of that hour
