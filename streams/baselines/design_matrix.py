"""The terms of the regression that all series share: level, trend, seasons, weekdays, holidays.

day    level  trend  12 of the year          7 of the week   holiday, day after
week   level  trend   4 of the year          4 by which those move from year to year
month  level  trend   4 of the year
hour   level  trend   6 of the day           7 of the week
"""

from functools import lru_cache
from typing import Final

import numpy as np

from streams.baselines.algebra import grained
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import DAY, Cadence

YEAR: Final = 365.2425
PERIODS: Final = {
    Cadence.HOUR: YEAR * 24,
    Cadence.DAY: YEAR,
    Cadence.WEEK: YEAR / 7,
    Cadence.MONTH: 12.0,
}  # a year
# Of the day, for hours; of the year, for all else. Days can resolve sharp peaks of a season.
HARMONICS: Final = {Cadence.HOUR: 3, Cadence.DAY: 6, Cadence.WEEK: 2, Cadence.MONTH: 2}
FIRST: Final = 2  # column at which the harmonics begin, a sine and a cosine each


@lru_cache(maxsize=256)
def _shared(cadence: Cadence, first: int, length: int) -> Floats:
    """Return the shared terms without holidays; the second column is left for the time."""
    index = np.arange(first, first + length)
    columns = [np.ones(length), np.zeros(length)]
    if cadence is Cadence.HOUR:
        # Two weeks of hours hold no season; the hours of a day differ by the clock.
        clock = 2 * np.pi * (index % 24) / 24
        for harmonic in range(1, HARMONICS[cadence] + 1):
            columns += [np.sin(harmonic * clock), np.cos(harmonic * clock)]
        columns += [(((index // 24) + 3) % 7 == day) * 1.0 for day in range(7)]
        return np.stack(columns, axis=1)
    days = np.array([cadence.start(int(at)) for at in index]) / DAY
    angle = 2 * np.pi * days / YEAR
    for harmonic in range(1, HARMONICS[cadence] + 1):
        columns += [np.sin(harmonic * angle), np.cos(harmonic * angle)]
    if cadence is Cadence.DAY:
        # One term for each weekday, kept apart by their priors: a day on which a place is always closed then
        # pulls no other day's level.
        columns += [((index + 3) % 7 == day) * 1.0 for day in range(7)]
    return np.stack(columns, axis=1)


def rows(cadence: Cadence, *, first: int, length: int, base: int, holidays: frozenset[int]) -> Floats:
    """Return the shared terms of `length` periods from `first` on; time is counted from `base`."""
    out = _shared(cadence, first, length).copy()
    out[:, 1] = (np.arange(first, first + length) - base) / PERIODS[cadence]
    if cadence is Cadence.WEEK:  # only weeks have enough years to show it
        yearly = out[:, FIRST : FIRST + 2 * HARMONICS[cadence]]
        out = np.column_stack([out, yearly * out[:, 1:2]])
    if cadence is Cadence.DAY:
        off = np.array([at in holidays for at in range(first - 1, first + length)])
        # Reports that were not filed on the holiday are filed on the day after.
        out = np.column_stack([out, off[1:], off[:-1] & ~off[1:]])
    return grained(out)


def size(cadence: Cadence) -> int:
    """Return the number of terms."""
    return int(rows(cadence, first=0, length=1, base=0, holidays=frozenset()).shape[1])
