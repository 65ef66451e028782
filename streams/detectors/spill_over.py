"""Spill-over: what was high upstream some days ago is high here now.

The lag is found in history: the cross-correlation of the two sectors' residuals (Box & Jenkins 1970, ch.
11), as normal scores of their ranks, so that one burst cannot make a correlation. Its significance is
Fisher's z with Bartlett's (1935) effective length where both have memory of their own, corrected (Šidák)
for having looked at every lag of every upstream sector. A verdict needs three things at once: a lag in
history, the upstream sector high at that lag, this sector high now. The last two are independent on the
null, so both being under p has the chance p²; the verdict's p-value is the larger of that and of the lag's
(Berger 1982, Technometrics 24:295).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from streams.baselines.negative_binomial import Floats, mid
from streams.detectors import BorderView, Details, Finding

LAGS = 14  # periods
SHORTEST = 28  # periods that both must have been watched for
WIDEST = 4.0  # normal score at which residuals are cut off


class Spill(NamedTuple):
    """For each pair (upstream, here): lag in periods (0: none), its corrected p, p of the verdict."""

    lag: NDArray[np.int64]
    p_lag: Floats
    p_value: Floats


def judge(residuals: Floats, pairs: NDArray[np.int64], looked_at: int, lags: int = LAGS) -> Spill:
    """Judge pairs of sectors on the newest period.

    Args:
        residuals: counts against their baselines as normal scores, shape (sectors, periods), oldest first.
        pairs: rows (upstream, here) into the sectors.
        looked_at: pairs that share the alarm budget.
        lags: the longest lag.

    >>> waves = np.sin(np.arange(60) ** 1.5)  # no rhythm
    >>> here = np.roll(waves, 9) * 2
    >>> upstream = waves * 2
    >>> upstream[-10], here[-1] = 3.0, 3.0
    >>> spill = judge(np.stack([upstream, here]), np.array([[0, 1]]), looked_at=1)
    >>> spill.lag.tolist(), bool(spill.p_value[0] < 0.01)
    ([9], True)
    """
    periods, count = residuals.shape[1], len(pairs)
    if count == 0 or periods < SHORTEST + lags:
        nothing = np.ones(count)
        return Spill(np.zeros(count, np.int64), nothing, nothing.copy())
    upstream, here = residuals[pairs[:, 0]], residuals[pairs[:, 1]]
    z = np.stack([_fisher(_scores(upstream[:, :-lag]), _scores(here[:, lag:])) for lag in range(1, lags + 1)])
    best = z.argmax(0)
    p_lag = -np.expm1(looked_at * lags * np.log1p(-np.minimum(ndtr(-z.max(0)), 1 - 1e-16)))
    high_then = ndtr(-upstream[np.arange(count), periods - 2 - best])
    high_now = ndtr(-here[:, -1])
    both = np.maximum(high_then, high_now) ** 2
    p_high = -np.expm1(looked_at * np.log1p(-np.minimum(both, 1 - 1e-16)))
    return Spill(best + 1, p_lag, np.maximum(p_lag, p_high))


def _scores(values: Floats) -> Floats:
    """Ranks as quantiles of the normal distribution, along the last axis; mean 0."""
    return np.asarray(ndtri((rankdata(values, axis=-1) - 0.5) / values.shape[-1]))


def _fisher(one: Floats, other: Floats) -> Floats:
    """Normal score of the correlation of each row of one with the same row of the other."""
    length = one.shape[-1]
    correlation = _correlation(one, other)
    memory = np.clip(
        _correlation(one[:, 1:], one[:, :-1]) * _correlation(other[:, 1:], other[:, :-1]), 0, 0.95
    )
    effective = length * (1 - memory) / (1 + memory)
    return np.asarray(
        np.arctanh(np.clip(correlation, -0.999999, 0.999999)) * np.sqrt(np.maximum(effective - 3, 0))
    )


def _correlation(one: Floats, other: Floats) -> Floats:
    scale = np.sqrt((one**2).sum(-1) * (other**2).sum(-1))
    return np.asarray((one * other).sum(-1) / np.maximum(scale, 1e-12))


def detect(view: BorderView, alpha: Floats) -> Finding:
    """Judge every sector that has others upstream, by the one of them that explains most."""
    linked, links = np.unique(view.pairs, return_inverse=True)
    links = links.reshape(-1, 2)
    found = judge(_residuals(view, linked), links, len(links))
    best = _best(view, found)
    asked, p_value = best >= 0, np.ones(len(best))
    p_value[asked] = found.p_value[best[asked]]
    window = np.ones(len(best), np.int64)
    observed, expected, dispersion = view.sums(window)

    def details(row: int) -> Details:
        source, lag = int(view.pairs[best[row], 0]), int(found.lag[best[row]])
        periods = f"{lag} {view.cadence}" + ("s" if lag != 1 else "")
        return Details(
            neighbours=view.beside([source], window=1, lag=lag),
            remark=f"upstream {view.names[source]} led by {periods}",
        )

    return Finding(
        breach=asked & (p_value <= alpha),
        p_value=p_value,
        alpha=alpha,
        observed=observed,
        expected=expected,
        dispersion=dispersion,
        window=window,
        asked=asked,
        details=details,
    )


def _best(view: BorderView, found: Spill) -> NDArray[np.int64]:
    """Return by sector the pair that explains most of it; -1 where none leads to it."""
    best = np.full(len(view.ids), -1)
    for here in np.unique(view.pairs[:, 1]):
        rows = np.flatnonzero(view.pairs[:, 1] == here)
        best[here] = rows[found.p_value[rows].argmin()]
    return best


def _residuals(view: BorderView, rows: NDArray[np.int64]) -> Floats:
    """Normal scores of the counts of some sectors; 0 where nothing is known."""
    observed, mean, dispersion = view.observed[rows], view.mean[rows], view.dispersion[rows]
    p = np.clip(mid(observed, mean, np.maximum(dispersion, 1.0)), 1e-9, 1 - 1e-9)
    return np.where(mean > 0, np.clip(-ndtri(p), -WIDEST, WIDEST), 0.0)
