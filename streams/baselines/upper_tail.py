"""How much heavier than its negative binomial the upper tail of a series is.

Some series have now and then a count that their dispersion does not explain: a bus, a boat. Where p-values
of the past were uniform, -log p beyond a threshold exceeds it by 1 on average. Where it exceeds it by κ > 1,
the tail falls off κ times more slowly, and p-values are made so (the mean excess of an exponential tail: Hill
1975, Ann Stat 3:1163; recalibration by past p-values: Gibbs & Candès 2021).
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from streams.baselines.algebra import Reals
from streams.baselines.dispersion import anscombe
from streams.baselines.negative_binomial import Floats, at_least

BEYOND: Final = 0.05  # p-values below are the tail
_START: Final = -float(np.log(BEYOND))
_WORTH_A_LOOK: Final = 1.5  # Anscombe residual below which no p-value is as small
_MOST: Final = 20.0  # excess that a single period adds, so that one surge of the past does not make a tail
_PRIOR: Final = 20.0  # exceedances that a tail of 1 counts for
_HEAVIEST: Final = 8.0


def heaviness(counts: Reals, mean: Reals, dispersion: Floats, telling: Reals) -> Floats:
    """Estimate κ [n] from the past [n, T]; periods where `telling` is 0 are left out.

    Of periods in a row that are high, the first counts alone: a surge of the past is one event.
    """
    high = (anscombe(counts, mean, dispersion[:, None]) > _WORTH_A_LOOK) & (telling > 0)
    high[:, 1:] &= ~high[:, :-1]
    row, column = np.nonzero(high)
    p = at_least(counts[row, column].astype(float), mean[row, column].astype(float), dispersion[row])
    excess = -np.log(np.maximum(p, 1e-300)) - _START
    beyond = excess > 0
    often = np.bincount(row[beyond], minlength=len(counts))
    total = np.bincount(row[beyond], np.minimum(excess[beyond], _MOST), minlength=len(counts))
    return np.asarray(np.clip((total + _PRIOR) / (often + _PRIOR), 1.0, _HEAVIEST))


def recalibrated(p_value: Floats, heavy: Floats | float) -> Floats:
    """The p-values of a tail that falls off `heavy` times more slowly.

    >>> recalibrated(np.array([0.2, 0.05, 0.05**3]), np.full(3, 2.0)).round(4).tolist()
    [0.2, 0.05, 0.0025]
    """
    depth = -np.log(np.maximum(p_value, 1e-300)) - _START
    return np.where(depth > 0, np.exp(-_START - depth / heavy), p_value)


def nominal(alpha: ArrayLike, heavy: Floats | float) -> Floats:
    """The negative binomial's own p-value at which a recalibrated one is `alpha`: the inverse."""
    level = np.asarray(alpha, float)
    depth = -np.log(np.maximum(level, 1e-300)) - _START
    return np.where(depth > 0, np.exp(-_START - depth * heavy), level)
