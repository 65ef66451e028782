"""Event ids that have been counted: so that an event sent twice counts once, and can be corrected.

An id is kept as 64 bits of hash beside 58 bits of what it counted for: 16 bytes in the changelog, some 140
in memory. Ids leave when event time has gone `horizon` beyond them, or when there are more than `limit`. They
are kept in segments, so that a commit writes what is new and not the whole horizon. Two different ids of one
sector within the horizon share a hash with a probability of limit²/2⁶⁵: 10⁻¹¹ at 20,000.
"""

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, repeat
from typing import Final

import numpy as np
from xxhash import xxh3_64_intdigest

from streams.contract.cadence import HOUR, Cadence
from streams.counting.decoder import Event

LIMIT: Final = 20_000  # ids of one sector
HORIZON: Final = 72  # hours of event time
SEGMENT: Final = 256  # ids
SHARE: Final = 4  # of the horizon, in one part of which a segment is filled, if it is not full before

# What an id counted for, in one integer: hour (22 bits), kind (13), period (3), and then the count (20).
_PERIODS: Final = (None, *Cadence)
_PERIOD_BITS, _KIND_BITS, _COUNT_BITS = 3, 13, 20
_KINDS: Final = 1 << _KIND_BITS
_COUNT_MASK: Final = (1 << _COUNT_BITS) - 1


Kind = tuple[str, str, str | None]  # demographic, crossing type, citizenship


@lru_cache(maxsize=_KINDS)
def _shared(kind: Kind) -> tuple[Kind, tuple[str, ...]]:
    """A combination and the slices it counts into; every sector holds the same objects."""
    demographic, crossing_type, citizenship = kind
    names = [f"demographic={demographic}", f"crossing_type={crossing_type}"]
    if citizenship is not None:
        names.append(f"citizenship={citizenship}")
    return kind, tuple(names)


class Kinds:
    """Combinations of demographic, crossing type and citizenship, as small integers."""

    __slots__ = ("changed", "codes", "names")

    def __init__(self) -> None:
        self.codes: dict[Kind, int] = {}
        self.names: list[tuple[str, ...]] = []
        self.changed = False  # since they were last written

    def code(self, kind: Kind) -> int:
        """The integer of a combination; beyond the bound a citizenship becomes OTHER."""
        code = self.codes.get(kind)
        if code is not None:
            return code
        if len(self.codes) >= _KINDS - 64:
            kind = (kind[0], kind[1], "OTHER")
            if kind in self.codes:
                return self.codes[kind]
        kind, names = _shared(kind)
        self.codes[kind] = code = len(self.names)
        self.names.append(names)
        self.changed = True
        return code


@dataclass(slots=True)
class Segment:
    """Ids that came after each other."""

    number: int
    until: int  # hour of event time from which on ids go into another one
    ids: list[int] = field(default_factory=list)  # hashes
    newest: int = 0  # hour
    changed: bool = True  # since it was last written
    written: bool = False


# What people share who count into the same periods: the hour in which they came, the period that they are a
# tally of, and the hour in which they became known.
When = tuple[int, Cadence | None, int]


class Noted:
    """What follows from events that had not been seen."""

    __slots__ = ("arrival", "corrected", "duplicate", "event_time", "runs", "unknown")

    def __init__(self) -> None:
        self.runs: list[tuple[When, dict[int, int]]] = []  # people by combination, in the order of events
        self.event_time = 0  # the newest moment that one spoke of
        self.arrival = 0  # the newest moment at which one became known
        self.duplicate = 0
        self.corrected = 0
        self.unknown: list[Event] = []  # corrections of events that are not remembered


