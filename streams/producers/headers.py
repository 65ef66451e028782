"""Find a table's header and its layout, or explain why no layout fits."""

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest

from streams.contract.events import Encounter
from streams.producers.cells import (
    MONTHS,
    month_named,
    month_of_year,
    quarter_of_year,
    unmarked,
    year_written,
)
from streams.producers.layout import Layout, Time

WITHIN = 40  # lines of a file, in which its header is looked for
_DELIMITERS = ",|\t;"
_LIKE = 0.5  # share of a layout's columns from which on a header looks like it
_FIELDS = tuple(Encounter.model_fields)
_REQUIRED = tuple(name for name, each in Encounter.model_fields.items() if each.is_required())
# Columns beside those of periods that are none. One of them that names a year may be one.
_BESIDE = re.compile(
    r".*(?:tota|change|diff|%|share).*|\D*(?:sum|all|ytd|to date|cumul|average|mean|note|source)\D*",
    re.IGNORECASE,
)
_A_YEAR = re.compile(r"(?:19|20)\d{2}")
_WORD = re.compile(r"[^\W\d_]+")
_LIKE_A_MONTH = 0.65  # from which on a name may be a month's, misspelt
_A_COLUMN = {
    "month-columns": "a month, such as JAN2009",
    "year-columns": "a year, such as 2024",
    "month-name-columns": "a month, such as Jan",
}


Rows = Sequence[Sequence[str]]
Periods = Mapping[int, tuple[int | None, int | None]]  # by column: year and month


@dataclass(frozen=True)
class Header:
    """The header of a table, as one layout reads it (None: the fields of an encounter)."""

    line: int  # 1 is the first of the file
    delimiter: str
    names: Sequence[str]  # as the file has them
    layout: Layout | None
    at: dict[str, int] = field(default_factory=dict)  # by column of the layout
    periods: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)  # year and month
    missing: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()  # columns that state the same as another: nobody knows which one holds
    doubts: tuple[str, ...] = ()  # what else speaks against the layout

    @property
    def fits(self) -> bool:
        """Return whether nothing speaks against the layout."""
        return not (self.missing or self.strange or self.twice or self.doubts)

    @property
    def likeness(self) -> float:
        """The share of the wanted columns that are there; some of periods are one."""
        there = len(self.at) + (len(self.periods) > 1)
        return there / max(there + len(self.missing), 1)

    def surplus(self, line: Sequence[str]) -> str:
        """Return what is wrong with a line of more cells than the header has; empty where it has not."""
        if len(line) <= len(self.names):
            return ""
        return (
            f"the row has {len(line)} cells, the header {len(self.names)}: a cell with "
            f"{self.delimiter!r} in it, such as 1,204, needs quotes"
        )

    def explain(self) -> str:
        """Return what differs from the layout, in one sentence."""
        near = [self._near(name) for name in self.missing]
        faults = [f"unknown column {name[:64]!r}" for name in self.strange[:5]] + near
        faults += [f"column {name[:64]!r} is there twice" for name in self.twice[:5]] + [*self.doubts]
        name = self.layout.title if self.layout else "encounter events (surgewatch schema)"
        return "; ".join([f"looks like {name}", *([", ".join(faults)] if faults else [])])

    def _near(self, missing: str) -> str:
        if missing in _A_COLUMN.values():
            return f"no column that is {missing}"
        known = {*self.at.values(), *self.periods}
        left = [_plain(name) for index, name in enumerate(self.names) if index not in known]
        near = difflib.get_close_matches(missing, left, n=1, cutoff=0.8)
        hint = f" (but {near[0]!r})" if near and near[0] != missing else ""
        return f"no column {missing!r}{hint}"


