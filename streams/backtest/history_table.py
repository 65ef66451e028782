"""Tables of counts: what a history looks like as a file, and what can be wrong with one.

    series,period,count            period = start of the hour, day, week or month (ISO 8601)
    del-rio,2021-08-30,412
    del-rio,2021-09-06,             nothing is known: a gap, which is not a zero

A period without a row, between the first and the last of its series, is a gap as well.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import DAY, Cadence
from streams.table_files.faults import InputError
from streams.table_files.kinds import encoding, not_text
from streams.table_files.unpacking import BROKEN, unpacked
from streams.table_files.workbooks import is_workbook, sheet_text

COLUMNS: Final = ("series", "period", "count")
_WEEK: Final = re.compile(r"\d{4}-?W\d{2}")
LARGEST: Final = 2**31 - 1
LONGEST: Final = 1_000_000  # periods of a series: a stray year 9999 must not fill the memory
SHOWN: Final = 20  # bad rows that are named
EMPTY: Final = "An empty count means that nothing is known of the period; 0 means that nobody came."
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[,'\u2019\u00a0\u2007\u2009\u202f ]\d{3})+")


class TableError(InputError):
    """A table that cannot be used; the message names every bad row, up to a bound."""


@dataclass
class Column:
    """One series: counts of consecutive periods from `first` on, and which of them are known.

    `written` has the periods as the file writes them, by index.
    """

    first: int
    values: NDArray[np.int64]
    known: NDArray[np.bool_]
    written: dict[int, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The index behind the last period."""
        return self.first + len(self.values)


@dataclass
class Table:
    """All series of a file, in the order of their first rows.

    Weeks are those from Monday on. Where all weeks of a file begin on another day (epidemiological weeks
    begin on Sunday), each stands for the Monday before it, and `shift` is the time between the two, in
    seconds.
    """

    cadence: Cadence
    series: dict[str, Column] = field(default_factory=dict)
    shift: int = 0

    @property
    def first(self) -> int:
        """The earliest period of any series."""
        return min(column.first for column in self.series.values())

    @property
    def end(self) -> int:
        """The index behind the latest period of any series."""
        return max(column.end for column in self.series.values())

    def index(self, epoch: float) -> int:
        """The period of the table that holds a moment (epoch seconds)."""
        return self.cadence.index(epoch - self.shift)

    def label(self, name: str, index: int) -> str:
        """A period as the file writes it; one that it does not have, by the day or hour of its start."""
        written = self.series[name].written.get(index)
        if written is not None:
            return written
        start = dt.datetime.fromtimestamp(self.cadence.start(index) + self.shift, dt.UTC)
        return start.isoformat() if self.cadence is Cadence.HOUR else start.date().isoformat()


def moment(text: str, *, as_written: bool = False) -> float:
    """Epoch seconds of an ISO 8601 date, month or time; without an offset (or `as_written`) as if in UTC.

    >>> moment("2021-09"), moment("2021-09-01"), moment("2021-09-01T02:00:00+02:00")
    (1630454400.0, 1630454400.0, 1630454400.0)
    """
    if len(text) == 7:
        text += "-01"
    parsed = dt.datetime.fromisoformat(text)
    is_local = as_written or parsed.tzinfo is None
    return (parsed.replace(tzinfo=dt.UTC) if is_local else parsed).timestamp()


def read(path: Path, cadence: Cadence, *, sheet: str | None = None) -> Table:
    """Read a table, packed or not, as text or in a workbook (its `sheet`); raises InputError."""
    reader = _Reader(cadence)
    faults = []
    for number, cells in _rows(path, sheet):
        try:
            reader.add(number, cells)
        except ValueError as error:
            faults.append(f"{path}:{number}: {error}")
    if faults:
        more = [f"and {len(faults) - SHOWN:,} more rows"] if len(faults) > SHOWN else []
        hint = [EMPTY] if any(": count " in fault for fault in faults) else []
        raise TableError("\n".join([*faults[:SHOWN], *more, *hint]))
    return reader.table(path)


