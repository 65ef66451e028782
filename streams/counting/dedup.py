"""The deduplication index: which events a sector has counted, so that each counts once and can be corrected.

An event id is kept as 64 bits of hash beside 64 bits of what it counted for: 16 bytes in the changelog, some
140 in memory. An id leaves when event time has gone `horizon` hours beyond it, or when there are more than
`limit` ids. The id of a tally stays as long as its period is kept: official tables are published whole again,
and a release of today has months of years ago. Ids are kept in segments, so that a commit writes only what is
new. Two ids of one sector share a hash with a probability of limit²/2⁶⁵: 10⁻¹¹ at 20,000.
"""

from array import array
from bisect import insort
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np
from xxhash import xxh3_64_intdigest

from streams.contract.cadence import HOUR, Cadence
from streams.counting import kinds
from streams.counting.decoder import Event
from streams.counting.kinds import Kinds
from streams.counting.series import KEEP
from streams.counting.state_version import StateVersionError

LIMIT: Final = 20_000  # ids of one sector
TALLY_LIMIT: Final = 65_536  # ids of one sector's tallies of one length
HORIZON: Final = 72  # hours of event time
_LONGEST: Final = {
    Cadence.HOUR: 1,
    Cadence.DAY: 25,
    Cadence.WEEK: 169,
    Cadence.MONTH: 745,
}  # hours of a period
_TALLY_HORIZON: Final = {cadence: KEEP[cadence] * hours for cadence, hours in _LONGEST.items()}
SEGMENT: Final = 256  # ids
SHARE: Final = 4  # of the horizon, after which a segment is closed even if it is not full
VERSION: Final = 4  # of a segment on the wire; its first 16 bytes

# What an id counted for, packed into 64 bits: was it taken back (1 bit), hour (27), kind (13), period (3),
# and then the count (20).
_PERIODS: Final = (None, *Cadence)
_PERIOD_BITS, _KIND_BITS, _COUNT_BITS = 3, kinds.BITS, 20
_HOUR_SHIFT: Final = _KIND_BITS + _PERIOD_BITS
_KIND_MASK: Final = (1 << _KIND_BITS) - 1
_PERIOD_MASK: Final = (1 << _PERIOD_BITS) - 1
_COUNT_MASK: Final = (1 << _COUNT_BITS) - 1
_TAKEN_BACK: Final = 1 << 63
_number = attrgetter("number")  # of a segment
_FIRST_HOUR: Final = -(1 << 20)  # of the year 1850: hours are packed as their distance from it
NEVER: Final = _FIRST_HOUR * HOUR  # epoch seconds before any event

# What people share who count into the same periods: the hour of the event, the period that they are a tally
# of, and the hour in which they became known.
When = tuple[int, Cadence | None, int]


class Counted(NamedTuple):
    """What an event counted for."""

    hour: int  # since 1970, UTC
    period: Cadence | None  # that it is the total of
    kind: int
    people: int


@dataclass(slots=True)
class Segment:
    """Ids of one period that were counted one after the other."""

    number: int
    until: int  # hour of event time from which on ids go into the next segment
    ids: list[int] = field(default_factory=list)  # hashes
    newest: int = _FIRST_HOUR  # hour
    changed: bool = True  # since it was last written
    written: bool = False


class NewEvents:
    """What is left of a batch after deduplication."""

    __slots__ = ("corrected", "duplicate", "event_time", "reported_at", "runs", "unknown")

    def __init__(self) -> None:
        self.runs: list[tuple[When, dict[int, int]]] = []  # people by kind, in the order of events
        self.event_time = NEVER  # the newest, epoch seconds
        self.reported_at = NEVER  # the newest, epoch seconds
        self.duplicate = 0
        self.corrected = 0
        self.unknown: list[Event] = []  # corrections of what is not in the index, or was corrected before


