"""Scan: several sectors side by side that are high together, none of them enough by itself.

Expectation-based Poisson scan: Neill (2009), Int J Forecast 25:498. Every set of a sector and its
neighbours (and theirs), over the last 1, 3 and 7 periods, is scored F = C log(C / B) + B - C where its
count C is above its baseline B, divided by its overdispersion. The p-value of the highest score is that of
the highest scores of replicates drawn from the baselines themselves, with a fixed seed, and beyond them by
a Gumbel tail (Abrams, Kulldorff & Kleinman 2010, Int J Health Geogr 9:61).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.algebra import times
from streams.baselines.negative_binomial import Floats
from streams.detectors import BorderView, Details, Finding, named

SMALLEST = 1e-9  # a baseline of nothing at all divides nothing
WINDOWS = (1, 3, 7)
REPLICATES = 499
HOPS = 2
_SEED = 20090401  # any; fixed, so that the same counts always get the same p


class Scan(NamedTuple):
    """The set that stands out most: its sectors, window, count, baseline; and how surprising it is."""

    members: NDArray[np.bool_]
    window: int
    observed: float
    expected: float
    score: float
    p_value: float


def zones(adjacent: NDArray[np.bool_], hops: int = HOPS) -> NDArray[np.bool_]:
    """Sets to look at, shape (sets, sectors): each sector with all within 0, 1, ... hops; no set twice.

    >>> zones(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool), hops=1).astype(int).tolist()
    [[0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    reach = np.eye(len(adjacent), dtype=bool)
    found = [reach]
    for _ in range(hops):
        reach = reach | (reach @ adjacent)
        found.append(reach)
    return np.unique(np.concatenate(found), axis=0)


def judge(observed: Floats, mean: Floats, dispersion: Floats, sets: NDArray[np.bool_]) -> Scan:
    """Judge the newest period of n sectors; all arrays of shape (sectors, periods), oldest first.

    >>> line = zones(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool), hops=1)
    >>> mean = np.full((3, 7), 20.0)
    >>> counts = mean.copy(); counts[:2, -3:] += 10
    >>> found = judge(counts, mean, np.full((3, 7), 1.2), line)
    >>> found.members.tolist(), found.window, found.p_value < 0.01
    ([True, True, False], 3, True)
    """
    windows = [window for window in WINDOWS if window <= mean.shape[1]]
    mean = np.maximum(mean, SMALLEST)
    phi = np.maximum(dispersion, 1.0)
    scores = _scores(observed[None], mean, phi, sets=sets, windows=windows)[0]
    at, which = np.unravel_index(int(scores.argmax()), scores.shape)
    null = _scores(_replicates(mean, phi), mean, phi, sets=sets, windows=windows).max((1, 2))
    members, length = sets[which], windows[at]
    return Scan(
        members,
        length,
        float(observed[members, -length:].sum()),
        float(mean[members, -length:].sum()),
        float(scores[at, which]),
        _p_value(float(scores[at, which]), null),
    )


def _scores(
    counts: Floats, mean: Floats, phi: Floats, *, sets: NDArray[np.bool_], windows: list[int]
) -> Floats:
    """Score by replicate, window and set."""
    choose = sets.T.astype(np.float64)
    out = []
    for window in windows:
        seen = times(counts[..., -window:].sum(-1), choose)
        expected = np.stack([mean[:, -window:].sum(-1), (mean * phi)[:, -window:].sum(-1)])
        normal, variance = times(expected, choose)
        normal = np.maximum(normal, SMALLEST)
        spread = np.maximum(variance / normal, 1.0)
        above = np.maximum(seen, normal)
        out.append((above * np.log(above / normal) + normal - above) / spread)
    return np.stack(out, axis=1)


def _replicates(mean: Floats, phi: Floats) -> Floats:
    """Counts drawn from the baselines, shape (replicates, sectors, periods): a gamma-mixed normal of each."""
    uniform = _uniforms(*mean.shape)
    # The Wilson-Hilferty cube of a normal has the gamma's mean, variance and skewness and needs no rejection.
    shape = mean / phi
    cube = 1 - 1 / (9 * shape) + uniform / (3 * np.sqrt(shape))
    return np.asarray(phi * shape * np.maximum(cube, 0.0) ** 3)


@lru_cache(maxsize=8)
def _uniforms(sectors: int, periods: int) -> Floats:
    """Standard normal draws, always the same for a shape."""
    return np.random.default_rng(_SEED).standard_normal((REPLICATES, sectors, periods))


def _p_value(score: float, null: Floats) -> float:
    """By rank among the replicates, and beyond them by the Gumbel tail fitted to them."""
    if score <= 0:
        return 1.0
    rank = float((1 + np.count_nonzero(null >= score)) / (1 + len(null)))
    if rank > 10 / len(null):
        return rank
    scale = max(float(null.std()) * np.sqrt(6) / np.pi, 1e-9)
    place = float(null.mean()) - np.euler_gamma * scale
    tail = float(-np.expm1(-np.exp(-(score - place) / scale)))
    return min(max(tail, 0.0), rank)


def detect(view: BorderView, alpha: Floats) -> Finding:
    """Judge the sectors of a border that are no surge by themselves: others have their alerts already.

    While one of the cluster that stands is without data, only a breach is an answer: it may be high still.
    """
    seen = view.window(max(WINDOWS))
    known = np.flatnonzero((seen.mean[:, -1] > 0) & ~seen.alarm.any(1) & seen.own)
    level = alpha[:1]
    if not len(known):
        return _nothing(view, level)
    mean, dispersion = seen.mean[known], seen.dispersion[known]
    found = judge(seen.observed[known], mean, dispersion, zones(seen.adjacent[np.ix_(known, known)]))
    inside = known[found.members].tolist()
    variance = (mean * dispersion)[found.members, -found.window :].sum()

    def details(row: int) -> Details:
        together = named([seen.names[at] for at in inside], ", ")
        return Details(neighbours=seen.beside(inside, window=found.window), remark=f"together: {together}")

    breach = np.array([found.p_value <= level[0] and len(inside) > 1])
    return Finding(
        breach=breach,
        p_value=np.array([found.p_value]),
        alpha=level,
        observed=np.array([found.observed]),
        expected=np.array([found.expected]),
        dispersion=np.array([variance / found.expected if found.expected > 0 else 1.0]),
        window=np.array([found.window]),
        asked=breach | ~(view.together & view.missing).any(),
        details=details,
        places=(view.border,),
        members=[seen.ids[at] for at in inside],
    )


def _nothing(view: BorderView, alpha: Floats) -> Finding:
    """There is no sector to look at."""
    return Finding(
        breach=np.zeros(1, bool),
        p_value=np.ones(1),
        alpha=alpha,
        observed=np.zeros(1),
        expected=np.zeros(1),
        dispersion=np.ones(1),
        window=np.ones(1, np.int64),
        asked=np.zeros(1, bool),
        places=(view.border,),
    )
