"""The robust regression: what a series of counts does by trend, season, weekday, holidays and steps.

Negative binomial with variance φ·mean and a log-linear mean, fitted by iteratively reweighted least squares
for many series at once. Past surges are weighed down by their Anscombe residuals (Farrington et al. 1996;
Noufaily et al. 2013), three times over, so that heavy ones cannot hide behind themselves. Each coefficient
has a weak normal prior: it decides where there is little history, and nothing where there is much.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from streams.baselines import scatter
from streams.baselines.scatter import Reals
from streams.baselines.tails import Floats
from streams.calendar import DAY, Cadence

ROUNDS: Final = 3
STEPS: Final = (5, 1, 2, 2)  # of each round, and of the last fit
YEAR: Final = 365.2425
PERIODS: Final = {
    Cadence.HOUR: YEAR * 24,
    Cadence.DAY: YEAR,
    Cadence.WEEK: YEAR / 7,
    Cadence.MONTH: 12.0,
}  # a year
# Of the day, for hours; of the year, for all else. Days tell sharp peaks of a season.
HARMONICS: Final = {Cadence.HOUR: 3, Cadence.DAY: 6, Cadence.WEEK: 2, Cadence.MONTH: 2}
_MONTHLY_TREND: Final = 0.1  # months are few: what goes up for a while need not go on
# Prior standard deviations on the log scale.
_LEVEL, _TREND, _WEEKDAY, _SEASON, _HOLIDAY, _STEP = 3.0, 0.3, 1.0, 0.5, 1.0, 3.0
_MOVING: Final = 0.03  # share of itself by which a season comes earlier or later, or grows, each year
_BROAD: Final = 2  # harmonics that a series of less than two years may have
_NEVER: Final = 1e6  # prior precision of a term that is not to be
_FIRST: Final = 2  # column at which the harmonics begin, a sine and a cosine each
_PHI, _PHI_WEIGHT = 1.5, 4.0  # dispersion expected before any history, and for how many periods that stands
_FARTHEST: Final = 1e3  # working response; less would pull the level of a sparse series below its mean
_TELLING: Final = 0.05  # mean below which a period says nothing of the dispersion


@dataclass(frozen=True)
class Model:
    """Fits of n series: k shared terms, and s steps of each."""

    coefficients: Floats  # [n, k + s]
    covariance: Floats  # [n, k + s, k + s]
    dispersion: Floats  # [n], φ ≥ 1
    down_weighted: Floats  # [n], past periods held to be surges
    base: int  # index that time is counted from
    wander: Floats  # [n], relative variance of the level between blocks of periods; 0 if not asked

    def expect(self, design: Floats, steps: Floats) -> tuple[Floats, Floats]:
        """Means [n, h] for h periods, and the relative variance of the last one's estimate [n].

        `design` is [h, k], `steps` [n, h, s].
        """
        k = design.shape[1]
        eta = self.coefficients[:, :k] @ design.T
        eta = eta + (steps @ self.coefficients[:, k:, None])[..., 0]
        last = np.hstack([np.broadcast_to(design[-1], (len(eta), k)), steps[:, -1]])
        error = ((last[:, None] @ self.covariance)[:, 0] * last).sum(1)
        return np.exp(np.clip(eta, -20, 20)), np.maximum(error, 0)


@lru_cache(maxsize=256)
def _rows(cadence: Cadence, first: int, length: int) -> Floats:
    """Shared terms but for holidays; the second column is to hold the time."""
    index = np.arange(first, first + length)
    columns = [np.ones(length), np.zeros(length)]
    if cadence is Cadence.HOUR:
        # Weeks tell nothing of the year, and days are told apart by the clock.
        clock = 2 * np.pi * (index % 24) / 24
        for harmonic in range(1, HARMONICS[cadence] + 1):
            columns += [np.sin(harmonic * clock), np.cos(harmonic * clock)]
        columns += [(((index // 24) + 3) % 7 == day) * 1.0 for day in range(7)]
        return np.stack(columns, axis=1)
    days = np.array([cadence.start(int(at)) for at in index]) / DAY
    angle = 2 * np.pi * days / YEAR
    for harmonic in range(1, HARMONICS[cadence] + 1):
        columns += [np.sin(harmonic * angle), np.cos(harmonic * angle)]
    if cadence is Cadence.DAY:
        # One term for each weekday, kept apart by their priors: a day on which a place is always closed then
        # pulls no other day's level.
        columns += [((index + 3) % 7 == day) * 1.0 for day in range(7)]
    return np.stack(columns, axis=1)


def design(cadence: Cadence, first: int, length: int, base: int, holidays: frozenset[int]) -> Floats:
    """Rows of the shared terms for `length` periods from `first` on; time is counted from `base`."""
    rows = _rows(cadence, first, length).copy()
    rows[:, 1] = (np.arange(first, first + length) - base) / PERIODS[cadence]
    if cadence is Cadence.WEEK:  # only weeks have years enough to tell
        yearly = rows[:, _FIRST : _FIRST + 2 * HARMONICS[cadence]]
        rows = np.column_stack([rows, yearly * rows[:, 1:2]])
    if cadence is Cadence.DAY:
        off = np.array([at in holidays for at in range(first - 1, first + length)])
        # What was left undone on the holiday is done on the day after.
        rows = np.column_stack([rows, off[1:], off[:-1] & ~off[1:]])
    return rows


def priors(cadence: Cadence, steps: int, periods: Floats) -> Floats:
    """Prior precisions of the coefficients [n, k + s], for series with so many periods of history [n].

    Until a year has come twice, nobody can tell a sharp season from something that happened: so there are
    only the broad ones; and before it has come once, they have to be small, or a rise would be taken for the
    beginning of a season and drawn on to many times what was ever seen.
    """
    harmonics = 2 * HARMONICS[cadence]
    trend = _MONTHLY_TREND if cadence is Cadence.MONTH else _TREND
    deviations = [_LEVEL, trend, *[_SEASON] * harmonics]
    match cadence:
        case Cadence.HOUR:
            deviations += [_WEEKDAY] * 7
        case Cadence.DAY:
            deviations += [*[_WEEKDAY] * 7, *[_HOLIDAY] * 2]
        case Cadence.WEEK:
            deviations += [_MOVING] * harmonics
    out = np.tile(1 / np.square([*deviations, *[_STEP] * steps]), (len(periods), 1))
    if cadence is not Cadence.HOUR:
        seen = np.clip(periods / PERIODS[cadence], 0.1, 1)  # of a year
        out[:, _FIRST : _FIRST + harmonics] /= seen[:, None] ** 4
        sharp = slice(_FIRST + 2 * _BROAD, _FIRST + harmonics)
        out[periods < 2 * PERIODS[cadence], sharp] = _NEVER
    return out


def fit(
    counts: Reals,
    present: Reals,
    x: Floats,
    steps: Floats,
    prior: Floats,
    base: int,
    block: int = 0,
    harmonics: int = 0,
    moving: bool = False,
) -> Model:
    """Fit n series of T periods.

    `counts` [n, T]; `present` [n, T] is how much a period of the history counts, 0 where it does not; `x`
    [T, k] shared terms, `harmonics` pairs of them seasons (and as many their `moving`); `steps` [n, T, s];
    `prior` [n, k + s] precisions.
    """
    # Single precision costs half, and has more digits than counts can tell of.
    counts, present = counts.astype(np.float32), present.astype(np.float32)
    known = np.maximum(present.sum(1), 1)
    level = np.log(np.maximum((counts * present).sum(1) / known, 0.02))
    beta = np.zeros((len(counts), prior.shape[-1]))
    beta[:, 0] = level
    centre = beta.copy()  # the prior of the level is centred on the mean; all others on nothing
    gram = _Gram(x, steps)
    phi: Floats = np.full(len(counts), _PHI)
    weight, mean = present.copy(), np.exp(gram.eta(beta))
    for round_ in range(ROUNDS + 1):
        certainty = weight * (1 / phi[:, None]).astype(np.float32)
        for _ in range(STEPS[round_]):
            precision = gram.product(certainty * mean, prior)
            # A count in a zero stretch must not throw the step out of range.
            score = gram.moment(certainty * np.minimum(counts - mean, _FARTHEST * mean))
            score -= prior * (beta - centre)
            beta += np.linalg.solve(precision, score[..., None])[..., 0]
            mean = np.exp(np.clip(gram.eta(beta), -20, 20))
        pearson = np.square(counts - mean) / np.maximum(mean, 1e-6)
        # Where next to nobody is ever expected (a closed day), nothing is learnt of the scatter.
        telling = weight * (mean > _TELLING)
        freedom = np.maximum(telling.sum(1) - prior.shape[1], 0.25 * telling.sum(1))
        weighed = (telling * pearson).sum(1) / np.maximum(freedom, 1e-9)
        seen = np.maximum(scatter.whole(weighed, mean) if round_ else weighed, 1.0)
        phi = (seen * freedom + _PHI * _PHI_WEIGHT) / (freedom + _PHI_WEIGHT)
        if round_ == 0 and harmonics:
            covariance = np.asarray(np.linalg.inv(precision))
            prior = _shrunk(prior, beta, covariance, harmonics, moving)
        if round_ < ROUNDS:
            weight = present * scatter.weights(counts, mean, phi[:, None])
            weight *= (known / np.maximum(weight.sum(1), 1e-9))[:, None]
    covariance = np.asarray(np.linalg.inv(precision))
    down = (present > 0) & (scatter.anscombe(counts, mean, phi[:, None]) > scatter.UNUSUAL)
    wander = _wander(weight * (counts - mean), weight * mean, phi, block)
    return Model(beta, covariance, phi, down.sum(1).astype(float), base, wander)


def _shrunk(prior: Floats, beta: Floats, covariance: Floats, harmonics: int, moving: bool) -> Floats:
    """Priors by which harmonics that the series does not have cost it nothing.

    Empirical Bayes: what a sine and its cosine are, beyond what the error of their estimates makes of
    nothing, is the variance of their prior (James & Stein 1961; for groups: Efron & Morris 1973, JASA
    68:117). What moves from year to year is a share of that.
    """
    at = slice(_FIRST, _FIRST + 2 * harmonics)
    pairs = (len(beta), harmonics, 2)
    error = np.diagonal(covariance, axis1=1, axis2=2)[:, at].reshape(pairs).mean(2)
    size = np.square(beta[:, at]).reshape(pairs).mean(2) - error
    least = np.repeat(1 / np.maximum(size, 0.01 * error), 2, axis=1)
    out = prior.copy()
    out[:, at] = np.maximum(out[:, at], least)
    if moving:
        out[:, at.stop : at.stop + 2 * harmonics] = least / _MOVING**2
    return out


def _wander(residual: Reals, mean: Reals, phi: Floats, block: int) -> Floats:
    """How far whole blocks (the hours of a day) stray beyond what their periods' scatter explains.

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


