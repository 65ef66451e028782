"""Counts: the people of one sector, by period of event time.

         hours   ─┬─┬─┬─┬─┬─┬─┬─┬─▶   the last four weeks (UTC)
         days    ──┬──────┬──────┬─▶   the last years (the sector's clock), and by slice the last eight weeks
         months  ──────┬───────────▶   tallies only: they are of a whole period and enter no shorter one

Counts are bounded by what is kept, not by what has happened. They know up to which offset of their source
they have counted, so reading a record again changes nothing, and which event ids they have counted, so an
event that is sent twice counts once and a later one can replace it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import inf
from typing import Final, NamedTuple

from streams.contract.cadence import DAILY, HOUR, HOURLY, Cadence
from streams.counting.backlog import Backlog
from streams.counting.decoder import Event, Heartbeat
from streams.counting.dedup import NEVER, DedupIndex, When
from streams.counting.detection_state import DetectionState
from streams.counting.reporting_triangle import ReportingTriangle, column, moment_in
from streams.counting.series import KEEP as KEEP  # part of this room, defined where the series are
from streams.counting.series import Series, hour_after, local, period_at
from streams.counting.slices import Slices
from streams.counting.sources import Sources
from streams.counting.unwritten import Unwritten

NIL: Final = 64  # periods for which reports of nobody are remembered
SEAM: Final = 2  # periods before the end of the written history from which on a tail covers what changes


class _Place(NamedTuple):
    """A period, and the column in its reporting triangle."""

    cadence: Cadence
    period: int
    column: int


@lru_cache(maxsize=1 << 16)
def _places(zone: str, hour: int, period: Cadence | None, known: int) -> tuple[_Place, ...]:
    """Return where people count who crossed in one hour and became known by the end of another."""
    cadence = period or DAILY
    index = period_at(zone, cadence, hour)
    place = _Place(cadence, index, column(moment_in(cadence, local(zone, known) + HOUR) - index))
    return (_Place(HOURLY, hour, 0), place) if period is None else (place,)


class Added(NamedTuple):
    """What adding events to a sector's counts did."""

    counted: int
    duplicate: int
    corrected: int
    late: int  # people counted into periods that had been closed
    unknown: tuple[Event, ...]  # corrections of events that are not in the deduplication index


