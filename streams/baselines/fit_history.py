"""What a fit of many series learns from: their counts, and how much each period of them counts."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines import fitted_delays
from streams.baselines.calendar import Calendar
from streams.baselines.gaps import gaps
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence
from streams.counting.sector_counts import Counts

Bools = NDArray[np.bool_]
Whole = NDArray[np.int_]

HISTORY: Final = {
    Cadence.HOUR: 28 * 24,
    Cadence.DAY: 3 * 366,
    Cadence.WEEK: 520,
    Cadence.MONTH: 120,
}  # periods of history that a fit uses
HALF: Final = {Cadence.MONTH: 24}  # age at which a period counts half: years differ by more than a trend
LEAST: Final = {
    Cadence.HOUR: 7 * 24,
    Cadence.DAY: 7,
    Cadence.WEEK: 4,
    Cadence.MONTH: 4,
}  # periods of history that a model needs without a peer prior
FAR: Final = 10.0  # times what else was seen, and
FAR_LEAST: Final = 100.0  # people more: a count beyond teaches nothing
DEEP: Final = 5.0  # times as few as in the periods before and after, and FAR_LEAST fewer: a dip that is one
DIPS: Final = (Cadence.WEEK, Cadence.MONTH)  # hours and days have nights, holidays and weather
FEWEST: Final = 3  # periods that a count must be beyond
MANY: Final = 21  # periods of which two counts may be slips; of fewer one may, and two are what happens there


class History(NamedTuple):
    """The periods before a fit of n series."""

    people: Floats  # [n, periods]
    weight: Floats  # [n, periods]: how much a period counts, 0 where it teaches nothing

    @property
    def periods(self) -> Floats:
        """How many periods of each series count at all [n]."""
        return np.asarray((self.weight > 0).sum(1), float)

    @property
    def mean(self) -> Floats:
        """The mean count of each series [n]."""
        return np.asarray((self.people * self.weight).sum(1) / np.maximum(self.weight.sum(1), 1))


def length_of(counts: Counts, cadence: Cadence, index: int) -> int:
    """Return how many periods before `index` a fit looks at: all that are kept, or a half, a quarter, ..."""
    length = HISTORY[cadence]
    while length // 2 >= max(index - counts.series[cadence].first, 1):
        length //= 2
    return length


def history(
    sectors: Sequence[Counts], cadence: Cadence, index: int, length: int, *, calendar: Calendar
) -> History:
    """Return the `length` periods before `index` of some sectors."""
    people = np.stack([counts.series[cadence].window(index - 1, length) for counts in sectors]).astype(float)
    weight = np.stack([_present(counts, cadence, index, length, calendar=calendar) for counts in sectors])
    slips = _far_above(people, weight)
    if cadence in DIPS:
        slips |= _far_below(people, weight)
    weight[slips] = 0
    if cadence in HALF:
        weight *= 0.5 ** (np.arange(length, 0, -1) / HALF[cadence])
    return History(people, weight)


def _present(counts: Counts, cadence: Cadence, index: int, length: int, *, calendar: Calendar) -> Floats:
    """Return 1 for each period of a sector that can be learnt from, else 0."""
    base, present = index - length, np.zeros(length)
    # A day in which a sector's events began is no whole one (a tally is).
    begun = counts.series[cadence].first + (Cadence.HOUR in counts.series and cadence is Cadence.DAY)
    present[max(begun - base, 0) :] = 1
    if left_out := gaps(counts, cadence, base, length, calendar=calendar):
        present[left_out.empty | left_out.partial] = 0
    # What has not arrived yet would teach too low a level.
    unsettled = fitted_delays.settles(counts, cadence) - 1
    if 0 < unsettled <= length - LEAST[cadence]:
        present[length - unsettled :] = 0
    return present


def _far_above(values: Floats, present: Floats) -> Bools:
    """Return the counts [n, periods] that are beyond comparison: slips of the pen, which teach nothing.

    Those FAR times as high as all but the few highest of a series, and FAR_LEAST people more.
    """
    known = np.sort(np.where(present > 0, values, -1.0), axis=1)
    periods = (present > 0).sum(1)
    usual = known[np.arange(len(values)), -1 - np.minimum(_few(periods), periods - 1)]
    far = values > FAR * np.maximum(usual, 0.0)[:, None] + FAR_LEAST
    return np.asarray(far & (periods > FEWEST)[:, None])


def _far_below(values: Floats, present: Floats) -> Bools:
    """Return the few counts [n, periods] far below both their neighbours: slips, or a part of the reports.

    A count of the last period is one until the next is as low: that is a drop, and is learnt from.
    """
    known = np.pad(np.where(present > 0, values, np.inf), ((0, 0), (1, 1)), constant_values=np.inf)
    beside = np.minimum(known[:, :-2], known[:, 2:])
    dips = (present > 0) & np.isfinite(beside)
    dips &= (DEEP * values < beside) & (beside - values > FAR_LEAST)
    return np.asarray(dips & (dips.sum(1) <= _few((present > 0).sum(1)))[:, None])


def _few(periods: Whole) -> Whole:
    """How many counts of so many periods [n] may be slips: one, two of MANY, or a hundredth."""
    return np.where(periods < MANY, 1, np.maximum(periods // 100, 2))
