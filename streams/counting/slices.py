"""Slices: people by demographic, crossing type and citizenship, for the last periods of a sector.

A sector has room for SLICES slices. The people of the last period are kept apart until it is over, so the
slices that get a row depend on whole periods and not on how records were fetched. When it is over:

    a slice with a row       counts there
    a new slice, room left   gets a row
    a new slice, no room     takes the row of the slice that is smallest over the whole table, if it is larger
                             than that one; the people of the loser count as OTHER from then on

So a flood of citizenships of one person each takes rows from one another, and none from real ones for good.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from streams.counting.kinds import OTHER

Integers = NDArray[np.int64]

SLICED = 56  # periods that slices are kept for
SLICES = 48  # rows of a sector, without those of OTHER


class Slices:
    """Counts by slice (`citizenship=HAITI`) for the last periods, in one table."""

    __slots__ = ("_open", "_rows", "_table", "_view", "last", "replaced")

    def __init__(self, last: int = 0, names: Iterable[str] = (), table: Integers | None = None) -> None:
        self.last = last  # period of the last column
        self._rows = {name: row for row, name in enumerate(names)}
        self._table: Integers = np.zeros((len(self._rows), SLICED), np.int64) if table is None else table
        self._open: dict[tuple[str, ...], int] = {}  # people of the last period, by the slices they are in
        self._view: Slices | None = None  # with the open period entered, for readers
        self.replaced = False  # a row was taken over since the table was last written

    @property
    def names(self) -> list[str]:
        """The slices, in the order of the table's rows."""
        return list(self._entered()._rows)

    @property
    def table(self) -> Integers:
        """People: one row a slice; one column a period, up to `last`."""
        return self._entered()._table

    @property
    def closed(self) -> tuple[list[str], Integers]:
        """Names and table without the people of the open period."""
        return list(self._rows), self._table

    @property
    def open(self) -> dict[str, int]:
        """The people of the open period by slice."""
        people: dict[str, int] = {}
        for names, count in self._open.items():
            for name in names:
                people[name] = people.get(name, 0) + count
        return people

    def add(self, index: int, kinds: Mapping[int, int], names: Sequence[tuple[str, ...]]) -> None:
        """Add people of a period by kind (`names`: the slices of each kind). Old periods are ignored."""
        if not (self._rows or self._open):
            self.last = index
        if index > self.last:
            self._roll(index)
        if index <= self.last - SLICED:
            return
        self._view = None
        if index == self.last:
            people = self._open
            for kind, count in kinds.items():
                people[names[kind]] = people.get(names[kind], 0) + count
            return
        for kind, count in kinds.items():
            for name in names[kind]:
                self._count(name, SLICED - 1 - (self.last - index), count)

    def window(self, last: int, length: int) -> Integers:
        """Counts of the `length` periods that end with `last`: one row a slice, in the order of `names`."""
        table = self.table
        out = np.zeros((len(table), length), np.int64)
        start, first = last - length + 1, self.last - SLICED + 1
        low, high = max(start, first), min(last, self.last) + 1
        if low < high:
            out[:, low - start : high - start] = table[:, low - first : high - first]
        return out

    def overlaid(
        self, last: int, names: Sequence[str], tail: Integers, opened: Mapping[str, int]
    ) -> "Slices":
        """Restore up to `last`: `tail` holds the last columns, `opened` the open period.

        Since this table was written rows may have been added, but none was taken over.
        """
        table = np.zeros((len(names), SLICED), np.int64)
        table[: len(self._table)] = self.window(last, SLICED)
        table[:, SLICED - tail.shape[1] :] = tail
        found = Slices(last, names, table)
        found._open = {(name,): count for name, count in opened.items()}
        return found

    def _roll(self, index: int) -> None:
        """Begin a later period: enter the people of the one that was open, and move the columns."""
        self._enter()
        step = min(index - self.last, SLICED)
        moved = np.zeros_like(self._table)
        moved[:, : SLICED - step] = self._table[:, step:]
        self._table, self.last, self._view = moved, index, None

    def _entered(self) -> "Slices":
        """The same with the open period in the table."""
        if not self._open:
            return self
        if self._view is None:
            self._view = Slices(self.last, self._rows, self._table.copy())
            self._view._open = self._open
            self._view._enter()
        return self._view

    def _enter(self) -> None:
        """Enter the people of the open period into the table."""
        people, self._open = self.open, {}
        for name in [name for name in people if name in self._rows or self._has_room]:
            self._count(name, -1, people.pop(name))
        # The others compete for rows, the largest first.
        for name in sorted(people, key=lambda name: (-people[name], name)):
            self._take_row(name, people[name])
            self._count(name, -1, people[name])

    @property
    def _has_room(self) -> bool:
        return len(self._rows) < SLICES or sum(not _is_other(name) for name in self._rows) < SLICES

    def _take_row(self, name: str, count: int) -> None:
        """Give a new slice the row of the smallest one, if that has fewer people."""
        held = [
            (int(self._table[row].sum()), row, name)
            for name, row in self._rows.items()
            if not _is_other(name)
        ]
        smallest, row, loser = min(held)
        if _is_other(name) or smallest >= count:
            return
        people = self._table[row].copy()
        self._rows = {name if place == row else held: place for held, place in self._rows.items()}
        self._table[row] = 0
        self._count(_other(loser), slice(None), people)
        self.replaced = True

    def _count(self, name: str, column: int | slice, people: int | Integers) -> None:
        row = self._row_of(name)  # which may replace the table
        self._table[row, column] += people

    def _row_of(self, name: str) -> int:
        """Return the row that a slice counts into: its own, or that of OTHER where there is no room."""
        row = self._rows.get(name)
        if row is None and not self._has_room:
            name = _other(name)
            row = self._rows.get(name)
        if row is None:
            self._table = np.concatenate([self._table, np.zeros((1, SLICED), np.int64)])
            self._rows[name] = row = len(self._table) - 1
        return row


def _is_other(name: str) -> bool:
    return name.endswith(f"={OTHER}")


def _other(name: str) -> str:
    return f"{name.partition('=')[0]}={OTHER}"
