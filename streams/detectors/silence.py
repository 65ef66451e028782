"""Silence: nobody at all, for longer than chance allows.

The chance of no event over the silent time under the baseline: for a negative binomial with mean m and
dispersion φ, φ^(-m / (φ - 1)); exp(-m) where φ is 1. At forty a day five silent hours are improbable; at
one a day two silent days are not.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats, at_most


class Silence(NamedTuple):
    """The answers for n series."""

    p_value: Floats
    periods: NDArray[np.int64]  # silent ones, up to the last
    expected: Floats  # people in them


def judge(observed: Floats, mean: Floats, dispersion: Floats, error: Floats) -> Silence:
    """Judge the run of empty periods at the end of `observed` [n, W].

    >>> found = judge(np.array([[3.0, 0, 0]]), np.full((1, 3), 4.0), np.ones(1), np.zeros(1))
    >>> int(found.periods[0]), round(float(found.p_value[0]), 5)
    (2, 0.00034)
    """
    silent = np.cumsum(observed[:, ::-1], axis=1)[:, ::-1] == 0
    expected = np.where(silent, mean, 0.0).sum(1)
    periods = silent.sum(1)
    p_value = at_most(0, expected, dispersion + expected * error)
    return Silence(np.where(periods > 0, p_value, 1.0), periods, expected)
