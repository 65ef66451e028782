"""The local level: how far a series drifts from its baseline from day to day, and where it is now.

Beside the regression stands a local level, an AR(1) of the log level around it (Harvey 1989, Forecasting,
Structural Time Series Models and the Kalman Filter; West & Harrison 1997). Its variance is learnt from
the correlation of residuals from one day to the next; without any it is 0 and nothing changes.

    counts    ▄▅▅▆▅▆▇▆▆▅▅        residuals of neighbouring days are correlated: the level drifts
    baseline  ▅▅▅▅▅▅▅▅▅▅▅
    expected  ▅▅▅▅▆▅▆▆▆▆▅        the baseline, times the level predicted from the days before

The expected count of a period then follows from the periods before it, so that one drift does not raise one
alarm after another.
"""

from typing import Final, NamedTuple

import numpy as np

from streams.baselines.algebra import Reals
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence

MEMORY: Final = {Cadence.DAY: 0.9}  # how much of the level stays from one period to the next
LAGS: Final = 10  # periods apart up to which residuals are compared
SURE: Final = 2.0  # standard errors below which a drift may be chance
_USUAL: Final = 2.0  # standard deviations; what is further off moves the level no more than that
_LEAST: Final = 0.25  # of the baseline; no level falls below


def level_variance(residual: Reals, mean: Reals, dispersion: Floats, memory: float) -> Floats:
    """Estimate the relative variance of the level [n], 0 where chance explains the residuals.

    Products of residuals k periods apart are σ²·memoryᵏ·mean·mean on average: weighted least squares over
    all of them. `residual` and `mean` [n, T] are weighed by how usual a period is.
    """
    scale = np.sqrt(np.maximum(mean, 1e-9) * dispersion[:, None].astype(mean.dtype))
    standard, signal = residual / scale, mean / scale
    found, known = np.zeros(len(mean)), np.zeros(len(mean))
    for lag in range(1, min(LAGS, mean.shape[1] - 1) + 1):
        weight = memory**lag * signal[:, lag:] * signal[:, :-lag]
        found += (weight * standard[:, lag:] * standard[:, :-lag]).sum(1)
        known += np.square(weight).sum(1)
    variance = found / np.maximum(known, 1e-12)
    certainty = np.maximum(found, 0) / np.sqrt(np.maximum(known, 1e-12))
    shrunk = np.maximum(1 - np.square(SURE / np.maximum(certainty, 1e-9)), 0)
    return np.asarray(np.clip(variance * shrunk, 0, 1))


def of_mean(variance: Floats, memory: float, periods: Floats) -> Floats:
    """Return the variance of the level's mean over a number of periods [n], from that of one.

    >>> of_mean(np.array([0.04, 0.04]), 0.9, np.array([1, 15])).round(4).tolist()
    [0.04, 0.0253]
    """
    n = np.maximum(periods, 1.0)
    correlated = memory / (1 - memory) * (n - (1 - memory**n) / (1 - memory))
    out: Floats = variance * (n + 2 * correlated) / n**2
    return out


class Followed(NamedTuple):
    """The level of n series over W periods, each predicted from the periods before it."""

    factor: Floats  # [n, W], times the baseline
    error: Floats  # [n], relative variance of the last one


def follow(
    observed: Floats, mean: Floats, dispersion: Floats, *, variance: Floats, memory: float
) -> Followed:
    """Follow the level through W periods (a Kalman filter whose innovations are bounded).

    `observed`, `mean` and `dispersion` [n, W], a mean of 0 where nothing is known; `variance` [n] of the
    level.

    >>> counts = np.array([[100.0, 130, 130, 130, 130]])
    >>> normal, spread = np.full((1, 5), 100.0), np.full((1, 5), 2.0)
    >>> follow(counts, normal, spread, variance=np.array([0.02]), memory=0.9).factor.round(2).tolist()
    [[1.0, 1.0, 1.1, 1.15, 1.17]]
    """
    off, uncertainty = np.zeros(len(mean)), variance.copy()
    factor = np.ones_like(mean)
    for at in range(mean.shape[1]):
        factor[:, at] = np.maximum(1 + off, _LEAST)
        expected, last = mean[:, at], uncertainty
        known = expected > 0
        noise = dispersion[:, at] * factor[:, at] / np.maximum(expected, 1e-9)
        spread = uncertainty + noise
        surprise = (observed[:, at] - expected * factor[:, at]) / np.maximum(expected, 1e-9)
        most = _USUAL * np.sqrt(spread)
        gain = np.where(known, uncertainty / np.maximum(spread, 1e-12), 0.0)
        off = memory * (off + gain * np.clip(surprise, -most, most))
        uncertainty = memory**2 * (1 - gain) * uncertainty + (1 - memory**2) * variance
    return Followed(factor, last / np.square(factor[:, -1]))
