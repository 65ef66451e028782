"""The robust regression of counts on trend, season, weekday, holidays and steps.

Negative binomial with variance φ·mean and a log-linear mean, fitted by iteratively reweighted least squares
for many series at once. Past surges are down-weighted by their Anscombe residuals (Farrington et al. 1996;
Noufaily et al. 2013), in three rounds, so that large ones cannot mask themselves. Each coefficient has a weak
normal prior: it decides where there is little history, and hardly matters where there is much.
"""

from copy import copy
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines import algebra
from streams.baselines.algebra import GRAIN, Factors, Reals, rounded
from streams.baselines.calibration import KNOWN, PRIOR_FREEDOM, degrees_of_freedom, heaviness
from streams.baselines.design_matrix import FIRST
from streams.baselines.dispersion import UNUSUAL, anscombe, block_variance, unweighted, weights
from streams.baselines.level import level_variance
from streams.baselines.negative_binomial import Floats
from streams.baselines.priors import MOVING, Prior

Rows = slice | NDArray[np.intp]
Bools = NDArray[np.bool_]

ROUNDS: Final = 3
NEAR: Final = 0.01  # squared standard errors that the last step may have: further ones are far smaller
MOST: Final = 25  # steps in a round
OVERSHOOT: Final = 10.0  # times the highest count, beyond which a step went too far
HALVINGS: Final = 12  # of a step, at most
_FARTHEST: Final = 1e3  # working response; less would pull the level of a sparse series below its mean
_SELDOM: Final = 0.25  # of all periods
_TELLING: Final = 0.05  # mean below which a period holds no information on the dispersion


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was learnt of n series: k shared terms, and s steps of each."""

    coefficients: Floats  # [n, k + s]
    covariance: Floats  # [n, k + s, k + s]
    dispersion: Floats  # [n], φ ≥ 1
    down_weighted: Floats  # [n], past periods taken for surges
    block_variance: Floats  # [n], relative variance of the level between blocks of periods; 0 if not fitted
    level_variance: Floats  # [n], relative variance of the level from period to period; 0 if not fitted
    tail: Floats  # [n], how much heavier the upper tail is than the negative binomial's; 1 if not fitted
    freedom: Floats  # [n], degrees of freedom of the dispersion; KNOWN if not fitted


class Expectation(NamedTuple):
    """The expected counts of n series."""

    mean: Floats  # [n, h]
    error: Floats  # [n], relative variance of the last mean's estimate


def expect(coefficients: Floats, covariance: Floats, *, design: Floats, steps: Floats) -> Expectation:
    """Compute h periods of n series from their fits; `design` is [h, k], `steps` [n, h, s]."""
    k = design.shape[1]
    eta = algebra.times(coefficients[:, :k], design.T)
    for at, effect in enumerate(coefficients[:, k:].T):
        eta += steps[:, :, at] * effect[:, None]
    last = np.hstack([np.broadcast_to(design[-1], (len(eta), k)), steps[:, -1]])
    error = (np.einsum("nij,nj->ni", covariance, last) * last).sum(1)
    return Expectation(np.exp(np.clip(eta, -20, 20)), np.maximum(error, 0))


class Shared:
    """Terms that T periods have for all series, and the products of them with each other."""

    def __init__(self, x: Floats) -> None:
        self.x = x
        # Terms that are 0 in most periods, such as weekdays, are summed over the other periods alone.
        often = (x != 0).mean(0) > _SELDOM
        row, column = np.triu_indices(int(np.count_nonzero(often)))
        self._row, self._column = np.flatnonzero(often)[row], np.flatnonzero(often)[column]
        self._squares = x[:, self._row] * x[:, self._column]
        self._seldom = [
            (term, at, x[at] * x[at, term, None])
            for term in np.flatnonzero(~often)
            if len(at := np.flatnonzero(x[:, term]))
        ]
        self._width = float(np.square(x).sum(0).max()) / GRAIN**2

    def products(self, weight: Reals, out: Floats) -> None:
        """Sums of `weight` [n, T] times each two terms, into the upper half of `out` [k, k, n]."""
        exact = rounded(weight, self._width)
        out[self._row, self._column] = self._squares.T @ exact.T
        for term, at, products in self._seldom:
            sums = products.T @ exact.take(at, axis=1).T
            out[:term, term], out[term, term : len(sums)] = sums[:term], sums[term:]


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
    memory: float = 0.0,
) -> Fit:
    """Fit n series of T periods.

    `counts` [n, T]; `present` [n, T] is how much a period of the history counts, 0 where it does not;
    `shared` k terms, `harmonics` pairs of them seasons (and as many their `moving`); `steps` [n, T, s];
    `prior` of the k + s terms; `memory` of a local level (0: none).
    The fit of a series is the same to the last bit, whatever the others are.
    """
    # Single precision costs half, and is more precise than counts are.
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
        # Periods in which hardly anybody is expected (a closed day) do not count for the dispersion.
        telling = weight * (mean > _TELLING)
        # In a young series priors determine most terms, and those are not estimated.
        own = 1 - held / np.ascontiguousarray(np.diagonal(precision))
        terms = np.where(prior.young, own.sum(1), held.shape[1])
        freedom = np.maximum(telling.sum(1) - terms, 0.25 * telling.sum(1))
        weighed = (telling * pearson).sum(1) / np.maximum(freedom, 1e-9)
        seen = np.maximum(unweighted(weighed, mean) if round_ else weighed, 1.0)
        phi = (seen * freedom + prior.dispersion * prior.weight) / (freedom + prior.weight)
        if round_ == 0 and harmonics:
            covariance = gram.covariance(precision, held)
            held = _shrunk(held, beta - prior.centre, covariance, harmonics, moving)
        if round_ < ROUNDS:
            weight = present * weights(counts, mean, phi[:, None])
            weight *= (known / np.maximum(weight.sum(1), 1e-9))[:, None]
    covariance = gram.covariance(precision, held)
    down = (present > 0) & (anscombe(counts, mean, phi[:, None]) > UNUSUAL)
    between = block_variance(weight * (counts - mean), weight * mean, phi, block)
    level, tail, known_by = np.zeros(len(counts)), np.ones(len(counts)), np.full(len(counts), KNOWN)
    if memory:
        usual = (telling * mean).sum(1) / np.maximum(telling.sum(1), 1e-9)
        tail = heaviness(counts, mean, phi, telling)
        known_by = degrees_of_freedom(freedom, usual, phi) + np.maximum(prior.weight, PRIOR_FREEDOM)
        level = level_variance(weight * (counts - mean), weight * mean, phi, memory)
        # The variance of the level is not part of the dispersion of single periods.
        phi = np.maximum(phi - level * usual, np.minimum(phi, 1.0))
    return Fit(
        coefficients=beta,
        covariance=covariance,
        dispersion=phi,
        down_weighted=down.sum(1).astype(float),
        block_variance=between,
        level_variance=level,
        tail=tail,
        freedom=known_by,
    )


def _climb(
    gram: "_Gram", beta: Floats, mean: Reals, counts: Reals, certainty: Reals, centre: Floats, held: Floats
) -> Floats:
    """Update `beta` and `mean` to the most likely coefficients, by Fisher scoring; return their precision.

    The precision [k + s, k + s, n] is that of the last step, its upper half. A series that has converged
    takes no further steps.
    """
    precision = np.empty((beta.shape[1], *beta.T.shape))
    far, some = np.arange(len(beta)), gram.size
    highest = np.log(OVERSHOOT * np.maximum((counts * (certainty > 0)).max(1), 1.0))
    for _ in range(MOST):
        # All series are used in place: a copy would cost an eighth of the fits.
        on: Rows = slice(None) if len(far) == len(beta) else far
        here, sure, seen, expected = gram.of(on), certainty[on], counts[on], mean[on]
        products = here.product(sure * expected, held[on])
        if here is gram:
            precision = products
        else:
            precision[..., on] = products
        # A count in a zero stretch must not throw the step out of range.
        score = here.moment(sure * np.minimum(seen - expected, _FARTHEST * expected))
        score -= held[on] * (beta[on] - centre[on])
        step = np.zeros_like(score)
        step[:, :some] = Factors(products[:some, :some]).solve(score.T[:some]).T
        beta[on] += step
        eta = here.eta(beta[on])
        if (over := (eta * (sure > 0)).max(1) > highest[on]).any():
            eta = _shorten(here, beta, step, on=on, over=over, highest=highest[on], known=sure > 0)
        mean[on] = np.exp(np.clip(eta, -20, 20))
        far = far[(step * score).sum(1) > NEAR]
        if not len(far):
            break
    return precision


def _shorten(
    gram: "_Gram", beta: Floats, step: Floats, *, on: Rows, over: Bools, highest: Reals, known: Bools
) -> Reals:
    """Halve the steps of `over` until no expected count is beyond `highest`; return the linear predictors.

    Where nearly all counts are 0, the likelihood is flat, and a full step can end at billions of people.
    """
    part = np.where(over, 1.0, 0.0)[:, None] * step
    for _ in range(HALVINGS):
        part = part / 2 * over[:, None]
        beta[on] -= part
        eta = gram.eta(beta[on])
        over = (eta * known).max(1) > highest
        if not over.any():
            break
    return eta


def _shrunk(held: Floats, off: Floats, covariance: Floats, harmonics: int, moving: bool) -> Floats:
    """Return prior precisions that shrink harmonics which the series does not have.

    Empirical Bayes: the size of a sine and its cosine, less the error of their estimates, is the variance of
    their prior (James & Stein 1961; for groups: Efron & Morris 1973, JASA 68:117). Changes from year to year
    are a share of that.
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
        self._shared, self._k = shared, shared.x.shape[1]
        self._all = self._k + steps.shape[2]
        # Most series have no steps at all, and columns of zeros cost as much as others.
        self._s = steps.shape[2] if steps.any() else 0
        self.size = self._k + self._s  # terms that data can change
        self._steps = steps.astype(np.float32)

    def of(self, series: Rows) -> "_Gram":
        """Return the same for some of the series."""
        if isinstance(series, slice):
            return self
        some = copy(self)
        some._steps = self._steps[series]
        return some

    def eta(self, beta: Floats) -> Reals:
        out = algebra.times(beta[:, : self._k], self._shared.x.T).astype(np.float32)
        for at in range(self._s):
            out += self._steps[:, :, at] * beta[:, self._k + at, None].astype(np.float32)
        return out

    def moment(self, values: Reals) -> Floats:
        out = np.zeros((len(values), self._all))
        out[:, : self._k] = algebra.times(values, self._shared.x)
        for at in range(self._s):
            out[:, self._k + at] = (values * self._steps[:, :, at]).sum(1)
        return out

    def product(self, weight: Reals, diagonal: Floats) -> Floats:
        """Return the products of all terms plus a `diagonal`: the upper half of [k + s, k + s, n]."""
        k = self._k
        out = np.zeros((self._all, self._all, len(weight)))
        self._shared.products(weight, out)
        for at in range(self._s):
            weighted = weight * self._steps[:, :, at]
            out[:k, k + at] = algebra.times(weighted, self._shared.x).T
            for other in range(at, self._s):
                out[k + at, k + other] = (weighted * self._steps[:, :, other]).sum(1)
        out[range(self._all), range(self._all)] += diagonal.T
        return out

    def covariance(self, precision: Floats, diagonal: Floats) -> Floats:
        """Return the inverses [n, k + s, k + s] of products."""
        out = np.zeros((len(diagonal), self._all, self._all))
        out[:, : self.size, : self.size] = Factors(precision[: self.size, : self.size]).inverse()
        rest = range(self.size, self._all)
        out[:, rest, rest] = 1 / diagonal[:, self.size :]
        return out