class DedupIndex:
    """The ids that one sector has counted, and what for."""

    __slots__ = ("gone", "horizon", "kinds", "limit", "marks", "segments")

    def __init__(self, limit: int = LIMIT, horizon: int = HORIZON) -> None:
        self.limit, self.horizon = limit, horizon
        self.kinds = Kinds()
        self.marks: dict[int, int] = {}  # hash: mark and count
        self.segments: deque[Segment] = deque()
        self.gone: list[int] = []  # numbers of segments dropped since the last writing

    def note(self, events: Iterable[Event], clock: int) -> Noted:
        """Remember events, in their order; no word of them came before `clock` (epoch seconds).

        Every event goes through this loop: what stays the same from one to the next is found once.
        """
        noted, last, base = Noted(), None, 0
        marks, codes = self.marks, self.kinds.codes
        ids, people = list[int](), dict[int, int]()
        for event in events:
            if event.replaces is not None:
                last = None
                if not self._correct(event, clock, noted):
                    continue
            key = xxh3_64_intdigest(event.event_id.encode())
            if key in marks:
                noted.duplicate += 1
                continue
            at, known, count = event.at, event.known, event.count
            if at > noted.event_time:
                noted.event_time = at
            if known > noted.arrival:
                noted.arrival = known
            when = (at // HOUR, event.period, (known if known > clock else clock) // HOUR)
            if when != last or len(ids) >= SEGMENT:
                last, people = when, {}
                noted.runs.append((when, people))
                base = when[0] << _KIND_BITS + _PERIOD_BITS | _PERIODS.index(event.period)
                ids = self._segment(when[0]).ids
            kind = codes.get((event.demographic, event.crossing_type, event.citizenship))
            if kind is None:
                kind = self.kinds.code((event.demographic, event.crossing_type, event.citizenship))
            marks[key] = (base | kind << _PERIOD_BITS) << _COUNT_BITS | count
            ids.append(key)
            people[kind] = people.get(kind, 0) + count
        return noted

    def _correct(self, event: Event, clock: int, noted: Noted) -> bool:
        """Take back what an event stands in for; False where that is not remembered."""
        if xxh3_64_intdigest(event.event_id.encode()) in self.marks:
            return True  # a duplicate, as will be seen
        taken = self.take(event.replaces or "")
        if taken is None:
            noted.unknown.append(event)
            return False
        mark, count = taken
        when = (hour_of(mark), period_of(mark), max(event.known, clock) // HOUR)
        noted.runs.append((when, {mark >> _PERIOD_BITS & (_KINDS - 1): -count}))
        noted.corrected += 1
        return True

    def take(self, event_id: str) -> tuple[int, int] | None:
        """What a remembered event counted for (mark, count), counting nothing from now on."""
        key = xxh3_64_intdigest(event_id.encode())
        packed = self.marks.get(key)
        if packed is None:
            return None
        mark, count = packed >> _COUNT_BITS, packed & _COUNT_MASK
        self.marks[key] = mark << _COUNT_BITS  # still known: sent again, it is a duplicate
        for segment in self.segments:
            if key in segment.ids:
                segment.changed = True
        return mark, count

    def _segment(self, hour: int) -> Segment:
        """The segment that an id of this hour goes into."""
        if not self.segments or len(self.segments[-1].ids) >= SEGMENT or hour >= self.segments[-1].until:
            self._open(hour)
        segment = self.segments[-1]
        segment.changed = True
        segment.newest = max(segment.newest, hour)
        return segment

    def _open(self, hour: int) -> None:
        number = self.segments[-1].number + 1 if self.segments else 0
        self.segments.append(Segment(number, self._until(hour)))
        while len(self.segments) > 1 and (
            len(self.marks) > self.limit or self.segments[0].newest < hour - self.horizon
        ):
            old = self.segments.popleft()
            if old.written:
                self.gone.append(old.number)
            for key in old.ids:
                self.marks.pop(key, None)

    def _until(self, first: int) -> int:
        """The hour up to which a segment takes ids, by that of its first one."""
        return first + max(self.horizon // SHARE, 1)

    def encode(self, segment: Segment) -> bytes:
        """A segment on the wire: pairs of 64-bit integers."""
        values = map(self.marks.get, segment.ids, repeat(0))
        return array("Q", chain.from_iterable(zip(segment.ids, values, strict=True))).tobytes()

    def restore(self, number: int, value: bytes) -> None:
        """Take a segment back; segments come in any order."""
        pairs = np.frombuffer(value, np.uint64).reshape(-1, 2).tolist()
        hours = [hour_of(packed >> _COUNT_BITS) for _, packed in pairs]
        segment = Segment(
            number, self._until(hours[0]), [key for key, _ in pairs], max(hours), changed=False, written=True
        )
        self.marks.update((key, packed) for key, packed in pairs)
        self.segments = deque(sorted((*self.segments, segment), key=lambda one: one.number))


def hour_of(mark: int) -> int:
    """The UTC hour that a mark counts into."""
    return mark >> (_PERIOD_BITS + _KIND_BITS)


def period_of(mark: int) -> Cadence | None:
    """The period that a mark is a tally of."""
    period: Cadence | None = _PERIODS[mark & ((1 << _PERIOD_BITS) - 1)]
    return period
