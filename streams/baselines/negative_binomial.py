"""Tails of counts: the negative binomial with variance φ·mean, and the Poisson where φ is 1.

Probabilities come from the regularised incomplete beta function (Johnson, Kemp & Kotz 2005, §5.6), which is
exact at any count and some thirty times faster than a distribution object. All arguments broadcast.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

_POISSON: Final = 1 + 1e-6  # dispersion below which the Poisson is meant
_LEAST: Final = 1e-9  # mean below which a count is all but impossible


def at_least(count: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> Floats:
    """P(Y ≥ count) for mean ≥ 0 and dispersion φ ≥ 1.

    >>> at_least(0, 4, 1.5).item(), round(at_least(10, 4, 1).item(), 5)
    (1.0, 0.00813)
    """
    y, m, phi = (np.asarray(value, float) for value in (count, mean, dispersion))
    m = np.maximum(m, _LEAST)
    excess = np.maximum(phi - 1, _POISSON - 1)
    reach = np.maximum(y, 0.5)
    tail = np.where(
        phi > _POISSON, special.betainc(reach, m / excess, excess / (1 + excess)), special.gammainc(reach, m)
    )
    return np.where(y <= 0, 1.0, np.clip(tail, 0, 1))


def mid(count: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> Floats:
    """P(Y > count) + ½ P(Y = count): uniform on average under the model, so made for ranking and combining.

    >>> round(mid(4, 4, 1).item(), 3)
    0.469
    """
    y = np.asarray(count, float)
    return (at_least(y, mean, dispersion) + at_least(y + 1, mean, dispersion)) / 2


def at_most(count: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> Floats:
    """P(Y ≤ count)."""
    return np.clip(1 - at_least(np.asarray(count, float) + 1, mean, dispersion), 0, 1)


def threshold(alpha: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> Floats:
    """The smallest count whose upper tail is at most `alpha`.

    >>> threshold(0.01, 4, 1).item()
    10.0
    """
    level, m, phi = np.broadcast_arrays(*(np.asarray(value, float) for value in (alpha, mean, dispersion)))
    m = np.maximum(m, _LEAST)
    # A gamma of the same mean and variance is within a few counts of the answer.
    y = np.ceil(special.gammainccinv(m / phi, level) * phi)
    for _ in range(64):
        high = at_least(y, m, phi) > level
        low = (y > 0) & (at_least(y - 1, m, phi) <= level)
        if not (high | low).any():
            break
        y = y + high - (low & ~high)
    return np.asarray(y, float)


def cauchy(p_values: Floats, weights: ArrayLike | None = None) -> Floats:
    """One p-value from several, however they depend on each other (Liu & Xie 2020), over the last axis.

    >>> round(cauchy(np.array([0.01, 0.01])).item(), 4), round(cauchy(np.array([0.001, 1.0])).item(), 3)
    (0.01, 0.002)
    """
    p = np.clip(p_values, 1e-300, 0.99)  # certain calm must not outweigh everything
    weight = np.ones(p.shape[-1]) if weights is None else np.asarray(weights, float)
    weight = weight / weight.sum()
    # tan((½ - p)π) = 1/tan(pπ), without its cancellation at small p.
    statistic = (weight / np.tan(p * np.pi)).sum(-1)
    return np.asarray(
        np.where(statistic > 1e15, 1 / (np.maximum(statistic, 1) * np.pi), np.arctan2(1, statistic) / np.pi)
    )
