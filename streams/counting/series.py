"""Counts of consecutive periods."""

import datetime as dt
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import HOUR, Cadence

Integers = NDArray[np.int64]
# How many periods of each length are kept.
KEEP: Final = {Cadence.HOUR: 28 * 24, Cadence.DAY: 3 * 366, Cadence.WEEK: 520, Cadence.MONTH: 240}


@lru_cache(maxsize=1 << 16)
def local(zone: str, hour: int) -> int:
    """The wall clock of a zone, in seconds since 1970, at the start of a UTC hour.

    Days are made of whole UTC hours: where the offset is half an hour, a day starts at the next full one.
    """
    moment = dt.datetime.fromtimestamp(hour * HOUR, ZoneInfo(zone))
    return hour * HOUR + int((moment.utcoffset() or dt.timedelta()).total_seconds())


@lru_cache(maxsize=1 << 16)
def period_at(zone: str, cadence: Cadence, hour: int) -> int:
    """The period of a zone's clock in which a UTC hour (since 1970) begins."""
    return cadence.index(local(zone, hour))


def instant(zone: str, wall: int) -> dt.datetime:
    """The instant at which the clocks of a zone show `wall` seconds since 1970."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=wall)).replace(tzinfo=ZoneInfo(zone))  # noqa: DTZ001


@lru_cache(maxsize=1 << 14)
def hour_after(zone: str, cadence: Cadence, index: int) -> int:
    """The first UTC hour (since 1970) that begins after a period of a zone's clock is over."""
    hour = cadence.start(index + 1) // HOUR - 15  # no zone is further ahead of UTC
    while cadence.index(local(zone, hour)) <= index:
        hour += 1
    return hour


class Series:
    """Counts of consecutive periods: `values[i]` is that of period `first + i`. Periods outside count 0."""

    __slots__ = ("cadence", "first", "keep", "values")

    def __init__(self, cadence: Cadence, keep: int, first: int = 0, values: Integers | None = None) -> None:
        self.cadence, self.keep, self.first = cadence, keep, first
        self.values: Integers = np.asarray(() if values is None else values, np.int64)

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

    def highest(self, before: int) -> int:
        """The highest count of a period before this one, of those that are kept; 0 where there is none."""
        past = self.values[: max(before - self.first, 0)]
        return int(past.max()) if len(past) else 0

    def add(self, index: int, count: int) -> None:
        """Add to a period. One that is older than what is kept is ignored."""
        if 0 <= index - self.first < len(self.values) or self._reach(index):
            self.values[index - self.first] += count

    def _reach(self, index: int) -> bool:
        """Make room for a new period and drop the oldest; False where it is itself older than that."""
        if not len(self.values):
            self.first, self.values = index, np.zeros(1, np.int64)
        elif index >= self.end:
            first = max(self.first, index + 1 - self.keep)
            self.values, self.first = self.window(index, index + 1 - first), first
        elif self.end - index > self.keep:
            return False
        else:
            self.values = np.concatenate([np.zeros(self.first - index, np.int64), self.values])
            self.first = index
        return True
