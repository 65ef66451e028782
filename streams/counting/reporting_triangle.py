"""The reporting triangle: how old each recent period was when its people became known.

    period   ├────────────┤
    age      0   ½   ¾    1        1.5       2            3   periods since it began
    people   ··· 12  9    7        3         0            1   that became known between two edges

Kept for as many periods as reports can be expected for; bounded, whatever comes.
"""

from bisect import bisect_left
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import DAILY, DAY, Cadence

# Ages in periods. What is reported after the last one is history that is loaded, and no late report.
_EDGES: Final = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 16.0, 22.0, 32.0)
HORIZON: Final = {Cadence.DAY: 32, Cadence.WEEK: 8, Cadence.MONTH: 6}  # periods
EDGES: Final = {cadence: tuple(edge for edge in _EDGES if edge <= far) for cadence, far in HORIZON.items()}
CLOSE: Final = _EDGES.index(1.0)  # the edge at which a period ends
TAIL: Final = 3  # last rows that are written at every commit, as of the counts themselves


def moment_in(cadence: Cadence, wall: float) -> float:
    """Return the moment at which a sector's clock shows `wall` seconds since 1970, in periods since 1970.

    >>> moment_in(Cadence.DAY, 10.5 * 86_400)
    10.5
    """
    if cadence is DAILY:  # asked very often
        return wall / DAY
    index = cadence.index(wall)
    start = cadence.start(index)
    return index + (wall - start) / (cadence.start(index + 1) - start)


def column(age: float) -> int:
    """Return the column of people who became known at an age in periods; beyond the last one for history.

    >>> column(0.2), column(1.1)
    (0, 4)
    """
    return bisect_left(_EDGES, age)


class ReportingTriangle:
    """People of the last periods, by the age at which they became known: a row a period, a column an edge."""

    __slots__ = ("cadence", "last", "table")

    def __init__(self, cadence: Cadence, last: int = 0, table: NDArray[np.int64] | None = None) -> None:
        self.cadence = cadence
        self.last = last  # period of the last row
        rows, columns = HORIZON[cadence] + 1, len(EDGES[cadence])
        self.table: NDArray[np.int64] = np.zeros((rows, columns), np.int64) if table is None else table

    @classmethod
    def over(cls, cadence: Cadence, last: int, rows: bytes, before: Self | None = None) -> Self:
        """Restore from the last rows, laid over what was written before."""
        found = cls(cadence, last) if before is None else before
        found._roll(last)
        tail = np.frombuffer(rows, np.int64).reshape(-1, found.table.shape[1])
        found.table[len(found.table) - len(tail) :] = tail
        return found

    def add(self, period: int, column: int, count: int) -> None:
        """Add people of a period, in the column of the age at which they became known.

        Periods that are no longer kept, and reports beyond the last edge, are ignored.
        """
        rows, columns = self.table.shape
        if period > self.last:
            self._roll(period)
        row = rows - 1 - (self.last - period)
        if row >= 0 and column < columns:
            self.table[row, column] += count

    def _roll(self, last: int) -> None:
        step = min(last - self.last, len(self.table))
        self.table = np.vstack([self.table[step:], np.zeros((step, self.table.shape[1]), np.int64)])
        self.last = last

    def by_edge(self, periods: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many were known of each period by each edge [periods, edges]; 0 where it is not kept."""
        rows = len(self.table) - 1 - (self.last - periods)
        kept = (rows >= 0) & (rows < len(self.table))
        found = self.table[np.where(kept, rows, 0)].cumsum(axis=-1, dtype=np.int64)
        return np.where(kept[:, None], found, 0)

    def late(self, last: int, length: int) -> float:
        """Return the share of people who became known late, of `length` periods up to `last`."""
        by = np.maximum(self.by_edge(np.arange(last - length + 1, last + 1)), 0).sum(0)
        return float(max(1 - by[CLOSE] / by[-1], 0.0)) if by[-1] > 0 else 0.0
