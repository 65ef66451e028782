"""Slices: people by demographic, crossing type and citizenship, for the last periods of a sector."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Values = NDArray[np.int32]

SLICED = 56  # periods that slices are kept for
SLICES = 48  # slices a sector may have; a citizenship beyond them counts as OTHER
OTHER = "OTHER"


class Slices:
    """Counts by slice (`citizenship=HAITI`) for the last periods, in one table.

    What comes for the last period waits, by the slices that it counts into, until somebody looks.
    """

    __slots__ = ("_names", "_table", "_waiting", "last")

    def __init__(self, last: int = 0, names: Iterable[str] = (), table: Values | None = None) -> None:
        self.last = last  # period of the last column
        self._names = {name: row for row, name in enumerate(names)}
        self._table: Values = np.zeros((len(self._names), SLICED), np.int32) if table is None else table
        self._waiting: dict[tuple[str, ...], int] = {}

    def add(self, index: int, kinds: Mapping[int, int], names: Sequence[tuple[str, ...]]) -> None:
        """Add people of a period by combination (`names`: its slices); what is too old is passed over."""
        if index > self.last:
            step = min(index - self.last, SLICED)
            table = self.table
            self._table = np.hstack([table[:, step:], np.zeros((len(table), step), np.int32)])
            self.last = index
        if index <= self.last - SLICED:
            return
        if index < self.last:
            self._settle()  # so that slices get their rows in the order of events, however they came
        waiting = self._waiting
        for kind, count in kinds.items():
            waiting[names[kind]] = waiting.get(names[kind], 0) + count
        if index < self.last:
            self._settle(index)

    @property
    def names(self) -> list[str]:
        """The slices, in the order of the table's rows."""
        self._settle()
        return list(self._names)

    @property
    def table(self) -> Values:
        """People: one row a slice; one column a period, up to `last`."""
        self._settle()
        return self._table

    def window(self, last: int, length: int) -> Integers:
        """Counts of the `length` periods that end with `last`: one row a slice, in the order of `names`."""
        table = self.table
        out = np.zeros((len(table), length), np.int64)
        start, first = last - length + 1, self.last - SLICED + 1
        low, high = max(start, first), min(last, self.last) + 1
        if low < high:
            out[:, low - start : high - start] = table[:, low - first : high - first]
        return out

    def overlaid(self, last: int, names: Sequence[str], tail: Values) -> "Slices":
        """The same up to `last`, with more names, and `tail` in the place of its last columns."""
        table = np.zeros((len(names), SLICED), np.int32)
        table[: len(self.table)] = self.window(last, SLICED)
        table[:, SLICED - tail.shape[1] :] = tail
        return Slices(last, names, table)

    def _settle(self, index: int | None = None) -> None:
        """Enter what waits, into the last period unless told."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        known, rows = self._names, dict[int, int]()
        for names, count in waiting.items():
            for name in names:
                row = known.get(name)
                if row is None:
                    row = self._row(name)
                rows[row] = rows.get(row, 0) + count
        if len(self._names) > len(self._table):
            more = np.zeros((len(self._names) - len(self._table), SLICED), np.int32)
            self._table = np.concatenate([self._table, more])
        column = self._table[:, SLICED - 1 - (0 if index is None else self.last - index)]
        for row, count in rows.items():
            column[row] += count

    def _row(self, name: str) -> int:
        if name not in self._names and len(self._names) >= SLICES:
            name = f"{name.partition('=')[0]}={OTHER}"
        return self._names.setdefault(name, len(self._names))
