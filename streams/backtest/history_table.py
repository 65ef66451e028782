"""Tables of counts: what a history looks like as a file, and what can be wrong with one.

    series,period,count            period = start of the hour, day, week or month (ISO 8601)
    del-rio,2021-08-30,412
    del-rio,2021-09-06,             nothing known: a gap, which is not a zero

A period without a row, between the first and the last of its series, is a gap as well.
"""

import csv
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import Cadence

COLUMNS: Final = ("series", "period", "count")
LARGEST: Final = 2**31 - 1
LONGEST: Final = 1_000_000  # periods of a series: a stray year 9999 must not fill the memory


class TableError(ValueError):
    """A table that cannot be used; the message names the row."""


@dataclass
class Column:
    """One series: counts of consecutive periods from `first` on, and which of them are known."""

    first: int
    values: NDArray[np.int64]
    known: NDArray[np.bool_]

    @property
    def end(self) -> int:
        """The index behind the last period."""
        return self.first + len(self.values)


@dataclass
class Table:
    """All series of a file, in the order of their first rows."""

    cadence: Cadence
    series: dict[str, Column] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The earliest period of any series."""
        return min(column.first for column in self.series.values())

    @property
    def end(self) -> int:
        """The index behind the latest period of any series."""
        return max(column.end for column in self.series.values())


def moment(text: str) -> float:
    """Epoch seconds of an ISO 8601 date, month or time; without an offset it is meant as written.

    >>> moment("2021-09"), moment("2021-09-01"), moment("2021-09-01T02:00:00+02:00")
    (1630454400.0, 1630454400.0, 1630454400.0)
    """
    if len(text) == 7:
        text += "-01"
    parsed = dt.datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)).timestamp()


def read(path: Path, cadence: Cadence) -> Table:
    """Read a table; raises TableError naming row and reason."""
    cells: dict[str, dict[int, int | None]] = {}
    periods: dict[str, int] = {}
    for number, name, period, count in _rows(path):
        if period not in periods:
            periods[period] = _index(path, number, period, cadence)
        row = cells.setdefault(name, {})
        if periods[period] in row:
            raise TableError(f"{path}:{number}: {name} has {period} twice")
        row[periods[period]] = _count(path, number, count)
    known = {name: row for name, row in cells.items() if any(count is not None for count in row.values())}
    if not known:
        raise TableError(f"{path}: no counts in it")
    return Table(cadence, {name: _column(path, name, row) for name, row in known.items()})


def _rows(path: Path) -> Iterator[tuple[int, str, str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = [cell.strip().lower() for cell in next(rows, [])]
            if not set(COLUMNS) <= set(header):
                raise TableError(f"{path}:1: needs the columns {','.join(COLUMNS)}, has {','.join(header)!r}")
            at = [header.index(column) for column in COLUMNS]
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise TableError(
                        f"{path}:{rows.line_num}: {len(row)} cells, the header has {len(header)}"
                    )
                name, period, count = (row[column].strip() for column in at)
                if not name:
                    raise TableError(f"{path}:{rows.line_num}: no series")
                yield rows.line_num, name, period, count
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: no table of text: {error}") from error
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from error


def _index(path: Path, number: int, text: str, cadence: Cadence) -> int:
    try:
        epoch = moment(text)
    except ValueError as error:
        raise TableError(f"{path}:{number}: {text!r} is no date or time (ISO 8601)") from error
    return cadence.index(epoch)


def _count(path: Path, number: int, text: str) -> int | None:
    if not text:
        return None
    try:
        count = float(text)
    except ValueError as error:
        raise TableError(f"{path}:{number}: count {text!r} is no number") from error
    if not (0 <= count <= LARGEST and count == int(count)):
        raise TableError(f"{path}:{number}: count {text!r} is not a whole number from 0 to {LARGEST}")
    return int(count)


def _column(path: Path, name: str, row: dict[int, int | None]) -> Column:
    first, last = (pick(at for at, count in row.items() if count is not None) for pick in (min, max))
    if last - first >= LONGEST:
        raise TableError(f"{path}: {name} spans {last - first + 1:,} periods; is one of its dates wrong?")
    column = Column(first, np.zeros(last - first + 1, np.int64), np.zeros(last - first + 1, np.bool_))
    for at, count in row.items():
        if count is not None:
            column.values[at - first], column.known[at - first] = count, True
    return column
