"""Dispersion of a series whose highest counts have been down-weighted.

Weights that keep past surges out of the baseline also cut its own tail: of a negative binomial with mean 3
and φ 5 they leave six sevenths of the variance, and a limit based on that would alarm more often than stated.
So the dispersion is the one whose *weighted* sum of squared residuals equals the observed one (Fisher
consistency: Hampel et al. 1986, Robust Statistics, §2.1). What the weights leave of each mean and dispersion
is summed over the distribution once.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from streams.baselines.algebra import Reals, grained
from streams.baselines.negative_binomial import Floats

UNUSUAL: Final = 2.58  # Anscombe residual above which a period is taken for a surge
WEEK: Final = 7  # days whose level is held to stray together
_ONE: Final = 0.25  # mean below which a single person would otherwise be taken for a surge
_MEANS: Final = np.geomspace(0.05, 400, 40)
_SPREADS: Final = 1 + np.geomspace(0.01, 100, 24)
_FINE: Final = 2.0**-30
_STRIDE: Final = 13  # every 13th period is sampled: all weekdays and seasons come alike


class _Left(NamedTuple):
    """What the weights leave, for each mean and dispersion."""

    residuals: Floats  # expected weight times squared Pearson residual
    weight: Floats


def weights(counts: Reals, mean: Reals, dispersion: ArrayLike) -> Reals:
    """Return 1 for usual counts, and less the higher a count is above them."""
    usual: Reals = 1 / np.maximum(anscombe(counts, mean, dispersion) / UNUSUAL, 1)
    return np.square(np.square(usual))


def anscombe(counts: Reals, mean: Reals, dispersion: ArrayLike) -> Reals:
    """Return residuals that are nearly normal for small counts too. One person is never a surge."""
    root = np.cbrt(np.maximum(mean, _ONE))
    scale = np.sqrt(root * np.asarray(dispersion, root.dtype))
    residual: Reals = 1.5 * (np.square(np.cbrt(counts)) - np.square(root)) / scale
    return residual


def unweighted(weighed: Floats, mean: Reals) -> Floats:
    """Return the dispersion [n] of which the weights leave `weighed` [n], at means [n, T].

    >>> unweighted(np.array([4.3, 1.48]), np.array([[3.0], [50.0]])).round(1).tolist()
    [5.0, 1.5]
    """
    some = np.clip(mean[:, ::_STRIDE], 1e-9, None)
    at = np.log(some / _MEANS[0]) / np.log(_MEANS[1] / _MEANS[0])
    rows = np.clip(np.rint(at), 0, len(_MEANS) - 1).astype(int)
    # How many periods of each series have each of the means.
    cells = len(_MEANS) * np.arange(len(mean))[:, None] + rows
    often = np.bincount(cells.ravel(), minlength=len(mean) * len(_MEANS)).reshape(len(mean), -1)
    left = _left()
    seen = (often @ left.residuals) / (often @ left.weight)
    # Linear from one dispersion to the next: the sum of what is passed of each stretch.
    passed = np.clip((weighed[:, None] - seen[:, :-1]) / np.diff(seen), 0, 1)
    out = np.where(weighed < seen[:, 0], 1.0, _SPREADS[0] + (passed * np.diff(_SPREADS)).sum(1))
    return np.where(weighed >= seen[:, -1], weighed, out)


def block_variance(residual: Reals, mean: Reals, phi: Floats, block: int) -> Floats:
    """Return how far blocks (the hours of a day) stray beyond what their periods' dispersion explains.

    The moment estimator of a random effect: Σ(R² - φM) / ΣM² over the blocks' residuals R and means M.
    """
    if not block or residual.shape[1] < 2 * block:
        return np.zeros(len(residual))
    blocks = residual.shape[1] // block
    off, expected = (
        values[:, -blocks * block :].reshape(len(values), blocks, block).sum(2) for values in (residual, mean)
    )
    excess = (off**2 - phi[:, None] * expected).sum(1) / np.maximum((expected**2).sum(1), 1e-9)
    return np.asarray(np.clip(excess, 0, 1))


@cache
def _left() -> _Left:
    residuals, weight = np.empty((2, len(_MEANS), len(_SPREADS)))
    for row, mean in enumerate(_MEANS):
        for column, phi in enumerate(_SPREADS):
            size = mean / (phi - 1)
            most = mean + 12 * np.sqrt(phi * mean) + 30 * phi
            y = np.arange(0.0, most)
            log = special.gammaln(y + size) - special.gammaln(size) - special.gammaln(y + 1)
            chance = np.exp(log - size * np.log(phi) + y * np.log1p(-1 / phi))
            kept = chance * weights(y, mean, phi)
            residuals[row, column] = (kept * np.square(y - mean)).sum() / mean
            weight[row, column] = kept.sum()
    # So many times each: sums that no order changes.
    return _Left(grained(residuals, _FINE), grained(weight, _FINE))
