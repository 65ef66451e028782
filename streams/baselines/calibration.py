"""P-values of counts that allow for a dispersion few periods have shown, and for a tail heavier than it.

*Few periods.* A dispersion estimated from ν degrees of freedom may be far too small, and a young series would
alarm for years' worth in its first weeks. As a mean over an estimated standard error follows Student's t, the
normal score of a p-value is taken for a t of ν degrees of freedom (Student 1908, Biometrika 6:1).

*Heavy tail.* Some series have now and then a count that their dispersion does not explain: a bus, a boat.
Where p-values of the past were uniform, -log p beyond a threshold exceeds it by 1 on average. Where it
exceeds it by κ > 1, the tail falls off κ times more slowly, and p-values are made so (the mean excess of an
exponential tail: Hill 1975, Ann Stat 3:1163; recalibration by past p-values: Gibbs & Candès 2021). Low counts
have a tail of their own: bad weather keeps people away for some days, and never brings more than usual.

*Beyond what was seen.* κ follows from a few exceedances, and a bus may still come. With a gamma distribution
of 1/κ that has seen a of them, the next one exceeds by d with chance (1 + d / aκ)^-a: a generalized Pareto
tail of shape 1/a (Davison & Smith 1990, J R Stat Soc B 52:393). It matters most far beyond what was seen,
where small budgets look.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from streams.baselines.algebra import Reals
from streams.baselines.dispersion import anscombe
from streams.baselines.negative_binomial import Floats, at_least, at_most

Rows = NDArray[np.intp]

BEYOND: Final = 0.05  # p-values below are the tail
_START: Final = -float(np.log(BEYOND))
_WORTH_A_LOOK: Final = 1.5  # Anscombe residual below which no p-value is as small
_MOST: Final = 20.0  # excess that a single period adds, so that one surge of the past does not make a tail
_PRIOR: Final = 5.0  # exceedances that a tail of 1 counts for
PRIOR_FREEDOM: Final = 16.0  # degrees of freedom that a prior dispersion counts for
_HEAVIEST: Final = 8.0  # κ of an upper tail, at most
_NO_SHAPE: Final = 1e-9  # in place of 0, by which the formulas would divide
LOW_WINDOWS: Final = (1, 3, 7)  # days together whose low counts make the lower tail
_CLEAR: Final = 2.0  # standard errors by which a lower tail that is heavier is so clearly
_MOST_LOW: Final = 8.0  # excess that one stretch of low days adds: closures and lasting drops make no tail
_LEAST: Final = 1e-300  # in place of a p-value of 0, of which there is no logarithm
KNOWN: Final = 1e6  # degrees of freedom of a dispersion that is known


class Calibration(NamedTuple):
    """What the p-values of n series allow for; the default is nothing.

    >>> young = Calibration(1.0, 10.0)
    >>> young.lower(np.array([0.5, 0.01, 1e-4])).round(4).tolist()
    [0.5, 0.0212, 0.002]
    >>> young.nominal(young.upper(1e-4)).round(6).item()
    0.0001
    """

    heavy: Floats | float = 1.0  # [n], κ: how much heavier the upper tail is than the negative binomial's
    freedom: Floats | float = KNOWN  # [n], degrees of freedom of the dispersion
    unseen: Floats | float = 0.0  # [n], shape of the upper tail beyond what was seen; 0: exponential
    heavy_below: Floats | float = 1.0  # [n], κ of the lower tail
    lone_low: Floats | float = 1.0  # [n], share of the expected people on the lowest lone low period; 1: none
    periods: Floats | float = 0.0  # [n], of which that was the lowest

    def upper(self, p_value: ArrayLike) -> Floats:
        """The p-values of high counts."""
        return recalibrated(self.by_freedom(p_value), self.heavy, self.unseen)

    def lower(self, p_value: ArrayLike) -> Floats:
        """The p-values of low counts."""
        return recalibrated(self.by_freedom(p_value), self.heavy_below)

    def alone(self, count: ArrayLike, mean: ArrayLike, dispersion: ArrayLike) -> Floats:
        """The chance of a period so low that by itself it is like one of the past; 0 where none was."""
        again = 2 / (np.asarray(self.periods, float) + 1)  # the one of the past, and this
        # Its level is known by one count, and so it has twice the variance.
        as_low = at_most(count, self.lone_low * np.asarray(mean, float), 2 * np.asarray(dispersion, float))
        return np.where(np.asarray(self.lone_low) < 1, again * as_low, 0.0)

    def by_freedom(self, p_value: ArrayLike) -> Floats:
        """The p-values of all that depends on the dispersion alone."""
        p = np.asarray(p_value, float)
        return np.where(p < 0.5, stdtr(self.freedom, ndtri(np.clip(p, _LEAST, 0.5))), p)

    def nominal(self, alpha: ArrayLike) -> Floats:
        """The negative binomial's own p-value at which that of a high count is `alpha`."""
        depth = _excess(alpha)
        shape = np.maximum(self.unseen, _NO_SHAPE)
        beyond = np.exp(-_START - self.heavy * np.expm1(shape * np.maximum(depth, 0)) / shape)
        return self.nominal_by_freedom(np.where(depth > 0, beyond, alpha))

    def nominal_lower(self, alpha: ArrayLike) -> Floats:
        """The same of a low count."""
        return self.nominal_by_freedom(recalibrated(alpha, 1 / self.heavy_below))

    def nominal_by_freedom(self, alpha: ArrayLike) -> Floats:
        """The same of what depends on the dispersion alone."""
        level = np.asarray(alpha, float)
        return np.where(level < 0.5, ndtr(stdtrit(self.freedom, np.clip(level, _LEAST, 0.5))), level)

    def shown(self) -> Self:
        """The same, of no more than the past has shown."""
        return self._replace(unseen=0.0)

    def select(self, rows: Sequence[int]) -> Self:
        """The same, of some of the series."""
        at = list(rows)
        return self._replace(
            **{
                name: value if isinstance(value, float) else value[at]
                for name, value in self._asdict().items()
            }
        )


