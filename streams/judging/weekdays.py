"""Weekdays whose pattern has changed: a place that lately is closed, or open, on some weekdays.

    expected  ▅▅▅▅▅▅▅ ▅▅▅▅▅▅▅ ▅▅▅▅▅▁▁       after two weekends of nobody, nobody is expected
    counts    ▅▄▅▆▅▁▁ ▅▅▄▅▆▁▁ ▅▆▅▄▅▁▁

The baseline takes months to learn another weekday: it is of years. So a day on whose weekday nobody came in
the last two weeks, or twice as many as expected in both, is held against those two. This is no pattern of
weekdays where most other days were the same: that is a silence, a drop or a surge. And a place is opened only
on a weekday on which it was closed, or where it is closed on most others: elsewhere high days are surges.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import Cadence
from streams.detectors import Bools, SectorView

WEEK: Final = 7
LEAST: Final = 8.0  # people a day below which a day of nobody is no closed one
TIMES: Final = 2.0  # what is expected
CLOSED: Final = 0.01  # of what is expected on other days
MOST: Final = 0.5  # of the other days that may be the same
FEW: Final = 0.25  # of what is expected of all weekdays, up to which one was closed


def as_lately(view: SectorView) -> SectorView:
    """The same, with what is expected of days whose weekday has changed."""
    if view.cadence is not Cadence.DAY:
        return view
    known = view.mean > 0
    empty = known & (view.observed == 0) & (view.mean >= LEAST)
    high = known & (view.observed >= np.maximum(TIMES * view.mean, LEAST))
    closed, opened = (_twice(found, known) for found in (empty, high))
    opened &= _was_closed(view, known)
    closed &= view.observed == 0  # where people come after all, it is open as ever
    opened &= view.observed > view.mean  # and where they do not, closed as ever
    if not (closed.any() or opened.any()):
        return view
    mean = np.where(closed, CLOSED * view.mean, view.mean)
    least = np.minimum(_ago(view.observed, WEEK), _ago(view.observed, 2 * WEEK))
    return replace(view, mean=np.where(opened, np.maximum(mean, np.minimum(least, view.observed)), mean))


def _was_closed(view: SectorView, known: Bools) -> Bools:
    """Where few were expected, beside the days of two weeks before, or nobody came on most of those days."""
    expected, empty, days = (
        _ago(sums, 1) - _ago(sums, 2 * WEEK + 1)
        for sums in (view.mean.cumsum(1), (known & (view.observed == 0)).cumsum(1), known.cumsum(1))
    )
    found: Bools = (view.mean * days <= FEW * expected) | (empty > MOST * days)
    return found


def _twice(found: Bools, known: Bools) -> Bools:
    """Where it was so on this weekday in both of the last weeks, and not on most of their other days."""
    often, days = (_ago(sums, 1) - _ago(sums, 2 * WEEK + 1) for sums in (found.cumsum(1), known.cumsum(1)))
    twice: Bools = _ago(found, WEEK) & _ago(found, 2 * WEEK) & known & (often <= MOST * days)
    return twice


def _ago(values: NDArray[Any], days: int) -> NDArray[Any]:
    """The values so many days before; 0 where they are not known."""
    before = np.zeros_like(values)
    before[:, days:] = values[:, :-days]
    return before
