"""How people come in groups, as the hours of a young series show it from its first days on.

    plain     .1.2..1.1...21.1.1..2.     people come by ones and twos: the days' dispersion is about 1
    by bus    .1.2..1.1...21.51.1.2.     one bus of 50 in a week

A week of days can hide that people come by the bus, or that they do not; its 168 hours hardly can. Arrivals
in groups are a compound Poisson process: in hours and in days alike the variance is E[size²] / E[size] times
the mean. So the dispersion of hours, given the people of their days, is a lower bound on the dispersion of
days. No `count` and no `group_id` is needed: a bus is a bus, also where its people are reported one by one.
"""

from typing import Final, NamedTuple

import numpy as np

from streams.baselines.calibration import KNOWN
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence
from streams.counting.sector_counts import Counts
from streams.counting.series import hour_after

MOST: Final = 27  # days whose hours are all kept
FEWEST: Final = 3  # days from which on hours of different days can be compared
HOURS: Final = 24
_SMALLEST: Final = 1e-9


class Known(NamedTuple):
    """A dispersion, and its degrees of freedom."""

    dispersion: float
    freedom: float


class GroupDispersion(NamedTuple):
    """What the hours of a series have shown."""

    dispersion: float  # φ ≥ 1
    hours: int  # that had anybody: so often a group could have been seen

    def combined(self, dispersion: float, freedom: float) -> Known:
        """Return the dispersion of days that follows from what days and hours show.

        What hours show is well known. Only what days show beyond it is as uncertain as days are few.

        >>> GroupDispersion(3.0, 200).combined(4.0, 20.0), UNKNOWN.combined(4.0, 20.0)
        (Known(dispersion=4.0, freedom=80.0), Known(dispersion=4.0, freedom=20.0))
        """
        if not self.hours:
            return Known(dispersion, freedom)
        both = max(dispersion, self.dispersion)
        return Known(both, freedom / max(1 - self.dispersion / both, freedom / KNOWN))


UNKNOWN: Final = GroupDispersion(1.0, 0)


def group_dispersion(counts: Counts, index: int) -> GroupDispersion:
    """Return what the hours before day `index` have shown; UNKNOWN where nobody is counted by the hour."""
    series = counts.series.get(Cadence.HOUR)
    if series is None:
        return UNKNOWN
    end = hour_after(counts.zone, Cadence.DAY, index - 1)
    days = min((end - series.first) // HOURS, MOST)
    if days < FEWEST:
        return UNKNOWN
    table = series.window(end - 1, days * HOURS).reshape(days, HOURS).astype(float)
    return GroupDispersion(within_days(table), int(np.count_nonzero(table)))


def within_days(table: Floats) -> float:
    """Return the dispersion of people by day and hour [days, 24], given the people of each day.

    The hours of a day are held against those of the other days, so that no group explains itself.

    >>> one_by_one = np.random.default_rng(1).poisson(2.0, (8, 24)).astype(float)
    >>> by_bus = one_by_one.copy()
    >>> by_bus[4, 10] += 50
    >>> round(within_days(one_by_one), 1), round(within_days(by_bus))
    (1.0, 7)
    """
    people, days = table.sum(1, keepdims=True), len(table)
    evenly = people.mean() / HOURS  # a day's worth: one day of others may have no hour in common
    rate = (table.sum(0) - table + evenly) / np.maximum(people.sum() - people + evenly * HOURS, _SMALLEST)
    expected = people * rate
    known = (expected * (1 - rate)).sum() * days / (days - 1)
    return float(max(np.square(table - expected).sum() / max(known, _SMALLEST), 1.0))