AS_THEY_ARE: Final = Calibration()


def degrees_of_freedom(periods: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Return the degrees of freedom of dispersions that were estimated from so many periods [n].

    With large counts there are as many as periods. Small counts show less: the variance of an estimated
    variance is 2 + the excess kurtosis over the number of periods, and that of a negative binomial is
    (6(φ - 1) + 1/φ) / mean.

    >>> degrees_of_freedom(np.full(2, 100.0), np.array([1000.0, 1.0]), np.full(2, 2.0)).round().tolist()
    [100.0, 24.0]
    """
    kurtosis = (6 * (dispersion - 1) + 1 / dispersion) / np.maximum(mean, 1e-9)
    return periods / (1 + kurtosis / 2)


def heaviness(counts: Reals, mean: Reals, dispersion: Floats, informative: Reals) -> Floats:
    """Estimate κ [n] from the past [n, T]; periods where `informative` is 0 are left out.

    Of periods in a row that are high, the first counts alone: a surge of the past is one event.
    """
    high = (anscombe(counts, mean, dispersion[:, None]) > _WORTH_A_LOOK) & (informative > 0)
    high[:, 1:] &= ~high[:, :-1]
    row, column = np.nonzero(high)
    p = at_least(counts[row, column].astype(float), mean[row, column].astype(float), dispersion[row])
    excess = _excess(p)
    return _mean_excess(row, np.minimum(excess, _MOST), len(counts))[0]


def heaviness_below(counts: Reals, mean: Reals, dispersion: Floats, informative: Reals) -> Floats:
    """Estimate κ of the lower tail [n] from the past [n, T]; periods where `informative` is 0 are left out.

    Of 1, 3 and 7 periods together. Of those in a row that are low, the lowest alone: they are one event. The
    tail is the model's unless it is clearly heavier: drops of plain series would be missed by chance.
    """
    known = informative > 0
    missing, expected = np.where(known, mean - counts, 0), np.where(known, mean, 0)
    rows, excesses = [], []
    for window in LOW_WINDOWS:
        off, usual = _blocks(missing, window), _blocks(expected, window)
        low = off > _WORTH_A_LOOK * np.sqrt(dispersion[:, None].astype(np.float32) * usual)
        row, column = np.nonzero(low)
        m = usual[row, column].astype(float)
        p = at_most(np.rint(m - off[row, column]), m, dispersion[row])
        begins = np.flatnonzero((np.diff(row, prepend=-1) != 0) | (np.diff(column, prepend=0) > 1))
        rows.append(row[begins])
        excesses.append(np.maximum.reduceat(_excess(p), begins) if len(begins) else np.zeros(0))
    excess = np.minimum(np.concatenate(excesses), _MOST_LOW)
    heavy, error = _mean_excess(np.concatenate(rows), excess, len(counts))
    return np.where(heavy > 1 + _CLEAR * error, heavy, 1.0)


def _blocks(values: Reals, window: int) -> Reals:
    """Sums of so many periods, the newest last [n, T // window]."""
    if window == 1:
        return values
    blocks = values.shape[1] // window
    sums: Reals = values[:, values.shape[1] - blocks * window :].reshape(len(values), blocks, window).sum(2)
    return sums


def _excess(p_value: ArrayLike) -> Floats:
    """Return by how much -log p exceeds that of BEYOND; negative where p is no tail."""
    return np.asarray(-np.log(np.maximum(p_value, _LEAST)) - _START)


def _mean_excess(row: Rows, excess: Floats, n: int) -> tuple[Floats, Floats]:
    """The mean of each row's excesses beyond the threshold [n], shrunk to 1, never below it.

    With it comes its standard error where the true mean is 1.
    """
    beyond = excess > 0
    often = np.bincount(row[beyond], minlength=n)
    total = np.bincount(row[beyond], excess[beyond], minlength=n)
    return np.clip((total + _PRIOR) / (often + _PRIOR), 1.0, _HEAVIEST), 1 / np.sqrt(often + _PRIOR)


def unseen(looks: int) -> float:
    """The shape of a tail of which so many periods have shown the 0.05 beyond its threshold.

    >>> [unseen(looks) for looks in (0, 100, 900)]
    [0.2, 0.1, 0.02]
    """
    return 1 / (_PRIOR + BEYOND * looks)


def recalibrated(p_value: ArrayLike, heavy: Floats | float, shape: Floats | float = 0.0) -> Floats:
    """The p-values of a tail that falls off `heavy` times more slowly, and with a `shape` ever more slowly.

    >>> recalibrated(np.array([0.2, 0.05, 0.05**3]), np.full(3, 2.0)).round(4).tolist()
    [0.2, 0.05, 0.0025]
    >>> recalibrated(np.array([0.2, 0.01, 1e-6]), 1.0, 0.2).round(5).tolist()
    [0.2, 0.01239, 0.00016]
    """
    depth, least = _excess(p_value), np.maximum(shape, _NO_SHAPE)
    beyond = np.exp(-_START - np.log1p(least * np.maximum(depth, 0) / heavy) / least)
    return np.where(depth > 0, beyond, p_value)
