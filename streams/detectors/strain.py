"""Strain: how near a sector is to the number of people a day that it can take in, and when it is full.

The question is not *is this normal?* but *is there room?*: every day may be normal and every day too much.
The p-value is that of the hypothesis that the sector's rate still is below its capacity, P(Y ≥ observed |
capacity); a breach is plain: as many as there is room for, or full before the day is over at the present
rate. That a surge is measured against what a place can take in is the rule of hospitals (Hick et al. 2004,
Ann Emerg Med 44:253).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from streams.baselines.negative_binomial import Floats, at_least


class Strain(NamedTuple):
    """Share of the capacity taken; p-value; seconds until full (0: it is, inf: not at this rate); breach."""

    share: Floats
    p_value: Floats
    full_in: Floats
    breach: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def judge(
    taken: ArrayLike,
    rate: ArrayLike,
    capacity: ArrayLike,
    left: ArrayLike = 0.0,
    dispersion: ArrayLike = 1.0,
) -> Strain:
    """Judge n sectors: people `taken` today, the present `rate` per second, `left` seconds of the day.

    Sixty came by noon and 10 come an hour: 100 are reached in four hours, within the day.

    >>> strain = judge([60, 60], [10 / 3600, 2 / 3600], 100, left=12 * 3600)
    >>> (strain.full_in / 3600).tolist(), strain.breach.tolist()
    ([4.0, 20.0], [True, False])
    """
    people, room = np.asarray(taken, np.float64), np.maximum(np.asarray(capacity, np.float64), 1e-9)
    speed = np.maximum(np.asarray(rate, np.float64), 0.0)
    missing = np.maximum(room - people, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        full_in = np.where(missing == 0, 0.0, np.where(speed > 0, missing / speed, np.inf))
    breach = (missing == 0) | (full_in <= np.asarray(left, np.float64))
    return Strain(people / room, at_least(people, room, dispersion), full_in, breach)
