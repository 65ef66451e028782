"""Periods that nothing is learnt from: those without data, and those in which a sector was closed.

       ▂▃▂▃▂ ▁           ▂▃▂▃▂        counts
gaps          ░░░░░░░░░░              no data, nobody counted since: neither learnt nor judged
partial      ░          ░             data for a part of the period: too low to be learnt or called low
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.calendar import Calendar
from streams.contract.cadence import DAY, Cadence
from streams.counting.sector_counts import Counts

Bools = NDArray[np.bool_]


class Gaps(NamedTuple):
    """Gaps in the periods of one series."""

    empty: Bools  # nobody was counted, and that does not mean nobody came
    partial: Bools  # somebody may have been missed


def gaps(counts: Counts, cadence: Cadence, first: int, length: int, *, calendar: Calendar) -> Gaps | None:
    """Return what is left out of `length` periods of a sector from `first` on; None: nothing."""
    state, closures = counts.state.of(cadence), calendar.closures(counts.sector)
    if not (state.gaps or state.partial or closures):
        return None
    values = counts.series[cadence].window(first + length - 1, length)
    without, partial = _marked(state.gaps, first, length), _marked(state.partial, first, length)
    if closures:
        closed = np.array([closed_days(cadence, first + at, closures) for at in range(length)])
        without |= closed >= 1
        partial |= closed > 0
    return Gaps(without & (values == 0), partial & ~(without & (values == 0)))


def closed_days(cadence: Cadence, index: int, closures: frozenset[int]) -> float:
    """Return the share of a period's days that are closures in the calendar."""
    days = range(cadence.start(index) // DAY, -(-cadence.start(index + 1) // DAY))
    return sum(day in closures for day in days) / len(days)


def _marked(periods: list[int], first: int, length: int) -> Bools:
    at = np.array(periods, int) - first
    marked = np.zeros(length, bool)
    marked[at[(at >= 0) & (at < length)]] = True
    return marked
