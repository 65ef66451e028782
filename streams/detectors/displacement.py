"""Displacement: fewer people here, more next door.

One sector is significantly below what is expected and its neighbours together are significantly above:
enforcement, a treaty or weather has moved the flow and not only stopped it (the "balloon effect"). It moves
as a whole or in part: at least a tenth of those who are missing have to be found next door. And where most of
those next door cannot be the missing ones, it is a surge there and no displacement.

Both halves must hold (intersection-union test: Berger 1982, Technometrics 24:295). A sector and its
neighbours being independent on the null, the chance that the larger of the two p-values is under p is p²;
over the n sectors of a border from which people are expected it is corrected by Šidák.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streams.baselines.tails import Floats, at_least, at_most

SMALLEST = 1e-9  # a baseline of nothing at all divides nothing
FOUND = 0.1  # of the people missing here, at least so many are too many next door
EXPLAINED = 0.5  # of the people too many next door, at least so many are missing here


class Displacement(NamedTuple):
    """By sector, as the one that people have left: corrected p, people missing, people too many next door."""

    p_value: Floats
    missing: Floats
    gained: Floats


def judge(
    observed: ArrayLike, mean: ArrayLike, dispersion: ArrayLike, adjacent: NDArray[np.bool_]
) -> Displacement:
    """Judge one closed period of the n sectors of a border; `adjacent[i, j]`: j is a neighbour of i.

    >>> line = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    >>> judge([100, 40, 160], [100, 100, 100], 2.0, line).p_value.round(6).tolist()
    [1.0, 1.9e-05, 1.0]
    """
    y = np.asarray(observed, np.float64)
    mu = np.maximum(np.broadcast_to(np.asarray(mean, np.float64), y.shape), SMALLEST)
    variance = mu * np.maximum(np.asarray(dispersion, np.float64), 1.0)
    near = adjacent.astype(np.float64)
    seen, normal = near @ y, np.maximum(near @ mu, SMALLEST)
    missing, gained = mu - y, seen - normal
    low = at_most(y, mu, variance / mu)
    high = at_least(seen, normal, near @ variance / normal)
    moved = (gained >= FOUND * missing) & (missing >= EXPLAINED * gained)
    both = np.maximum(low, high) ** 2
    corrected = -np.expm1(np.count_nonzero(mu > SMALLEST) * np.log1p(-np.minimum(both, 1 - 1e-16)))
    possible = (missing > 0) & (gained > 0) & moved
    return Displacement(np.where(possible, corrected, 1.0), missing, gained)
