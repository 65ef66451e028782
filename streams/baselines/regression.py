"""The robust regression of counts on trend, season, weekday, holidays and steps.

Negative binomial with variance φ·mean and a log-linear mean, fitted by iteratively reweighted least squares
for many series at once. Past surges are down-weighted by their Anscombe residuals (Farrington et al. 1996;
Noufaily et al. 2013), in three rounds, so that large ones cannot mask themselves. Each coefficient has a weak
normal prior: it decides where there is little history, and hardly matters where there is much.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines import algebra, lone_days
from streams.baselines.algebra import Factors, Reals
from streams.baselines.calibration import KNOWN, PRIOR_FREEDOM, degrees_of_freedom, heaviness, heaviness_below
from streams.baselines.design_matrix import FIRST
from streams.baselines.dispersion import UNUSUAL, WEEK, anscombe, block_variance, unweighted, weights
from streams.baselines.gram import Gram, Rows, Shared
from streams.baselines.level import level_variance
from streams.baselines.negative_binomial import Floats
from streams.baselines.priors import MOVING, Prior

Bools = NDArray[np.bool_]

ROUNDS: Final = 3
NEAR: Final = 0.01  # squared standard errors that the last step may have: further ones are far smaller
MOST: Final = 25  # steps in a round
OVERSHOOT: Final = 10.0  # times the highest count, beyond which a step went too far
HALVINGS: Final = 12  # of a step, at most
_FARTHEST: Final = 1e3  # working response; less would pull the level of a sparse series below its mean
_INFORMATIVE: Final = 0.05  # mean below which a period holds no information on the dispersion


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
    tail_below: Floats  # [n], the same of the lower tail
    lone_low: Floats  # [n], share of the expected people on the lowest lone low period; 1 where none was low
    week_variance: Floats  # [n], relative variance of the level between weeks of days; 0 if not fitted
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
    last = _rounds(Gram(shared, steps), counts, present, prior=prior, harmonics=harmonics, moving=moving)
    mean, phi = last.mean, last.estimate.dispersion
    down = (present > 0) & (anscombe(counts, mean, phi[:, None]) > UNUSUAL)
    found = Fit(
        coefficients=last.coefficients,
        covariance=last.covariance,
        dispersion=phi,
        down_weighted=down.sum(1).astype(float),
        block_variance=block_variance(last.weight * (counts - mean), last.weight * mean, phi, block),
        level_variance=np.zeros(len(counts)),
        tail=np.ones(len(counts)),
        tail_below=np.ones(len(counts)),
        lone_low=np.ones(len(counts)),
        week_variance=np.zeros(len(counts)),
        freedom=np.full(len(counts), KNOWN),
    )
    return _with_level(found, counts, last, prior=prior, memory=memory) if memory else found


class _Round(NamedTuple):
    """What the last round of a fit has come to."""

    coefficients: Floats  # [n, k + s]
    covariance: Floats  # [n, k + s, k + s]
    mean: Reals  # [n, T]
    weight: Reals  # [n, T], less where a count is held to be a surge
    estimate: "_Estimate"


def _rounds(
    gram: Gram, counts: Reals, present: Reals, *, prior: Prior, harmonics: int, moving: bool
) -> _Round:
    """Fit, and down-weight past surges, in ROUNDS rounds and a last one."""
    known = np.maximum(present.sum(1), 1)
    beta, held = prior.centre.copy(), prior.precision
    beta[:, 0] = prior.start
    phi = prior.dispersion
    weight, mean = present.copy(), np.exp(gram.eta(beta))
    for round_ in range(ROUNDS + 1):
        certainty = weight * (1 / phi[:, None]).astype(np.float32)
        precision = _climb(
            gram, beta, mean, counts=counts, certainty=certainty, centre=prior.centre, held=held
        )
        estimate = _estimate(
            counts, mean, weight, precision=precision, held=held, prior=prior, first=not round_
        )
        phi = estimate.dispersion
        if round_ == 0 and harmonics:
            covariance = gram.covariance(precision, held)
            held = _shrunk(held, beta - prior.centre, covariance, harmonics=harmonics, moving=moving)
        if round_ < ROUNDS:
            weight = present * weights(counts, mean, phi[:, None])
            weight *= (known / np.maximum(weight.sum(1), 1e-9))[:, None]
    return _Round(beta, gram.covariance(precision, held), mean, weight, estimate)


def _with_level(found: Fit, counts: Reals, last: _Round, *, prior: Prior, memory: float) -> Fit:
    """Return the fit with the level that strays from period to period, and the tails around it."""
    mean, estimate, phi = last.mean, last.estimate, last.estimate.dispersion
    off, expected = last.weight * (counts - mean), last.weight * mean
    usual = (estimate.informative * mean).sum(1) / np.maximum(estimate.informative.sum(1), 1e-9)
    level = level_variance(off, expected, phi, memory)
    own = degrees_of_freedom(estimate.freedom, usual, phi)
    return replace(
        found,
        # The variance of the level is not part of the dispersion of single periods.
        dispersion=np.maximum(phi - level * usual, np.minimum(phi, 1.0)),
        level_variance=level,
        tail=heaviness(counts, mean, phi, estimate.informative),
        tail_below=heaviness_below(counts, mean, phi, estimate.informative),
        lone_low=lone_days.lowest(counts, mean, phi, estimate.informative),
        week_variance=block_variance(off, expected, phi, WEEK),
        freedom=own + np.maximum(prior.weight, PRIOR_FREEDOM),
    )


class _Estimate(NamedTuple):
    """The dispersion of n series around their means."""

    dispersion: Floats  # [n], φ ≥ 1
    freedom: Floats  # [n], its degrees of freedom
    informative: Reals  # [n, T], how much each period counts for it


def _estimate(
    counts: Reals,
    mean: Reals,
    weight: Reals,
    *,
    precision: Floats,
    held: Floats,
    prior: Prior,
    first: bool,
) -> _Estimate:
    """Estimate the dispersion by Pearson's statistic; before the `first` round nothing is down-weighted."""
    pearson = np.square(counts - mean) / np.maximum(mean, 1e-6)
    # Periods in which hardly anybody is expected (a closed day) do not count for the dispersion.
    informative = weight * (mean > _INFORMATIVE)
    # In a young series priors determine most terms, and those are not estimated.
    own = 1 - held / np.ascontiguousarray(np.diagonal(precision))
    terms = np.where(prior.young, own.sum(1), held.shape[1])
    freedom = np.maximum(informative.sum(1) - terms, 0.25 * informative.sum(1))
    weighed = (informative * pearson).sum(1) / np.maximum(freedom, 1e-9)
    seen = np.maximum(weighed if first else unweighted(weighed, mean), 1.0)
    dispersion = (seen * freedom + prior.dispersion * prior.weight) / (freedom + prior.weight)
    return _Estimate(dispersion, freedom, informative)


def _climb(
    gram: Gram, beta: Floats, mean: Reals, *, counts: Reals, certainty: Reals, centre: Floats, held: Floats
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
    gram: Gram, beta: Floats, step: Floats, *, on: Rows, over: Bools, highest: Reals, known: Bools
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


def _shrunk(held: Floats, off: Floats, covariance: Floats, *, harmonics: int, moving: bool) -> Floats:
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
