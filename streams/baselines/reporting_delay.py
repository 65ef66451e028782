"""Reporting delay: the share F(a) of a period's people that is known when the period is `a` periods old.

Learnt link by link, as reserves for late claims are (chain ladder: Mack 1993, ASTIN Bulletin 23:213; for late
reports of disease: Lawless 1994, Can J Stat 22:15): of those known by one edge of age, which share p was
known by the edge before? F is the product of the links beyond an age. A link is learnt as soon as a period
has passed its later edge, so nothing waits for a period to be complete.

     age    1        1.5        2        3
     F     .60 ─────▶ .80 ────▶ .90 ───▶ 1
              p=.75     p=.89    p=.90

Two sums a link give the mean of p, two more its second moment without the noise of small counts: with c of n
people known, E[c] = n·p and E[c(c - 1)] = n(n - 1)·p². So a link knows how much p differs from period to
period (reports that come in batches), and from the same sums how wrong its estimate may be. Sums fade by half
in HALF periods. A link that has seen too little stays at 1: nothing is taken to be late.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import Cadence
from streams.counting.reporting_triangle import EDGES, HORIZON, ReportingTriangle

HALF: Final = {Cadence.DAY: 28, Cadence.WEEK: 26, Cadence.MONTH: 12}  # periods
LEAST: Final = {Cadence.DAY: 6, Cadence.WEEK: 5, Cadence.MONTH: 4}  # periods, faded, that a link needs
SMALLEST: Final = 1e-3  # share; there F is all doubt
TRUSTED: Final = 1 / 16  # doubt up to which a count can be called high: F within a quarter of itself


class ReportedShare(NamedTuple):
    """F at some ages, and its relative variance: periods that differ, and the error of the estimate."""

    share: Floats
    doubt: Floats


class DelayTotals(NamedTuple):
    """The reporting delay of one series, as learnt so far."""

    sums: Floats  # [5, links]: Σc, Σn, Σc(c - 1), Σn(n - 1), Σ1
    learnt: NDArray[np.int64]  # [links], the last period that each has learnt from

    @classmethod
    def empty(cls, cadence: Cadence, first: int) -> Self:
        """Return a delay of which nothing is known; it is learnt from period `first` on."""
        links = len(EDGES[cadence]) - 1
        return cls(np.zeros((5, links)), np.full(links, first - 1))

    def learn(self, triangle: ReportingTriangle, now: float) -> "DelayTotals":
        """Return it with all periods that have passed another edge by `now` (in periods)."""
        cadence = triangle.cadence
        sums, fade = self.sums.copy(), 0.5 ** (1 / HALF[cadence])
        passed = np.floor(now - np.array(EDGES[cadence][1:])).astype(np.int64)
        learnt = np.minimum(np.maximum(self.learnt, triangle.last - HORIZON[cadence] - 1), passed)
        while (due := np.flatnonzero(learnt < passed)).size:
            learnt[due] += 1
            by = triangle.by_edge(learnt[due])
            row = np.arange(due.size)
            n = np.maximum(by[row, due + 1], 0)
            c = np.clip(by[row, due], 0, n)  # people who were taken back never count
            seen = np.stack([c, n, c * (c - 1), n * (n - 1), np.ones_like(n)])
            sums[:, due] = np.where(n > 0, sums[:, due] * fade + seen, sums[:, due])
        return DelayTotals(sums, np.maximum(learnt, self.learnt))


def reported_share(sums: Floats, cadence: Cadence) -> ReportedShare:
    """Return F at each edge [..., edges] from sums [..., 5, links]."""
    c, n, cc, nn, rows = np.moveaxis(sums, -2, 0)
    known = rows >= LEAST[cadence]
    mean = np.where(known, c / np.maximum(n, 1e-9), 1.0)
    inside = (c + 0.5) / (n + 1)
    noise = inside * (1 - inside)
    # Up to one standard error is chance and no difference between periods.
    differ = cc / np.maximum(nn, 1.0) - mean**2 - noise * np.sqrt(2 / np.maximum(nn, 1.0))
    differ = np.where(known & (mean < 1), np.maximum(differ, 0.0), 0.0)
    error = (noise + differ * nn / np.maximum(n, 1.0)) / np.maximum(n, 1.0)
    second = mean**2 + differ + np.where(known & (mean < 1), error, 0.0)
    share = np.maximum(_beyond(mean), SMALLEST)
    doubt = np.clip(_beyond(np.minimum(second, mean)) / share**2 - 1, 0.0, 1 / share - 1)
    return ReportedShare(share, np.where(share > SMALLEST, doubt, 1 / SMALLEST - 1))


def _beyond(links: Floats) -> Floats:
    """Return at each edge the product of the links after it."""
    products = np.cumprod(links[..., ::-1], axis=-1)[..., ::-1]
    out: Floats = np.concatenate([products, np.ones((*links.shape[:-1], 1))], axis=-1)
    return out


def at(edges: ReportedShare, cadence: Cadence, ages: Floats) -> ReportedShare:
    """Return reported shares [n, edges] at ages [n, W]: linear between edges; nothing is known at age 0."""
    knots = np.array((0.0, *EDGES[cadence]))
    right = np.clip(np.searchsorted(knots, ages), 1, len(knots) - 1)
    part = np.clip((ages - knots[right - 1]) / (knots[right] - knots[right - 1]), 0.0, 1.0)

    def between(values: Floats, first: float) -> Floats:
        padded = np.insert(values, 0, first, axis=1)
        left, after = (np.take_along_axis(padded, column, 1) for column in (right - 1, right))
        return np.asarray(left + (after - left) * part)

    share = between(edges.share, SMALLEST)
    return ReportedShare(share, np.minimum(between(edges.doubt, 1 / SMALLEST - 1), 1 / share - 1))


def thinned(mean: Floats, dispersion: Floats, known: ReportedShare) -> tuple[Floats, Floats]:
    """Return mean and dispersion of the part of a count that is reported.

    If a count has mean μ and variance φ·μ, and each of its people is reported with chance F, the part
    reported is again negative binomial, with mean F·μ and dispersion 1 + F(φ - 1). Where F itself has the
    relative variance d, the variance is F·μ·(1 + F(1 + d)(φ - 1)) + d·(F·μ)². The last term is not in what is
    returned: one delay hits neighbouring periods alike, so it does not add up as the others do (`pooled`).

    >>> thinned(np.array([40.0]), np.array([2.0]), ReportedShare(np.array([0.6]), np.zeros(1)))
    (array([24.]), array([1.6]))
    """
    both = np.minimum(known.share * (1 + known.doubt), 1.0)  # that two people of one period are known, / F
    return mean * known.share, 1 + both * (dispersion - 1)


def pooled(mean: Floats, dispersion: Floats, doubt: Floats, windows: Sequence[int]) -> Floats:
    """Return the dispersion of the last periods together [n, windows], from those of each [n, W]."""
    found = []
    for length in windows:
        people = np.maximum(mean[:, -length:].sum(1), 1e-9)
        own = (mean * dispersion)[:, -length:].sum(1)
        found.append((own + (mean * np.sqrt(doubt))[:, -length:].sum(1) ** 2) / people)
    out: Floats = np.maximum(np.stack(found, 1), 1.0)
    return out