class _Reader:
    """Collects the counts of each series by period."""

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._counts: dict[str, dict[int, int | None]] = {}
        self._seen: dict[tuple[str, int], tuple[str, int]] = {}  # period as written, and row
        self._shifts: dict[int, tuple[str, int]] = {}  # seconds after Monday: the first such period, and row

    def add(self, number: int, cells: Mapping[str, str] | str) -> None:
        """Add a row by its columns, or what is wrong with it; raises ValueError."""
        if isinstance(cells, str):
            raise ValueError(cells)
        name, period, count = (cells[column] for column in COLUMNS)
        if not name:
            raise ValueError("no series")
        epoch = self._epoch(period)
        index = self._cadence.index(epoch)
        before, row = self._seen.setdefault((name, index), (period, number))
        if row != number:
            if before == period:
                raise ValueError(f"{name} has {period} twice (row {row})")
            raise ValueError(f"{period} is in the same {self._cadence} as {before} (row {row}) of {name}")
        if self._cadence is Cadence.WEEK:
            shift = int(epoch - self._cadence.start(index)) // DAY * DAY
            self._shifts = self._shifts or {shift: (period, number)}
            if shift not in self._shifts:
                other, its_row = next(iter(self._shifts.values()))
                raise ValueError(f"the week {period} begins on another weekday than {other} (row {its_row})")
        self._counts.setdefault(name, {})[index] = _count(count)

    def _epoch(self, period: str) -> float:
        """The start of a period as it is written; raises ValueError."""
        if self._cadence is not Cadence.MONTH and len(period) == 7 and period[4] == "-":
            raise ValueError(f"{period!r} is a month, and the cadence is {self._cadence}")
        if self._cadence is not Cadence.WEEK and _WEEK.fullmatch(period):
            raise ValueError(f"{period!r} is a week, and the cadence is {self._cadence}")
        try:
            epoch = moment(period, as_written=self._cadence is not Cadence.HOUR)  # a day is that of its place
            self._cadence.start(self._cadence.index(epoch) + 1)  # December 9999 has no end
        except ValueError:
            raise ValueError(f"{period!r} is no date or time (ISO 8601)") from None
        return epoch

    def table(self, path: Path) -> Table:
        """All that was added; raises TableError where that is nothing, or too much."""
        shift = next(iter(self._shifts), 0)
        table = Table(self._cadence, shift=shift)
        for name, counts in self._counts.items():
            known = {index: count for index, count in counts.items() if count is not None}
            if not known:
                continue
            first, length = min(known), max(known) - min(known) + 1
            if length > LONGEST:
                raise TableError(f"{path}: {name} spans {length:,} periods; is one of its dates wrong?")
            column = Column(first, np.zeros(length, np.int64), np.zeros(length, np.bool_))
            for index, count in known.items():
                column.values[index - first], column.known[index - first] = count, True
            column.written = {index: self._seen[name, index][0] for index in counts}
            table.series[name] = column
        if not table.series:
            raise TableError(f"{path}: no counts in it")
        return table


def _rows(path: Path, sheet: str | None) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """The rows of a file, each by its columns, or as what is wrong with it."""
    try:
        lines = _text(path, sheet).splitlines(keepends=True)
        rows = csv.reader(lines, delimiter=_delimiter(lines[0] if lines else ""), strict=True)
        header = _header(next(rows, []))
        if not set(COLUMNS) <= set(header):
            raise TableError(f"{path}:1: needs the columns {','.join(COLUMNS)}, has {','.join(header)!r}")
        if twice := [name for name in COLUMNS if header.count(name) > 1]:
            raise TableError(f"{path}:1: column {twice[0]!r} is there twice")
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(row) == len(header):
                yield rows.line_num, dict(zip(header, cells, strict=True))
            else:
                yield rows.line_num, f"{len(row)} cells, the header has {len(header)}"
    except csv.Error as error:
        raise TableError(f"{path}: no table of text: {error}") from error


def _header(cells: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _delimiter(header: str) -> str:
    """Return what stands between the columns of a header: a comma, a semicolon, a tab or a bar."""
    return max(",;\t|", key=header.count)


def _text(path: Path, sheet: str | None) -> str:
    """The text of a file, unpacked; of a workbook, a sheet of it."""
    try:
        with path.open("rb") as raw, unpacked(str(path), raw) as stream:
            start = stream.peek(64)
            if is_workbook(start):
                return sheet_text(str(path), stream, _fits, within=1, wanted=sheet)[1]
            content = stream.read()
    except BROKEN as error:
        raise TableError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if sheet is not None:
        raise TableError(f"{path} is no workbook: it has no sheet {sheet!r}")
    if explained := not_text(content):
        raise TableError(f"{path} {explained}")
    return _decoded(path, content)


def _fits(head: str) -> bool:
    return set(COLUMNS) <= set(_header(next(csv.reader(head.splitlines()), [])))


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode(encoding(content))
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        shown = content.split(b"\n")[row - 1].decode("latin-1").strip()[:64]
        raise TableError(
            f"{path}:{row}: {shown!r} is not UTF-8. If the file is Latin-1: iconv -f latin1 -t utf-8 {path}"
        ) from error


def _count(text: str) -> int | None:
    if not text:
        return None
    try:
        count = float(re.sub(r"\D", "", text) if _THOUSANDS.fullmatch(text) else text)
    except ValueError:
        raise ValueError(f"count {text!r} is no number") from None
    if not (0 <= count <= LARGEST and count == int(count)):
        raise ValueError(f"count {text!r} is not a whole number from 0 to {LARGEST}")
    return int(count)
