"""Counts of consecutive periods."""

import datetime as dt
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import HOUR, Cadence

Integers = NDArray[np.int64]


Values = NDArray[np.int32]


@lru_cache(maxsize=1 << 16)
def local(zone: str, hour: int) -> int:
    """The wall clock of a zone, in seconds since 1970, at the start of a UTC hour.

    Days are made of whole UTC hours: where the offset is half an hour, a day starts at the next full one.
    """
    moment = dt.datetime.fromtimestamp(hour * HOUR, ZoneInfo(zone))
    return hour * HOUR + int((moment.utcoffset() or dt.timedelta()).total_seconds())


def instant(zone: str, wall: int) -> dt.datetime:
    """The instant at which the clocks of a zone show `wall` seconds since 1970."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=wall)).replace(tzinfo=ZoneInfo(zone))  # noqa: DTZ001


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
