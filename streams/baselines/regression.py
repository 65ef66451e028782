"""The robust regression: what a series of counts does by trend, season, weekday, holidays and steps.

Negative binomial with variance φ·mean and a log-linear mean, fitted by iteratively reweighted least squares
for many series at once. Past surges are weighed down by their Anscombe residuals (Farrington et al. 1996;
Noufaily et al. 2013), three times over, so that heavy ones cannot hide behind themselves. Each coefficient
has a weak normal prior: it decides where there is little history, and nothing where there is much.
"""

from copy import copy
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.design_matrix import FIRST
from streams.baselines.dispersion import UNUSUAL, Reals, anscombe, wander, weights, whole
from streams.baselines.negative_binomial import Floats
from streams.baselines.priors import MOVING, Prior

ROUNDS: Final = 3
NEAR: Final = 0.01  # squared standard errors that a last step may go: what would follow is far less
MOST: Final = 25  # steps of a round
ROWS: Final = 32  # that are multiplied at once
_FARTHEST: Final = 1e3  # working response; less would pull the level of a sparse series below its mean
_TELLING: Final = 0.05  # mean below which a period says nothing of the dispersion


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was learnt of n series: k shared terms, and s steps of each."""

    coefficients: Floats  # [n, k + s]
    covariance: Floats  # [n, k + s, k + s]
    dispersion: Floats  # [n], φ ≥ 1
    down_weighted: Floats  # [n], past periods held to be surges
    wander: Floats  # [n], relative variance of the level between blocks of periods; 0 if not asked


class Expectation(NamedTuple):
    """What n series are expected to be."""

    mean: Floats  # [n, h]
    error: Floats  # [n], relative variance of the last mean's estimate


def expect(coefficients: Floats, covariance: Floats, *, design: Floats, steps: Floats) -> Expectation:
    """Work out h periods of n series from their fits; `design` is [h, k], `steps` [n, h, s]."""
    k = design.shape[1]
    eta = coefficients[:, :k] @ design.T
    eta = eta + (steps @ coefficients[:, k:, None])[..., 0]
    last = np.hstack([np.broadcast_to(design[-1], (len(eta), k)), steps[:, -1]])
    error = ((last[:, None] @ covariance)[:, 0] * last).sum(1)
    return Expectation(np.exp(np.clip(eta, -20, 20)), np.maximum(error, 0))


class Shared:
    """Terms that T periods have for all series, and the products of them with each other."""

    def __init__(self, x: Floats) -> None:
        self.x = x.astype(np.float32)
        # One half of a symmetric matrix, but for terms that never meet, as two weekdays do not.
        row, column = np.triu_indices(x.shape[1])
        squares = self.x[:, row] * self.x[:, column]
        some = squares.any(0)
        self.squares, self.row, self.column = squares[:, some], row[some], column[some]


def fit(
    counts: Reals,
    present: Reals,
    *,
    shared: Shared,
    steps: Floats,
    prior: Prior,
    block: int = 0,
    harmonics: int = 0,
    moving: bool = False,
) -> Fit:
    """Fit n series of T periods.

    `counts` [n, T]; `present` [n, T] is how much a period of the history counts, 0 where it does not;
    `shared` k terms, `harmonics` pairs of them seasons (and as many their `moving`); `steps` [n, T, s];
    `prior` of the k + s terms. The fit of a series is the same to the last bit, whatever the others are.
    """
    # Single precision costs half, and has more digits than counts can tell of.
    counts, present = counts.astype(np.float32), present.astype(np.float32)
    known = np.maximum(present.sum(1), 1)
    beta, held = prior.centre.copy(), prior.precision
    beta[:, 0] = prior.start
    gram, phi = _Gram(shared, steps), prior.dispersion
    weight, mean = present.copy(), np.exp(gram.eta(beta))
    for round_ in range(ROUNDS + 1):
        certainty = weight * (1 / phi[:, None]).astype(np.float32)
        precision = _climb(gram, beta, mean, counts, certainty, prior.centre, held)
        pearson = np.square(counts - mean) / np.maximum(mean, 1e-6)
        # Where next to nobody is ever expected (a closed day), nothing is learnt of the scatter.
        telling = weight * (mean > _TELLING)
        # Where a series is young, its priors hold most terms, and what is held is not estimated.
        own = 1 - held / np.diagonal(precision, axis1=1, axis2=2)
        terms = np.where(prior.young, own.sum(1), held.shape[1])
        freedom = np.maximum(telling.sum(1) - terms, 0.25 * telling.sum(1))
        weighed = (telling * pearson).sum(1) / np.maximum(freedom, 1e-9)
        seen = np.maximum(whole(weighed, mean) if round_ else weighed, 1.0)
        phi = (seen * freedom + prior.dispersion * prior.weight) / (freedom + prior.weight)
        if round_ == 0 and harmonics:
            covariance = np.asarray(np.linalg.inv(precision))
            held = _shrunk(held, beta - prior.centre, covariance, harmonics, moving)
        if round_ < ROUNDS:
            weight = present * weights(counts, mean, phi[:, None])
            weight *= (known / np.maximum(weight.sum(1), 1e-9))[:, None]
    covariance = np.asarray(np.linalg.inv(precision))
    down = (present > 0) & (anscombe(counts, mean, phi[:, None]) > UNUSUAL)
    stray = wander(weight * (counts - mean), weight * mean, phi, block)
    return Fit(
        coefficients=beta,
        covariance=covariance,
        dispersion=phi,
        down_weighted=down.sum(1).astype(float),
        wander=stray,
    )


def _climb(
    gram: "_Gram", beta: Floats, mean: Reals, counts: Reals, certainty: Reals, centre: Floats, held: Floats
) -> Floats:
    """Step by step (Fisher scoring) to the most likely coefficients; their precision at the last step.

    `beta` and `mean` are brought along. Each series goes on until it is there, with those that are not.
    """
    precision = np.empty((*beta.shape, beta.shape[1]))
    far = np.arange(len(beta))
    for _ in range(MOST):
        # All of them are looked at where they lie: a copy would cost an eighth of the fits.
        on: slice | NDArray[np.intp] = slice(None) if len(far) == len(beta) else far
        here, sure, seen, expected = gram.of(on), certainty[on], counts[on], mean[on]
        precision[on] = here.product(sure * expected, held[on])
        # A count in a zero stretch must not throw the step out of range.
        score = here.moment(sure * np.minimum(seen - expected, _FARTHEST * expected))
        score -= held[on] * (beta[on] - centre[on])
        step = np.linalg.solve(precision[on], score[..., None])[..., 0]
        beta[on] += step
        mean[on] = np.exp(np.clip(here.eta(beta[on]), -20, 20))
        far = far[(step * score).sum(1) > NEAR]
        if not len(far):
            break
    return precision


def _shrunk(held: Floats, off: Floats, covariance: Floats, harmonics: int, moving: bool) -> Floats:
    """Precisions by which harmonics that the series does not have cost it nothing.

    Empirical Bayes: what a sine and its cosine are, beyond what the error of their estimates makes of
    nothing, is the variance of their prior (James & Stein 1961; for groups: Efron & Morris 1973, JASA
    68:117). What moves from year to year is a share of that.
    """
    at = slice(FIRST, FIRST + 2 * harmonics)
    pairs = (len(off), harmonics, 2)
    error = np.diagonal(covariance, axis1=1, axis2=2)[:, at].reshape(pairs).mean(2)
    size = np.square(off[:, at]).reshape(pairs).mean(2) - error
    least = np.repeat(1 / np.maximum(size, 0.01 * error), 2, axis=1)
    out = held.copy()
    out[:, at] = np.maximum(out[:, at], least)
    if moving:
        out[:, at.stop : at.stop + 2 * harmonics] = least / MOVING**2
    return out


class _Gram:
    """Weighted cross products of shared terms and of each series' steps, without a copy per series."""

    def __init__(self, shared: Shared, steps: Floats) -> None:
        self._shared, self._x, self._k = shared, shared.x, shared.x.shape[1]
        self._size = self._k + steps.shape[2]
        # Most series have no steps at all, and columns of nothing cost as much as others.
        self._s = steps.shape[2] if steps.any() else 0
        self._steps = steps.astype(np.float32)

    def of(self, series: slice | NDArray[np.intp]) -> "_Gram":
        """The same for some of the series."""
        some = copy(self)
        some._steps = self._steps[series]
        return some

    def eta(self, beta: Reals) -> Reals:
        beta = beta.astype(np.float32)
        shared = _times(beta[:, : self._k], self._x.T)
        if self._s:
            shared += (self._steps @ beta[:, self._k :, None])[..., 0]
        return shared

    def moment(self, values: Reals) -> Floats:
        out = np.zeros((len(values), self._size))
        out[:, : self._k] = _times(values, self._x)
        if self._s:
            out[:, self._k :] = (values[:, None] @ self._steps)[:, 0]
        return out

    def product(self, weight: Reals, diagonal: Floats) -> Floats:
        """Of all terms with each other, a `diagonal` added."""
        k, row, column = self._k, self._shared.row, self._shared.column
        out = np.zeros((len(weight), self._size, self._size))
        out[:, row, column] = out[:, column, row] = _times(weight, self._shared.squares)
        for at in range(self._s):
            weighted = weight * self._steps[:, :, at]
            out[:, :k, k + at] = out[:, k + at, :k] = _times(weighted, self._x)
            out[:, k + at, k:] = (weighted[:, None] @ self._steps)[:, 0]
        out[:, range(self._size), range(self._size)] += diagonal
        return out


def _times(values: Reals, matrix: Reals) -> Reals:
    """`values` [n, i] @ `matrix` [i, k], some rows at a time and filled up to as many.

    In what order a library sums depends on the shapes that it is given. With one shape for all, what comes
    out for a row does not depend on how many others there are, and a replay finds the same models.
    """
    n, inner = values.shape
    blocks = np.zeros((-(-n // ROWS), ROWS, inner), np.float32)
    blocks.reshape(-1, inner)[:n] = values
    return np.asarray((blocks @ matrix).reshape(-1, matrix.shape[1])[:n])
