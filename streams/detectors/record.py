"""Record: higher than ever, or than for a long time.

A rule of rank, not of chance: the last period against all that is kept. What makes it worth telling is that
it is also unusual (so the surge's p-value is asked), that it beats the old record by more than a nose (in
calm times a new one comes every so often, by one or two people), and that the past is long enough to beat.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence

LEAST: Final = 10  # people in the period: below that a record is no news
UNUSUAL: Final = 0.05
BEATEN_BY, BEATEN_TIMES = 5, 1.2  # people more, and times more, than the old record
PAST: Final = {Cadence.DAY: 180, Cadence.WEEK: 26, Cadence.MONTH: 12}  # periods a record needs behind it


class Record(NamedTuple):
    """The answers for n series."""

    breach: NDArray[np.bool_]
    last_as_high: NDArray[np.int64]  # periods ago that it was at least so high; 0 is never
    highest: Floats  # of the past


def judge(past: Floats, present: Floats, observed: Floats, p_value: Floats, least_past: int) -> Record:
    """Hold `observed` [n] against `past` [n, T] (oldest first), where `present` [n, T] is 1.

    >>> found = judge(np.array([[3.0, 30, 12]]), np.ones((1, 3)), np.array([20.0]), np.array([0.01]), 2)
    >>> bool(found.breach[0]), int(found.last_as_high[0])
    (False, 2)
    """
    held = np.where(present > 0, past, -1.0)
    as_high = held[:, ::-1] >= observed[:, None]
    ago = np.where(as_high.any(1), as_high.argmax(1) + 1, 0)
    highest = held.max(1, initial=0.0)
    enough = (present.sum(1) >= least_past) & (observed >= LEAST) & (p_value <= UNUSUAL)
    beaten = (observed >= highest + BEATEN_BY) & (observed >= BEATEN_TIMES * highest)
    return Record(enough & beaten & (ago == 0), ago, highest)
