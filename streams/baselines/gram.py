"""Weighted cross products of the terms of many series, without a copy of the design for each."""

from copy import copy
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streams.baselines import algebra
from streams.baselines.algebra import GRAIN, Factors, Reals, rounded
from streams.baselines.negative_binomial import Floats

Rows = slice | NDArray[np.intp]

_SELDOM: Final = 0.25  # of all periods


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


class Gram:
    """Weighted cross products of shared terms and of each series' steps, without a copy per series."""

    def __init__(self, shared: Shared, steps: Floats) -> None:
        self._shared, self._k = shared, shared.x.shape[1]
        self._all = self._k + steps.shape[2]
        # Most series have no steps at all, and columns of zeros cost as much as others.
        self._s = steps.shape[2] if steps.any() else 0
        self.size = self._k + self._s  # terms that data can change
        self._steps = steps.astype(np.float32)

    def of(self, series: Rows) -> Self:
        """Return the same for some of the series."""
        if isinstance(series, slice):
            return self
        some = copy(self)
        some._steps = self._steps[series]
        return some

    def eta(self, beta: Floats) -> Reals:
        """Return the linear predictors [n, T] of coefficients [n, k + s]."""
        out = algebra.times(beta[:, : self._k], self._shared.x.T).astype(np.float32)
        for at in range(self._s):
            out += self._steps[:, :, at] * beta[:, self._k + at, None].astype(np.float32)
        return out

    def moment(self, values: Reals) -> Floats:
        """Return the sums over periods of each term times `values` [n, T]: [n, k + s]."""
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
