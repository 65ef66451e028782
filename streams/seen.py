"""Event ids that have been counted: so that an event sent twice counts once, and can be corrected.

An id is kept as 64 bits of hash beside 58 bits of what it counted for: 16 bytes in the changelog, some 140
in memory. Ids leave when event time has gone `horizon` beyond them, or when there are more than `limit`. They
are kept in segments, so that a commit writes what is new and not the whole horizon. Two different ids of one
sector within the horizon share a hash with a probability of limit²/2⁶⁵: 10⁻¹¹ at 20,000.
"""

from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from xxhash import xxh3_64_intdigest

from streams.calendar import HOUR, Cadence
from streams.decode import Event

LIMIT: Final = 20_000  # ids of one sector
HORIZON: Final = 72  # hours of event time
SEGMENT: Final = 256  # ids

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
    ids: list[int] = field(default_factory=list)  # hashes
    newest: int = 0  # hour
    changed: bool = True  # since it was last written
    written: bool = False


class Seen:
    """The ids that one sector has counted, and what for."""

    __slots__ = ("gone", "horizon", "kinds", "limit", "marks", "segments")

    def __init__(self, limit: int = LIMIT, horizon: int = HORIZON) -> None:
        self.limit, self.horizon = limit, horizon
        self.kinds = Kinds()
        self.marks: dict[int, int] = {}  # hash: mark and count
        self.segments: deque[Segment] = deque()
        self.gone: list[int] = []  # numbers of segments dropped since the last writing

    def __contains__(self, event_id: str) -> bool:
        return xxh3_64_intdigest(event_id.encode()) in self.marks

    def note(self, event: Event) -> int | None:
        """Remember an event; its mark, or None where its id has been seen."""
        key = xxh3_64_intdigest(event.event_id.encode())
        marks = self.marks
        if key in marks:
            return None
        hour = event.at // HOUR
        kind = self.kinds.code((event.demographic, event.crossing_type, event.citizenship))
        period = 0 if event.period is None else _PERIODS.index(event.period)
        mark = (hour << _KIND_BITS | kind) << _PERIOD_BITS | period
        marks[key] = mark << _COUNT_BITS | event.count
        if not self.segments or len(self.segments[-1].ids) >= SEGMENT:
            self._open(hour)
        segment = self.segments[-1]
        segment.ids.append(key)
        segment.changed = True
        if hour > segment.newest:
            segment.newest = hour
        return mark

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

    def slices(self, mark: int) -> tuple[str, ...]:
        """The slices that a mark counts into."""
        return self.kinds.names[mark >> _PERIOD_BITS & (_KINDS - 1)]

    def _open(self, hour: int) -> None:
        number = self.segments[-1].number + 1 if self.segments else 0
        self.segments.append(Segment(number))
        while len(self.segments) > 1 and (
            (len(self.segments) - 1) * SEGMENT > self.limit or self.segments[0].newest < hour - self.horizon
        ):
            old = self.segments.popleft()
            if old.written:
                self.gone.append(old.number)
            for key in old.ids:
                self.marks.pop(key, None)

    def encode(self, segment: Segment) -> bytes:
        """A segment on the wire: pairs of 64-bit integers."""
        pairs = np.array([(key, self.marks.get(key, 0)) for key in segment.ids], np.uint64)
        return pairs.tobytes()

    def restore(self, number: int, value: bytes) -> None:
        """Take a segment back; segments come in any order."""
        pairs = np.frombuffer(value, np.uint64).reshape(-1, 2).tolist()
        segment = Segment(number, [key for key, _ in pairs], changed=False, written=True)
        segment.newest = max((hour_of(packed >> _COUNT_BITS) for _, packed in pairs), default=0)
        self.marks.update((key, packed) for key, packed in pairs)
        self.segments = deque(sorted((*self.segments, segment), key=lambda one: one.number))


def hour_of(mark: int) -> int:
    """The UTC hour that a mark counts into."""
    return mark >> (_PERIOD_BITS + _KIND_BITS)


def period_of(mark: int) -> Cadence | None:
    """The period that a mark is a tally of."""
    period: Cadence | None = _PERIODS[mark & ((1 << _PERIOD_BITS) - 1)]
    return period