class DedupIndex:
    """The event ids that one sector has counted, and what for."""

    __slots__ = (
        "_by_period", "_counted", "_held", "_next", "_taken_back", "dropped", "horizon", "kinds", "limit",
    )  # fmt: skip

    def __init__(self, limit: int = LIMIT, horizon: int = HORIZON) -> None:
        self.limit, self.horizon = limit, horizon
        self.kinds = Kinds()
        self._by_period: defaultdict[Cadence | None, deque[Segment]] = defaultdict(deque)  # oldest first
        self.dropped: list[int] = []  # numbers of written segments that left since the last commit
        self._counted: dict[int, int] = {}  # by hash, packed
        self._held: Counter[Cadence | None] = Counter()  # ids in all segments of a period but its newest
        self._next = 0  # number of the next segment
        self._taken_back: set[int] = set()  # hashes, since the last commit

    @property
    def counted(self) -> dict[int, int]:
        """What each id counted for, by its hash: a `Counted` in 64 bits."""
        return self._counted

    @property
    def segments(self) -> list[Segment]:
        """All segments."""
        return [*chain.from_iterable(self._by_period.values())]

    def add(self, events: Iterable[Event], watermark: int) -> NewEvents:
        """Add events in their order, and return what they count for.

        No event became known before `watermark` (epoch seconds), whatever it states. Every event goes
        through this loop, so a run of events that count into the same periods is known by its bounds: the
        hour of the events and the hour in which they became known, in epoch seconds.
        """
        found, counted, codes = NewEvents(), self._counted, self.kinds.codes
        ids, people, base = list[int](), dict[int, int](), 0
        start = end = known_start = known_end = 0
        period: Cadence | None = None
        newest = reported = NEVER
        for event in events:
            if event.replaces is not None:
                end = start  # what is counted next begins a run
                if not self._correct(event, watermark, found):
                    continue
            key = xxh3_64_intdigest(event.event_id.encode())
            if key in counted:
                found.duplicate += 1
                continue
            at, known, count = event.event_time, event.reported_at, event.count
            if at > newest:
                newest = at
            if known > reported:
                reported = known
            if known < watermark:
                known = watermark
            if (
                not (start <= at < end and known_start <= known < known_end and event.period is period)
                or len(ids) >= SEGMENT
            ):
                when = (at // HOUR, event.period, known // HOUR)
                start, period, known_start = when[0] * HOUR, when[1], when[2] * HOUR
                end, known_end, people = start + HOUR, known_start + HOUR, {}
                found.runs.append((when, people))
                base = (when[0] - _FIRST_HOUR) << _HOUR_SHIFT | _PERIODS.index(period)
                ids = self._segment(when[0], period).ids
            kind = codes.get((event.demographic, event.crossing_type, event.citizenship))
            if kind is None:
                kind = self._code(event, found)
            counted[key] = (base | kind << _PERIOD_BITS) << _COUNT_BITS | count
            ids.append(key)
            people[kind] = people.get(kind, 0) + count
        found.event_time, found.reported_at = newest, reported
        return found

    def take_back(self, event_id: str) -> Counted | None:
        """Let a counted event count nothing from now on; return what it counted for.

        None where it is not known, or was taken back before: a second correction of one event would count
        beside the first.
        """
        key = xxh3_64_intdigest(event_id.encode())
        packed = self._counted.get(key, _TAKEN_BACK)
        if packed & _TAKEN_BACK:
            return None
        # Still known: sent again, it is a duplicate.
        self._counted[key] = packed & ~_COUNT_MASK | _TAKEN_BACK
        self._taken_back.add(key)
        return unpacked(packed)

    def take_changed(self) -> list[Segment]:
        """Return the segments that changed since the last call: they are to be written."""
        taken_back, self._taken_back = self._taken_back, set()
        changed = [one for one in self.segments if one.changed or not taken_back.isdisjoint(one.ids)]
        for segment in changed:
            segment.changed, segment.written = False, True
        return changed

    def encode(self, segment: Segment) -> bytes:
        """Encode a segment as pairs of 64-bit integers, the first of which is its version."""
        pairs = [VERSION, 0]
        for key in segment.ids:
            pairs += key, self._counted.get(key, 0)
        return array("Q", pairs).tobytes()

    def restore(self, number: int, value: bytes) -> None:
        """Restore a segment; segments come in any order. Raises StateVersionError."""
        if len(value) < 32 or len(value) % 16:
            raise StateVersionError(f"ids {number}", "unknown", VERSION)
        (version, _), *pairs = np.frombuffer(value, np.uint64).reshape(-1, 2).tolist()
        if version != VERSION:
            raise StateVersionError(f"ids {number}", version, VERSION)
        # The hour is in the highest bits but one.
        first, newest = unpacked(pairs[0][1]), unpacked(max(packed & ~_TAKEN_BACK for _, packed in pairs))
        period = first.period
        segment = Segment(
            number,
            self._until(first.hour, period),
            [key for key, _ in pairs],
            newest.hour,
            changed=False,
            written=True,
        )
        self._counted.update((key, packed) for key, packed in pairs)
        queue = self._by_period[period]
        if queue:
            self._held[period] += len(min(queue[-1], segment, key=_number).ids)
        insort(queue, segment, key=_number)
        self._next = max(self._next, number + 1)

    def _correct(self, event: Event, watermark: int, found: NewEvents) -> bool:
        """Take back what an event replaces; False where that is not in the index, or was replaced before."""
        if xxh3_64_intdigest(event.event_id.encode()) in self._counted:
            return True  # the caller finds it to be a duplicate
        taken = self.take_back(event.replaces or "")
        if taken is None:
            found.unknown.append(event)
            return False
        when = (taken.hour, taken.period, max(event.reported_at, watermark) // HOUR)
        found.runs.append((when, {taken.kind: -taken.people}))
        found.corrected += 1
        return True

    def _code(self, event: Event, found: NewEvents) -> int:
        """Return the integer of an event's kind, which may be new."""
        kind = event.demographic, event.crossing_type, event.citizenship
        return self.kinds.code(kind, lambda: self._kinds_in_use(found))

    def _kinds_in_use(self, found: NewEvents) -> Iterator[int]:
        shift = _COUNT_BITS + _PERIOD_BITS
        yield from (packed >> shift & _KIND_MASK for packed in self._counted.values())
        for _, people in found.runs:
            yield from people

    def _segment(self, hour: int, period: Cadence | None) -> Segment:
        """Return the segment that an id of this hour and period goes into."""
        queue = self._by_period[period]
        if not queue or len(queue[-1].ids) >= SEGMENT or hour >= queue[-1].until:
            self._open(hour, period)
        segment = queue[-1]
        segment.changed = True
        if hour > segment.newest:
            segment.newest = hour
        return segment

    def _open(self, hour: int, period: Cadence | None) -> None:
        """Begin a segment, and let go of old ones. Of thousands, none but these is looked at."""
        queue, limit = self._by_period[period], self.limit if period is None else TALLY_LIMIT
        if queue:
            self._held[period] += len(queue[-1].ids)
        queue.append(Segment(self._next, self._until(hour, period)))
        self._next += 1
        while len(queue) > 1 and (
            self._held[period] > limit or queue[0].newest < hour - self._horizon(period)
        ):
            old = queue.popleft()
            self._held[period] -= len(old.ids)
            if old.written:
                self.dropped.append(old.number)
            for key in old.ids:
                self._counted.pop(key, None)
            self.kinds.released()

    def _horizon(self, period: Cadence | None) -> int:
        """Hours of event time for which an id is kept."""
        return self.horizon if period is None else max(self.horizon, _TALLY_HORIZON[period])

    def _until(self, first: int, period: Cadence | None) -> int:
        """The hour up to which a segment takes ids, by that of its first one."""
        return first + max(self._horizon(period) // SHARE, 1)


def unpacked(packed: int) -> Counted:
    """Return what 64 bits of the index stand for."""
    rest, people = (packed & ~_TAKEN_BACK) >> _COUNT_BITS, packed & _COUNT_MASK
    period: Cadence | None = _PERIODS[rest & _PERIOD_MASK]
    return Counted((rest >> _HOUR_SHIFT) + _FIRST_HOUR, period, rest >> _PERIOD_BITS & _KIND_MASK, people)
