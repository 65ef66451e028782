"""How far the sums over sectors and periods have strayed beyond what single counts explain.

Neighbours share their weather, and levels stray for days: neither days nor sectors are independent, and the
variance of a sum is more than the sum of variances. How much more, the sums of the past show: of the same
sectors together, over as many periods, held against what was expected of each period *then*. So the error of
the baseline is in it as well.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from streams.baselines.algebra import times
from streams.baselines.dispersion import UNUSUAL
from streams.baselines.level import SURE
from streams.baselines.negative_binomial import Floats

LEAST: Final = 2  # windows, one after the other, that the past must have
_ROUNDS: Final = 3
_SMALLEST: Final = 1e-9


class Residuals(NamedTuple):
    """Counts of the past less what was expected of them; all [sectors, periods], 0 where nothing is known."""

    off: Floats
    mean: Floats
    variance: Floats


def straying(past: Residuals, sets: NDArray[np.bool_], window: int) -> Floats:
    """Return the relative variance to add to sums over `window` periods of each set of sectors [sets].

    `sets` is [sets, sectors]. The moment estimator of a random effect, from windows that overlap, 0 where
    chance explains it. What is far off counts for no more than is usual: a surge of the past does not hide
    the next one.

    >>> one = np.random.default_rng(1).poisson(100.0, (1, 110)) - 100.0
    >>> alike = Residuals(np.repeat(one, 3, 0), np.full((3, 110), 100.0), np.full((3, 110), 100.0))
    >>> straying(alike, np.array([[True, False, False], [True, True, True]]), 1).round(3).tolist()
    [0.0, 0.005]
    """
    if past.off.shape[1] < LEAST * window:
        return np.zeros(len(sets))
    choose = sets.T.astype(np.float64)
    off, mean, variance = (
        times(sliding_window_view(part, window, axis=1).sum(-1).T, choose) for part in past
    )
    people, found = np.maximum(np.square(mean).sum(0), _SMALLEST), np.zeros(len(sets))
    for _ in range(_ROUNDS):
        most = UNUSUAL**2 * (variance + found * np.square(mean))
        found = np.maximum((np.minimum(np.square(off), most) - variance).sum(0) / people, 0.0)
    by_chance = np.sqrt(2 * window * np.square(variance).sum(0)) / people
    shrunk = np.maximum(1 - np.square(SURE * by_chance / np.maximum(found, _SMALLEST)), 0.0)
    return np.asarray(np.minimum(found * shrunk, 1.0))
