"""Known dates: holidays, policy dates from which on a sector has a new level, and closures."""

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, Self, get_args

from streams.contract.controls import missing, plausible

Kind = Literal["holiday", "policy", "closure"]
EPOCH = dt.date(1970, 1, 1)
COLUMNS = ("date", "kind", "name", "series", "until")
NEEDED = {"date", "kind", "name"}


class CalendarError(ValueError):
    """A calendar file that cannot be used; the message names the line."""


@dataclass(frozen=True)
class KnownDate:
    """One date of the calendar; `series` is a glob of sector ids."""

    date: dt.date
    kind: Kind
    name: str
    series: str = "*"
    until: dt.date | None = None  # the last day of a closure; None: it lasts one day

    @property
    def day(self) -> int:
        """Days since 1970."""
        return (self.date - EPOCH).days


@dataclass(frozen=True)
class Calendar:
    """All known dates."""

    dates: tuple[KnownDate, ...] = field(default=())

    @cached_property
    def holidays(self) -> frozenset[int]:
        """Days since 1970 that are holidays."""
        return frozenset(one.day for one in self.dates if one.kind == "holiday")

    def steps(self, series: str) -> tuple[int, ...]:
        """The policy dates of a series, as days since 1970, in order."""
        found = self._steps.get(series)
        if found is None:
            fits = (one for one in self.dates if one.kind == "policy" and fnmatchcase(series, one.series))
            found = self._steps[series] = tuple(sorted({one.day for one in fits}))
        return found

    def closures(self, series: str) -> frozenset[int]:
        """The days since 1970 on which a series is closed: nobody is expected."""
        found = self._closures.get(series)
        if found is None:
            fits = (one for one in self.dates if one.kind == "closure" and fnmatchcase(series, one.series))
            days = (range(one.day, ((one.until or one.date) - EPOCH).days + 1) for one in fits)
            found = self._closures[series] = frozenset(day for each in days for day in each)
        return found

    @cached_property
    def _closures(self) -> dict[str, frozenset[int]]:
        """What was found before: every series is asked about every day."""
        return {}

    @cached_property
    def _steps(self) -> dict[str, tuple[int, ...]]:
        """What was found before: every series is asked about every day."""
        return {}

    def with_dates(self, more: Iterable[KnownDate]) -> "Calendar":
        """This calendar and more dates."""
        return Calendar((*self.dates, *more))

    @classmethod
    def read(cls, path: Path, series: frozenset[str] | None = None) -> Self:
        """Read `date,kind,name,series,until` (CSV) about these series; None: about any.

        Raises CalendarError naming every fault with its line. A column or a series that is not known is one:
        a closure of one sector must not become one of all, or of none.
        """
        faults, dates = list[str](), list[KnownDate]()
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                columns = rows.fieldnames or ()
                if not NEEDED <= set(columns) <= set(COLUMNS) or len(columns) > len(set(columns)):
                    raise CalendarError(
                        f"{path}:1: the columns are {','.join(columns)!r}, not {','.join(COLUMNS)}"
                    )
                for row in rows:
                    try:
                        dates.append(_read(row, series))
                    except ValueError as fault:
                        faults.append(f"{path}:{rows.line_num}: {fault}")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CalendarError(f"{path}: {error}") from error
        if faults:
            raise CalendarError("\n".join(faults))
        return cls(tuple(dates))


def _read(row: dict[str, str | None], known: frozenset[str] | None) -> KnownDate:
    """Raises ValueError."""
    if None in row:  # where DictReader puts the cells that no column has
        raise ValueError("has more cells than columns")
    kind = next((one for one in get_args(Kind) if one == row["kind"]), None)
    if kind is None:
        raise ValueError(f"kind is {row['kind']!r}, not holiday, policy or closure")
    date, end = _date(row["date"]), (row.get("until") or "").strip()
    until = _date(end) if end else None
    if until is not None and (kind != "closure" or until < date):
        raise ValueError("until is for closures, and not before their date")
    name, series = (row["name"] or "").strip(), (row.get("series") or "").strip() or "*"
    if kind == "holiday" and series != "*":
        raise ValueError(f"a holiday is one of all sectors, not of {series!r} alone")
    if unknown := missing("no sector matches {name}", [series], known):
        raise ValueError(str(unknown[0]))
    return KnownDate(date, kind, name, series, until)


def _date(text: str | None) -> dt.date:
    """Raises ValueError."""
    try:
        date = dt.date.fromisoformat((text or "").strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no date") from error
    return plausible(date)
