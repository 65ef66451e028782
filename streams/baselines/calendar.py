"""Known dates: holidays, and policy dates from which on a sector has a new level."""

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

EPOCH = dt.date(1970, 1, 1)


class CalendarError(ValueError):
    """A calendar file that cannot be used; the message names the line."""


@dataclass(frozen=True)
class KnownDate:
    """One date of the calendar; `series` is a glob of sector ids."""

    date: dt.date
    kind: Literal["holiday", "policy"]
    name: str
    series: str = "*"

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

    @cached_property
    def _steps(self) -> dict[str, tuple[int, ...]]:
        """What was found before: every series is asked about every day."""
        return {}

    def with_dates(self, more: Iterable[KnownDate]) -> "Calendar":
        """This calendar and more dates."""
        return Calendar((*self.dates, *more))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `date,kind,name,series` (CSV); raises CalendarError naming the line."""
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not {"date", "kind", "name"} <= set(rows.fieldnames or ()):
                raise CalendarError(f"{path}:1: needs the columns date,kind,name,series")
            return cls(tuple(_read(path, number, row) for number, row in enumerate(rows, 2)))


def _read(path: Path, number: int, row: dict[str, str]) -> KnownDate:
    if row["kind"] not in ("holiday", "policy"):
        raise CalendarError(f"{path}:{number}: kind is {row['kind']!r}, not holiday or policy")
    try:
        date = dt.date.fromisoformat(row["date"].strip())
    except ValueError as error:
        raise CalendarError(f"{path}:{number}: {row['date']!r} is no date") from error
    kind: Literal["holiday", "policy"] = "holiday" if row["kind"] == "holiday" else "policy"
    return KnownDate(date, kind, row["name"].strip(), (row.get("series") or "*").strip() or "*")