class Counts:
    """The counts of one sector, as one partition of the source holds them.

    `series` and `triangles` are complete after `settle`.
    """

    __slots__ = (
        "backlog", "closed", "data_until", "dedup", "event_time", "is_live", "looked_at", "nil", "offset",
        "people", "reported_at", "revised", "sector", "series", "sliced", "slices", "sources", "state",
        "triangles", "unwritten", "watermark", "zone",
    )  # fmt: skip

    def __init__(self, sector: str, zone: str = "UTC", dedup: DedupIndex | None = None) -> None:
        self.sector, self.zone = sector, zone
        self.offset = -1  # of the source, up to which all is counted
        self.event_time = NEVER  # of the newest event, epoch seconds
        self.data_until = NEVER  # up to which there is data, epoch seconds; a tally covers its period
        self.sources = Sources()  # that send heartbeats
        self.nil: set[tuple[Cadence, int]] = set()  # the last periods of which nobody was reported
        self.reported_at = NEVER  # the newest time at which an event became known, epoch seconds
        self.people = 0  # all that were ever counted, net of corrections
        self.series: dict[Cadence, Series] = {}  # people by period
        self.triangles: dict[Cadence, ReportingTriangle] = {}  # when the last periods' people became known
        self.slices = Slices()
        self.sliced: Cadence | None = None  # the cadence of the slices
        self.watermark = NEVER // HOUR  # the hour (since 1970) up to which all that was due has been judged
        self.is_live = False  # was its newest event reported as it happened?
        self.looked_at = NEVER  # as of when an open period was last looked at, epoch seconds
        self.closed: dict[Cadence, int] = {}  # the last period that was closed
        self.revised: set[tuple[Cadence, int]] = set()  # closed periods that changed since they were judged
        self.dedup = DedupIndex() if dedup is None else dedup
        self.backlog = Backlog()
        self.unwritten = Unwritten()
        self.state = DetectionState()

    def now(self, watermark: float) -> int:
        """Return what the sector's clock shows, in whole hours, as seconds since 1970.

        `watermark` is how far event time has come (epoch seconds). An event that became known later moves
        the clock as well.
        """
        return local(self.zone, int(max(watermark, self.reported_at)) // HOUR)

    def add(self, events: Sequence[Event], watermark: int = NEVER) -> Added:
        """Count events of this sector, in the order of their offsets; those counted before change nothing.

        No event became known before `watermark` (epoch seconds), whatever it states.
        """
        if events[0].position <= self.offset:
            events = [event for event in events if event.position > self.offset]
        found = self.dedup.add(events, watermark)
        if events:
            self.offset = events[-1].position
        newest = found.event_time
        if newest > self.event_time:
            self.event_time = newest
        if newest > self.data_until:
            self.data_until = newest
        if found.reported_at > self.reported_at:
            self.reported_at = found.reported_at
        late = self._enter(found.runs)
        counted = len(events) - len(found.unknown) - found.duplicate - found.corrected
        return Added(counted, found.duplicate, found.corrected, late, tuple(found.unknown))

    def observe(self, heartbeat: Heartbeat, alive_at: int) -> bool:
        """Take a heartbeat that shows life at `alive_at` (epoch seconds); False where it is refused.

        Where single events are counted, no event until then means nobody. A tally of nobody has to be sent.
        """
        self.offset = heartbeat.position
        taken = self.sources.add(heartbeat, alive_at)
        if taken and Cadence.HOUR in self.series:
            self.data_until = max(self.data_until, alive_at)
        return taken

    def settle(self) -> None:
        """Enter the backlog into the series."""
        if self.backlog:
            entered: dict[_Place, int] = {}
            for when, people in self.backlog.drain():
                for place in _places(self.zone, *when):
                    entered[place] = entered.get(place, 0) + people
            for place, people in entered.items():
                self._add(place, people)

    def close(self, cadence: Cadence, index: int) -> None:
        """Close a period: it is judged now, and what is counted into it from now on is late."""
        self.settle()
        self.closed[cadence] = index
        if self.nil:
            self.nil = {(of, at) for of, at in self.nil if of is not cadence or at > index - NIL}

    def room(self) -> float:
        """Return how many people may come before an open period can reach its limit. Settles nothing."""
        left = inf
        for cadence, limit in self.state.open_limits.items():
            if limit != inf and cadence in self.series:
                left = min(left, limit - self.open_count(cadence))
        return left - self.backlog.most

    def has_room_for(self, events: Sequence[Event]) -> bool:
        """Return whether no open period reaches its limit by these events; False where one has none yet."""
        if not self.is_limited():
            return False
        room = self.room()
        return room == inf or sum([event.count for event in events]) < room

    def is_limited(self) -> bool:
        """Return whether `unlimited` is empty. Called for every step of a sector, so it builds nothing."""
        limits = self.state.open_limits
        for cadence in self.series:  # noqa: SIM110 - `any` would make a generator
            if cadence not in limits and cadence is not HOURLY:
                return False
        return True

    def unlimited(self) -> list[Cadence]:
        """Return the cadences whose open period may be a breach from a count on that is not known yet."""
        limits = self.state.open_limits
        return [cadence for cadence in self.series if cadence not in limits and cadence is not Cadence.HOUR]

    def open_count(self, cadence: Cadence) -> int:
        """Return the people in the newest period, if it is open."""
        series = self.series[cadence]
        is_open = len(series.values) and series.end - 1 > self.closed.get(cadence, NEVER)
        return int(series.values[-1]) if is_open else 0

    def reaches(self, hour: int, people: int) -> bool:
        """Return whether an hour has at least so many people. Called often: it settles only if it may."""
        hours = self.series[Cadence.HOUR]
        if hours.get(hour) + self.backlog.most < people:
            return False
        self.settle()
        return hours.get(hour) >= people

    def _enter(self, runs: Iterable[tuple[When, Mapping[int, int]]]) -> int:
        """Count new people; return how many of them into periods that had been closed."""
        late = 0
        for when, kinds in runs:
            people = sum(kinds.values())
            self.people += people
            places = _places(self.zone, *when)
            cadence, index, _ = places[-1]
            if when[1] is not None:
                self._cover(cadence, index, people)
            if cadence is not HOURLY:
                self.sliced = self.sliced or cadence
                if cadence is self.sliced:
                    self.slices.add(index, kinds, self.dedup.kinds.slices)
            if when in self.backlog or self._can_wait(places):
                self.backlog.add(when, people)
                continue
            self.settle()
            for place in places:
                cadence, index, _ = place
                self._add(place, people)
                if index <= self.closed.get(cadence, NEVER):
                    late += abs(people)
                    if cadence is not HOURLY:
                        self.revised.add((cadence, index))
        return late

    def _cover(self, cadence: Cadence, index: int, people: int) -> None:
        """Record that a tally covers its whole period, also where it is of nobody."""
        end = hour_after(self.zone, cadence, index) * HOUR - 1
        self.data_until = max(self.data_until, end)
        if people <= 0:
            self.nil.add((cadence, index))

    def _can_wait(self, places: Iterable[_Place]) -> bool:
        """Return whether people who are entered there change nothing but counts."""
        for cadence, index, _ in places:
            series = self.series.get(cadence)
            if series is None or index < series.first or index <= self.closed.get(cadence, NEVER):
                return False
        return True

    def _add(self, place: _Place, count: int) -> None:
        """Enter people into one period."""
        cadence, index, column = place
        series = self.series.get(cadence)
        if series is None:
            series = self.series[cadence] = Series(cadence, KEEP[cadence])
        series.add(index, count)
        if cadence is not HOURLY:
            triangle = self.triangles.get(cadence)
            if triangle is None:
                triangle = self.triangles[cadence] = ReportingTriangle(cadence, index)
            triangle.add(index, column, count)
        if index < self.unwritten.sealed.get(cadence, index) - SEAM:
            self.unwritten.history = True