class _Gram:
    """Weighted cross products of shared terms and of each series' steps, without a copy per series."""

    def __init__(self, x: Floats, steps: Floats) -> None:
        self._x, self._k, self._size = x.astype(np.float32), x.shape[1], x.shape[1] + steps.shape[2]
        # Most series have no steps at all, and columns of nothing cost as much as others.
        self._s = int(np.flatnonzero(steps.any(0).any(0)).max(initial=-1)) + 1
        self._steps = steps[:, :, : self._s].astype(np.float32)
        # One half of a symmetric matrix, but for terms that never meet, as two weekdays do not.
        row, column = np.triu_indices(self._k)
        squares = self._x[:, row] * self._x[:, column]
        some = squares.any(0)
        self._squares, self._row, self._column = squares[:, some], row[some], column[some]

    def eta(self, beta: Reals) -> Reals:
        beta = beta.astype(np.float32)
        shared = beta[:, : self._k] @ self._x.T
        if self._s:
            shared += (self._steps @ beta[:, self._k : self._k + self._s, None])[..., 0]
        return shared

    def moment(self, values: Reals) -> Floats:
        out = np.zeros((len(values), self._size))
        out[:, : self._k] = values @ self._x
        if self._s:
            out[:, self._k : self._k + self._s] = (values[:, None] @ self._steps)[:, 0]
        return out

    def product(self, weight: Reals, diagonal: Floats) -> Floats:
        """Of all terms with each other, a `diagonal` added."""
        k, row, column = self._k, self._row, self._column
        out = np.zeros((len(weight), self._size, self._size))
        out[:, row, column] = out[:, column, row] = weight @ self._squares
        for at in range(self._s):
            weighted = weight * self._steps[:, :, at]
            out[:, :k, k + at] = out[:, k + at, :k] = weighted @ self._x
            out[:, k + at, k : k + self._s] = (weighted[:, None] @ self._steps)[:, 0]
        out[:, range(self._size), range(self._size)] += diagonal
        return out
