"""Displacement: fewer people here, more next door.

One sector is significantly below what is expected and its neighbours together are significantly above:
enforcement, a treaty or weather has moved the flow and not only stopped it (the "balloon effect"). It moves
as a whole or in part: at least a tenth of those who are missing have to be found next door. And where most of
those next door cannot be the missing ones, it is a surge there and no displacement.

Both halves must hold (intersection-union test: Berger 1982, Technometrics 24:295), so the larger of their
two p-values counts. Where one half is true (there is a surge next door) and the other a whim, the chance of
that is p, over the windows that were looked at. Where neither is true, a sector and its neighbours being
independent, it is p², over the windows of all sectors from which people are expected. The verdict's p-value
is the larger of both, each corrected by Šidák.

Days and neighbours are not independent where the level strays or the weather is shared: each half is given
the variance that its sums had in the past (`baselines/straying.py`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.algebra import times
from streams.baselines.negative_binomial import Floats, at_least, at_most
from streams.baselines.straying import Residuals, straying
from streams.detectors import BorderView, Details, Finding, is_large, named

SMALLEST = 1e-9  # a baseline of nothing at all divides nothing
WINDOWS = (1, 3, 7)  # periods, as the scan's: a part of a flow that moves is seen in one day or in a week
FOUND = 0.1  # of the people missing here, at least so many are too many next door
EXPLAINED = 0.5  # of the people too many next door, at least so many are missing here


class Displacement(NamedTuple):
    """By sector, as the one that people have left: corrected p, people missing, people too many next door.

    All of the window with the smallest p.
    """

    p_value: Floats
    missing: Floats
    gained: Floats
    window: NDArray[np.int64]
    straying: Floats  # relative variance of the sector's window, beyond that of its periods


def judge(
    observed: Floats,
    mean: Floats,
    dispersion: Floats,
    adjacent: NDArray[np.bool_],
    *,
    past: Residuals | None = None,
) -> Displacement:
    """Judge the newest period of the n sectors of a border; `adjacent[i, j]`: j is a neighbour of i.

    The other arrays are of shape (sectors, periods), oldest first; `past` is of the periods before them.

    >>> line = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    >>> mean = np.full((3, 1), 100.0)
    >>> judge(np.array([[100.0], [40], [160]]), mean, mean / 50, line).p_value.round(6).tolist()
    [1.0, 0.002523, 1.0]
    """
    windows = [window for window in WINDOWS if window <= mean.shape[1]]
    judged, strayed = [], []
    for window in windows:
        y, mu, variance = (each[:, -window:].sum(1) for each in (observed, mean, mean * dispersion))
        here, beside = _strayed(past, adjacent, window)
        judged.append(_judge(y, mu, variance, adjacent, here=here, beside=beside))
        strayed.append(here)
    p, missing, gained = (np.stack(figure) for figure in zip(*judged, strict=True))
    best = p.argmin(0)
    of_best = best, np.arange(len(mean))
    alone = _any_of(len(windows), p[of_best])
    sectors = int(np.count_nonzero(mean[:, -1] > SMALLEST))
    anywhere = _any_of(len(windows) * sectors, p[of_best] ** 2)
    return Displacement(
        np.maximum(alone, anywhere),
        missing[of_best],
        gained[of_best],
        np.array(windows)[best],
        np.stack(strayed)[of_best],
    )


def _strayed(past: Residuals | None, adjacent: NDArray[np.bool_], window: int) -> Floats:
    """Relative variance that sums had in the past beyond their periods' [2, sectors]: here, and beside."""
    n = len(adjacent)
    if past is None:
        return np.zeros((2, n))
    sets = np.concatenate([np.eye(n, dtype=bool), adjacent])
    return straying(past, sets, window).reshape(2, n)


def _judge(
    y: Floats, mean: Floats, variance: Floats, adjacent: NDArray[np.bool_], *, here: Floats, beside: Floats
) -> tuple[Floats, Floats, Floats]:
    """One window: p without correction, people missing, people too many next door; all by sector."""
    mu = np.maximum(mean, SMALLEST)
    variance = np.maximum(variance, mu)
    seen, expected, spread = times(np.stack([y, mu, variance]), adjacent.T.astype(np.float64))
    normal = np.maximum(expected, SMALLEST)
    missing, gained = mu - y, seen - normal
    low = at_most(y, mu, variance / mu + mu * here)
    high = at_least(seen, normal, spread / normal + normal * beside)
    moved = (gained >= FOUND * missing) & (missing >= EXPLAINED * gained)
    possible = (missing > 0) & (gained > 0) & moved
    return np.where(possible, np.maximum(low, high), 1.0), missing, gained


def _any_of(looked_at: int, p: Floats) -> Floats:
    """The chance that any of so many independent looks gives p or less."""
    certain = p >= 1
    return np.where(certain, 1.0, -np.expm1(looked_at * np.log1p(-np.where(certain, 0.0, p))))


def detect(view: BorderView, alpha: Floats) -> Finding:
    """Judge every sector as the one that people have left.

    Where people are missing beside a sector without data, only a breach is an answer: they may be there.
    """
    seen = view.window(max(WINDOWS))
    past = view.before(max(WINDOWS))
    found = judge(seen.observed, seen.mean, seen.dispersion, seen.adjacent, past=past)
    observed, expected, dispersion = seen.sums(found.window)
    breach = found.p_value <= alpha
    may_be_beside = (view.adjacent & view.missing).any(1) & is_large(expected, observed)

    def details(row: int) -> Details:
        window = int(found.window[row])
        near = np.flatnonzero(seen.adjacent[row])
        more = (seen.observed - seen.mean)[near, -window:].sum(1)
        order = [int(at) for at in np.lexsort((near, -more)) if seen.mean[near[at], -1] > 0]
        where = named([seen.names[near[at]] for at in order if more[at] >= 1], " and ")
        moved = f"{found.missing[row]:.0f} fewer here, {found.gained[row]:.0f} more at {where}"
        return Details(
            neighbours=seen.beside(near[order].tolist(), window=window), remark=moved if breach[row] else ""
        )

    return Finding(
        breach=breach,
        p_value=found.p_value,
        alpha=alpha,
        observed=observed,
        expected=expected,
        dispersion=dispersion + expected * found.straying,
        window=found.window,
        asked=breach | ~may_be_beside,
        details=details,
    )