def find_header(lines: Sequence[str], layouts: Iterable[Layout]) -> Header | None:
    """The header among the first lines of a file: the one that fits best, or else the one most like one.

    None where no line looks like any.
    """
    layouts = tuple(layouts)
    best: Header | None = None
    for number, line in enumerate(lines[:WITHIN], 1):
        for delimiter in _DELIMITERS:
            if delimiter not in line and delimiter != ",":
                continue
            *above, names = (_cells(each, delimiter) for each in lines[max(number - 3, 0) : number])
            found = _candidates(layouts, number, delimiter, names=names, above=above)
            best = max((*([best] if best else []), *found), key=_rank)
        if best and best.fits:
            return best
    return best if best and best.likeness >= _LIKE else None


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line, each on one line."""
    rows = csv.reader(line.splitlines(keepends=True), delimiter=delimiter)
    return [" ".join(cell.splitlines()) for cell in next(rows, [])]


def header_below(
    layouts: Iterable[Layout], number: int, delimiter: str, *, names: Sequence[str], above: Rows
) -> Header | None:
    """The header of another table, in a line below the first one; None where the line is none.

    `above` are the lines before it, the last one next to it: a header may have several rows.
    """
    best = max(_candidates(layouts, number, delimiter, names=names, above=above), key=_rank)
    return best if best.fits or best.likeness > _LIKE else None


def _candidates(
    layouts: Iterable[Layout], line: int, delimiter: str, *, names: Sequence[str], above: Rows
) -> list[Header]:
    found = [_fitted(layout, line, delimiter, names=names, above=above) for layout in layouts]
    return [*(_contested(one, found) for one in found), _events(line, delimiter, names)]


def _contested(header: Header, others: Iterable[Header]) -> Header:
    """The header; it does not fit where one of its columns may be one that another layout misses.

    That layout has the same columns and one more, by which its rows would be distinguished.
    """
    at, first = set(header.at.values()), min(header.periods, default=0)
    left = [name for index, name in enumerate(header.names[:first]) if name.strip() and index not in at]
    is_contested = header.fits and any(
        len(other.missing) == 1 and at <= set(other.at.values()) and other.periods == header.periods
        for other in others
    )
    return replace(header, strange=tuple(left)) if is_contested else header


def _rank(header: Header) -> tuple[bool, float, int]:
    return header.fits, header.likeness, len(header.at)


def _plain(name: str) -> str:
    return unmarked(name.strip().lstrip("#").strip()).casefold().replace("_", " ")


def _fitted(layout: Layout, line: int, delimiter: str, *, names: Sequence[str], above: Rows) -> Header:
    years = dict[int, int]()
    if layout.time.kind == "month-name-columns":
        years = next(filter(None, (_years(layout.time, names, row) for row in reversed(above))), years)
    if years:  # a header of several rows: what a lower one leaves blank stands in an upper one
        for row in reversed(above):
            names = [name if name.strip() else upper for name, upper in zip_longest(names, row, fillvalue="")]
    where = {_plain(name): index for index, name in reversed([*enumerate(names)])}
    at: dict[str, int] = {}
    missing: list[str] = []
    for role, spellings in layout.columns.items():
        found = next((where[_plain(name)] for name in spellings if _plain(name) in where), None)
        if found is not None:
            at[role] = found
        elif role not in layout.optional:
            missing.append(_plain(spellings[0]))
    periods = _periods(layout, names, years) if layout.is_wide else {}
    if layout.is_wide and not periods:
        missing.append(_A_COLUMN[layout.time.kind])
    strange = tuple(names[index].strip() for index in _unread(names, at, periods))
    doubts, twice = _of_two_years(layout.time, periods), _twice(names, at, periods)
    return Header(line, delimiter, names, layout, at, periods, tuple(missing), strange, twice, doubts)


def _of_two_years(time: Time, periods: Periods) -> tuple[str, ...]:
    """What is wrong with months that have one year for all: December stands beside January, or as fiscal."""
    months = [month for year, month in periods.values() if year is None and month]
    last, first = (time.year_begins - 2) % 12 + 1, time.year_begins
    if any({last, first} == {*pair} for pair in pairwise(months)):
        return ("its months are of two years (year_begins)",)
    return ()


def _twice(names: Sequence[str], at: Mapping[str, int], periods: Mapping[int, object]) -> tuple[str, ...]:
    """The columns that are read, and are there twice: by name, or as the same period."""
    plain, all_periods = [_plain(name) for name in names], [*periods.values()]
    found = [index for index in at.values() if plain.count(plain[index]) > 1]
    found += [index for index, period in periods.items() if all_periods.count(period) > 1]
    return tuple(dict.fromkeys(names[index].strip() for index in found))


def _unread(names: Sequence[str], at: Mapping[str, int], periods: Periods) -> Iterator[int]:
    """The columns that may be periods too, and cannot be read: any among periods, and names like theirs."""
    first = min(periods, default=len(names))
    for index, name in enumerate(map(str.strip, names)):
        is_read = index in periods or index in at.values()
        if is_read or not name or _BESIDE.fullmatch(name) or _is_quarter(name, periods):
            continue
        if index > first or (periods and _may_be_period(name)):
            yield index


def _is_quarter(name: str, periods: Periods) -> bool:
    """Return whether a column is the sum of a quarter of which a month has a column too."""
    found = quarter_of_year(unmarked(name))
    if found is None:
        return False
    year, quarter = found
    return any(
        month is not None and (month + 2) // 3 == quarter and (not year or not of or year == of)
        for of, month in periods.values()
    )


def _may_be_period(name: str) -> bool:
    word = _WORD.match(name)
    near = difflib.get_close_matches(word[0][:3].upper(), MONTHS, 1, _LIKE_A_MONTH) if word else []
    is_short = word is not None and (len(word[0]) == 3 or any(map(str.isdecimal, name)))
    return bool(_A_YEAR.search(name)) or (is_short and bool(near))


def _years(time: Time, names: Sequence[str], above: Sequence[str]) -> dict[int, int]:
    """The year of each column from the first month on, where the row above has years."""
    first = next((index for index, name in enumerate(names) if month_named(name)), len(names))
    found: dict[int, int] = {}
    year = None
    for index in range(first, len(names)):
        cell = unmarked(above[index].strip()) if index < len(above) else ""
        year = year_written(cell, is_fiscal=time.is_fiscal) or year
        if year is not None:
            found[index] = year
    return found


def _periods(
    layout: Layout, names: Sequence[str], years: Mapping[int, int]
) -> dict[int, tuple[int | None, int | None]]:
    """Year and month of each column that is a period; None: in another column or a line above."""
    found: dict[int, tuple[int | None, int | None]] = {}
    for index, written in enumerate(names):
        name = unmarked(written.strip())
        match layout.time.kind:
            case "month-columns":
                if period := month_of_year(name):
                    found[index] = period
            case "year-columns":
                if year := year_written(name, is_fiscal=layout.time.is_fiscal):
                    found[index] = year, None
            case _:
                if number := month_named(name):
                    year = years.get(index)
                    found[index] = year and layout.time.calendar_year(year, number), number
                elif period := month_of_year(name):
                    found[index] = period
    return found


def _events(line: int, delimiter: str, names: Sequence[str]) -> Header:
    plain = [name.strip().casefold() for name in names]
    at = {name: plain.index(name) for name in _FIELDS if name in plain}
    missing = tuple(name for name in _REQUIRED if name not in at)
    strange = tuple(name for name in plain if name not in _FIELDS)
    twice = tuple(name for name in at if plain.count(name) > 1)
    return Header(line, delimiter, names, None, at, {}, missing, strange, twice)
