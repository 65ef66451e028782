"""Layouts of official tables, as data: which column holds what. A layout is one TOML file in `layouts/`."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams.contract.cadence import Cadence
from streams.contract.events import CrossingType, Demographic
from streams.contract.toml_documents import load

SHIPPED = Path(__file__).with_name("layouts")
COUNT = "count"  # the column of people; a layout without one has a person a row, or a column a period
ALLOWED = {"demographic": get_args(Demographic), "crossing_type": get_args(CrossingType)}
_NEEDS = {
    "date": {"date"},
    "moment": {"date"},
    "year-month": {"year", "month"},
    "fiscal-month": {"year", "month"},
    "year-columns": {"month"},
    "month-columns": set(),
    "month-name-columns": set(),
}
SUPPRESSED = (
    "", "-", "--", "–", "—", "−", ".", "..", "...", "*", "**", ":", "x", "c", "f", "[x]",
    "[c]", "[z]", "[u]", "[low]", "n/a", "na", "n.a.", "n/d", "nd", "nan", "null", "#n/a",
)  # fmt: skip
_FEW = re.compile(r"(?:<|≤|<=|fewer than|less than) ?\d{1,2}|\d{1,2} ?(?:-|–|to) ?\d{1,2}")  # <5, 1-4
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Strict(BaseModel):
    """A part of a layout."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Time(Strict):
    """Where the time of a row stands.

    `date` and `moment` read the column `date`; `year-month` the columns `year` and `month`; `fiscal-month`
    the same, with years that begin in October. In the other kinds a column of the file is a period: a month
    of a year (JAN2009), a year (beside a column `month`), or a month's name (the year is in a column `year`
    or in a line above the header). Years that do not begin in January are named by the year in which they
    end (FY2025, 2024-25).
    """

    kind: Literal[
        "date", "moment", "year-month", "fiscal-month", "month-columns", "year-columns", "month-name-columns"
    ]
    formats: tuple[str, ...] = ()  # of strptime; ISO 8601 where there are none
    year_begins: Annotated[int, Field(ge=1, le=12)] = 1  # month
    names_last_day: bool = False  # of the period
    short_months: bool = False  # JAN only, and neither January nor 1

    @model_validator(mode="before")
    @classmethod
    def _of_the_united_states(cls, found: object) -> object:
        if isinstance(found, dict) and found.get("kind") == "fiscal-month":
            return {"year_begins": 10, **found}
        return found

    @property
    def is_fiscal(self) -> bool:
        """Whether years begin in another month than January."""
        return self.year_begins > 1

    def calendar_year(self, year: int, month: int) -> int:
        """Return the year of the calendar in which a month of the table's year lies."""
        return year - (month >= self.year_begins > 1)


class Skip(Strict):
    """Valid rows that count nobody: those whose `column` holds one of `values`."""

    column: str
    values: tuple[str, ...]
    reason: str


class Layout(Strict):
    """An official table.

    `columns` gives each column a name of ours and the names under which releases have it (without regard to
    case; `_` is a space). `event` makes the fields of an event of them ("{area}"), and `labels` translate.
    `suppressed` are cells that state no figure, in lower case; they are never 0 (without any, `<5` is refused
    too). `thousands` is "." where 1.204 are 1,204 people. `blank_is_zero_beside` names a column: where it has
    a value, an empty count is 0. `latest_by` names the column that orders several figures of one period.
    `never_below` are words (in lower case) of a title that other tables with the same header have.
    `cumulative` figures are sums since the start of the year. Rows of the same figure are added up where a
    text differs; `parts` name columns whose numbers distinguish such rows too (ages).
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=24)]
    title: str
    description: str
    source: str
    period: Cadence | None = None  # None: a row is one person
    columns: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    parts: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()  # columns that a release may lack
    time: Time
    event: dict[Literal["sector", "crossing", "crossing_type", "demographic", "citizenship"], str]
    labels: dict[Literal["crossing_type", "demographic", "citizenship"], dict[str, str]] = {}
    skip: tuple[Skip, ...] = ()
    suppressed: tuple[str, ...] = SUPPRESSED
    thousands: Literal["", "."] = ""
    blank_is_zero_beside: str | None = None
    latest_by: str | None = None
    cumulative: bool = False
    never_below: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        used = {name for text in self.event.values() for name in _PLACEHOLDER.findall(text)}
        used |= _NEEDS[self.time.kind] | {rule.column for rule in self.skip}
        used |= {self.blank_is_zero_beside, self.latest_by, *self.parts} - {None}
        faults = [f"no column {name!r} in [columns]" for name in sorted(used - set(self.columns))]
        faults += [
            f"event.{name} is missing"
            for name in ("sector", "crossing_type", "demographic")
            if name not in self.event
        ]
        for field, allowed in ALLOWED.items():
            text = self.event.get(field, "")  # type: ignore[call-overload]
            values = set(self.labels.get(field, {}).values())  # type: ignore[call-overload]
            values |= set() if "{" in text else {text}
            faults += [
                f"{field} {v!r} is none of {', '.join(allowed)}" for v in sorted(values - {*allowed, ""})
            ]
        if self.period is None and self.time.kind != "moment":
            faults.append("without a period, time.kind must be moment")
        if self.period and not self.is_wide and COUNT not in self.columns:
            faults.append("no column 'count' in [columns]")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def is_suppressed(self, text: str) -> bool:
        """Return whether a cell states no figure."""
        cell = text.casefold()
        return cell in self.suppressed or bool(self.suppressed and _FEW.fullmatch(cell))

    @property
    def is_wide(self) -> bool:
        """Whether periods are columns."""
        return self.time.kind.endswith("columns")

    def placeholders(self, field: str) -> list[str]:
        """The columns that a field of an event is made of."""
        return _PLACEHOLDER.findall(self.event.get(field, ""))  # type: ignore[call-overload]


@cache
def shipped() -> tuple[Layout, ...]:
    """Return the shipped layouts."""
    return tuple(load(path, Layout) for path in sorted(SHIPPED.glob("*.toml")))
