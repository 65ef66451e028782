"""Linear algebra that gives a row the same bits in every batch and on every processor.

A BLAS sums in an order that depends on shapes, threads and the processor's kernel, and so do the last digits
of what it sums. Here factors are first rounded to multiples of a power of two, so coarse that all their
products and sums are whole multiples below 2**53: nothing is rounded any more, and every order gives the same
sum (pre-rounding: Rump, Ogita & Oishi 2008, SIAM J Sci Comput 31:189). Equations are solved elementwise.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats

Reals = NDArray[np.floating]  # of single or double precision
GRAIN: Final = 2.0**-10  # that the entries of a matrix are multiples of
FEW: Final = 32  # series below which calls cost more than sums
BLOCK: Final = 4  # rows that are taken together where series are many


def grained(values: Floats, grain: float = GRAIN) -> Floats:
    """The nearest multiples of a power of two."""
    return np.asarray(np.rint(values / grain) * grain)


def times(rows: Reals, matrix: Floats) -> Floats:
    """`rows` [n, i] @ `matrix` [i, k], whose entries are multiples of GRAIN."""
    return np.asarray(rounded(rows, float(np.abs(matrix).sum(0).max(initial=0.0)) / GRAIN) @ matrix)


def rounded(rows: Reals, width: float) -> Floats:
    """Rows [n, i] so rounded that all their sums with whole factors of up to `width` together are exact.

    What is left of a number is a multiple of the largest in its row, over 2**50 / `width` at least.
    """
    # To add a number so large, and to take it away again, leaves what there is room for.
    large = np.ldexp(1.5, np.frexp(width)[1] + 1 + np.frexp(np.abs(rows).max(1, initial=0.0))[1])
    out = rows + large[:, None]
    out -= large[:, None]
    return np.asarray(out)


class Factors:
    """Cholesky factors of n symmetric positive definite matrices: A = Uᵀ D U with 1 on U's diagonal.

    Of the `matrices` [k, k, n] the upper half is looked at.

    >>> factors = Factors(np.array([[[4.0], [2.0]], [[2.0], [3.0]]]))
    >>> factors.solve(np.array([[8.0], [7.0]]))[:, 0].tolist(), factors.inverse()[0].tolist()
    ([1.25, 1.5], [[0.375, -0.25], [-0.25, 0.5]])
    """

    def __init__(self, matrices: Floats) -> None:
        self._upper = np.empty(matrices.shape)
        rows = matrices.copy()  # of D U; only what is right of the diagonal
        for at, row in enumerate(rows):
            right = self._upper[at, at + 1 :] = row[at + 1 :] / row[at]
            for below, block in _below(at + 1, rows):
                block[:, below:] -= right[below - at - 1 : below - at - 1 + len(block), None] * row[below:]
        self._pivots = np.ascontiguousarray(np.diagonal(rows).T)

    def solve(self, right: Floats) -> Floats:
        """The solutions [k, n] for right sides [k, n]."""
        out = right.copy()
        for at in range(len(out)):
            out[at + 1 :] -= self._upper[at, at + 1 :] * out[at]
        out /= self._pivots
        for at in reversed(range(len(out))):
            out[:at] -= self._upper[:at, at] * out[at]
        return out

    def inverse(self) -> Floats:
        """The inverses [n, k, k]."""
        k, n = self._pivots.shape
        out = np.zeros((k, k, n))  # the lower half; the other is its mirror
        for at in range(k):
            out[at, at] = 1
        for at in range(k):
            out[at + 1 :, : at + 1] -= self._upper[at, at + 1 :, None] * out[at, : at + 1]
        out /= self._pivots[:, None]
        for at in reversed(range(k)):
            for above, block in _below(0, out[:at]):
                end = above + len(block)
                block[:, :end] -= self._upper[above:end, at, None] * out[at, :end]
        for at in range(k):
            out[:at, at] = out[at, :at]
        return np.ascontiguousarray(np.moveaxis(out, 2, 0))


def _below(first: int, rows: Floats) -> Iterator[tuple[int, Floats]]:
    """Rows from the first on in blocks: all at once where there are few series, else a row at a time.

    Of a symmetric matrix half is needed. To leave the other out pays where a row is long. The bits are the
    same: each entry is a sum in the same order.
    """
    step = len(rows) if rows.shape[-1] < FEW else BLOCK
    for at in range(first, len(rows), max(step, 1)):
        yield at, rows[at : at + step]
