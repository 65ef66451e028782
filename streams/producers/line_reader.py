"""One line below a table's header becomes figures: counts of people, each with what it counts."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry, Sector, UnknownSectorError
from streams.producers import cells
from streams.producers.banners import year_above
from streams.producers.cells import CellError, OrderError
from streams.producers.figures import TOTALS, Figure, Key, Line
from streams.producers.headers import Header
from streams.producers.layout import ALLOWED, COUNT, Layout
from streams.producers.row_parts import RowParts

_TOTAL = re.compile(
    r"(?:grand |sub-?)?tota(?:l|ls|le|li|ux)\b.*|.+ (?:sub-?)?totals?|all(?: (?!other)\w+)?"
    r"|sums?|summe|suma|somme|(?:ins)?gesamt|nationwide|overall|(?:ensemble|tous|toutes|todos|todas)\b.*",
    re.IGNORECASE,
)  # fmt: skip
NOTE = re.compile(r"(?:notes?|sources?|footnotes?)\b|[*\u2020\u2021]|\[\w+\] |\(?\d{1,2}[.)] ", re.IGNORECASE)


class LineReader:
    """Read lines by a layout. `banner` is the text above the header."""

    def __init__(self, header: Header, layout: Layout, registry: Registry, banner: str) -> None:
        self.layout, self._header, self._registry = layout, header, registry
        self._year = year_above(banner, is_fiscal=layout.time.is_fiscal)
        self._labels: dict[str, dict[str, str]] = {
            field: {cells.label(label): value for label, value in labels.items()}
            for field, labels in layout.labels.items()
        }
        # The columns of figures; none where a row is a person.
        self._figures = [index for index, _, _ in self._periods() if index is not None]
        self._parts = RowParts(header, layout, self._figures)
        self._spelt: dict[str, str] = {}
        self._labelled = [
            (role, header.at[role])
            for name in ("sector", "crossing", "demographic", "citizenship")
            if "" not in self._labels.get(name, {})
            for role in layout.placeholders(name)
            if role in header.at
        ]
        first = min(header.periods, default=len(header.names))
        self._unnamed = [at for at, name in enumerate(header.names) if at > first and not name.strip()]
        self._sectors: dict[str, Sector | str] = {}  # by place, or what is known of one that is not there

    def read(self, number: int, cells_: Sequence[str]) -> Line:
        """Return the figures of a line, or its faults. A line may have fewer cells than the header."""
        line = Line()
        cells_ = [*cells_, *[""] * (len(self._header.names) - len(cells_))]
        if reason := self._is_skipped(cells_):
            line.skipped.append(reason)
            return line
        if surplus := self._header.surplus(cells_):
            line.faults.append(surplus)
            return line
        sector = self._sector(cells_, line)
        crossing_type = self._crossing_type(cells_, line)
        demographic = self._demographic(cells_, line)
        report = self._report(cells_, line)
        if self.layout.period is not None:
            line.faults += [*self._blanks(cells_), *self._nameless(cells_)]
        for index, year, month in self._periods():
            count = self._count(index, cells_, line)
            start = self._start(cells_, year, month, line)
            if count is None or start is None or sector is None:
                continue
            if report and report < start.date().isoformat():
                line.skipped.append("the period was not over when it was reported")
                continue
            zone = ZoneInfo(sector.time_zone)
            start = start.astimezone(zone) if start.tzinfo else start.replace(tzinfo=zone)
            key = Key(
                start, sector.id, self._filled("crossing", cells_),
                crossing_type, demographic, self._citizenship(cells_),
            )  # fmt: skip
            line.figures.append((key, Figure(number, count, report)))
        line.parts = self._parts.of(cells_)
        return line

    def _is_skipped(self, line: Sequence[str]) -> str | None:
        """Return why a line counts nobody, if it does not."""
        if any(_TOTAL.fullmatch(cell) for cell in self._described(line)):
            return TOTALS
        if self._is_note(line):
            return "a note or an empty row"
        states = {role: self._cell(role, line) for role in self._header.at if role != COUNT}
        for rule in self.layout.skip:
            if states.get(rule.column, "").casefold() in {value.casefold() for value in rule.values}:
                return rule.reason
        return None

    def _is_note(self, line: Sequence[str]) -> bool:
        """Return whether a line is text about the table: it names neither a time nor a place."""
        if self._is_dated(line) or self._names_place(line):
            return False
        is_empty = bool(self._figures) and not any(line[index] for index in self._figures)
        is_text = sum(map(bool, line)) <= 1 < len(line) or bool(NOTE.match(line[0]))
        return is_empty or is_text

    def _described(self, line: Sequence[str]) -> Sequence[str]:
        """The cells of a line that describe its figures: those before the first figure."""
        return line[: min(self._figures)] if self._figures else line

    def _is_dated(self, line: Sequence[str]) -> bool:
        """Return whether a cell of the line holds a time."""
        if not {"date", "month"} & self._header.at.keys():
            return False
        try:
            return bool(self._local(line, 2000, None))  # some year: that of a row may stand elsewhere
        except CellError:
            return False

    def _names_place(self, line: Sequence[str]) -> bool:
        """Return whether cells of the line name a sector."""
        return bool(self.layout.placeholders("sector")) and isinstance(self._place(line), Sector)

    def _periods(self) -> Iterator[tuple[int | None, int | None, int | None]]:
        """The columns that hold figures, each with its year and month (None: in another cell)."""
        if self.layout.is_wide:
            yield from ((index, *period) for index, period in self._header.periods.items())
        else:
            yield self._header.at.get(COUNT), None, None

    def _count(self, index: int | None, cells_: Sequence[str], line: Line) -> int | None:
        if index is None:
            return 1  # a row is a person
        text, beside = cells_[index], self.layout.blank_is_zero_beside
        if not text and beside and self._cell(beside, cells_):
            return 0
        if self.layout.is_suppressed(text) or self.layout.is_suppressed(cells.unmarked(text)):
            line.skipped.append("no figure: suppressed, or not reported")
            return None
        try:
            return cells.whole(self._header.names[index].strip(), text, thousands=self.layout.thousands)
        except CellError as error:
            line.faults.append(str(error))
            return None

    def _crossing_type(self, cells_: Sequence[str], line: Line) -> str:
        label = self._filled("crossing_type", cells_)
        known = self._labels.get("crossing_type", {})
        value = known.get(cells.label(label), label)
        if value not in ALLOWED["crossing_type"]:
            allowed = ", ".join(self.layout.labels.get("crossing_type") or ALLOWED["crossing_type"])
            line.faults.append(str(CellError(self.column("crossing_type"), label, f"is none of {allowed}")))
        return value

    def _demographic(self, cells_: Sequence[str], line: Line) -> str:
        label = self._filled("demographic", cells_)
        value = self._labels.get("demographic", {}).get(cells.label(label), label)
        if value in ALLOWED["demographic"]:
            return value
        line.unlabelled.append((self.column("demographic"), label))
        return "unknown"

    def _blanks(self, cells_: Sequence[str]) -> list[str]:
        """What is wrong with labels that are empty: nobody knows whether a row without one is a subtotal."""
        return [
            f"{self._name(role)} is empty: a subtotal, or a cell merged with the one above"
            for role, at in self._labelled
            if not cells_[at][:1].isalnum() and not self._cell(role, cells_)
        ]

    def _nameless(self, cells_: Sequence[str]) -> list[str]:
        """What is wrong with cells among periods whose column has no name: they may be of a period."""
        return [
            f'column {index + 1} has no name, and "{cells_[index][:64]}" in it'
            for index in self._unnamed
            if cells_[index]
        ]

    def _citizenship(self, cells_: Sequence[str]) -> str:
        label = self._filled("citizenship", cells_)
        found = self._labels.get("citizenship", {}).get(cells.label(label), label)
        return self._spelt.setdefault(found.casefold(), found)  # as the table has it first

    def _sector(self, cells_: Sequence[str], line: Line) -> Sector | None:
        found = self._place(cells_)
        if isinstance(found, Sector):
            return found
        place = self._filled("sector", cells_)
        if self._blanks(cells_):
            return None
        fault = CellError(self.column("sector"), place, f"is no sector of the registry; {found}".rstrip("; "))
        line.faults.append(str(fault))
        line.is_unknown_place = True
        return None

    def _place(self, cells_: Sequence[str]) -> Sector | str:
        """The sector that a line names, or what is known of a place that is none."""
        place = self._filled("sector", cells_)
        if place not in self._sectors:
            try:
                self._sectors[place] = self._registry.find(place)
            except UnknownSectorError as error:
                self._sectors[place] = str(error).partition("; ")[2]
        return self._sectors[place]

    def _report(self, cells_: Sequence[str], line: Line) -> str:
        role = self.layout.latest_by
        if role is None:
            return ""
        try:
            at = cells.moment(self._name(role), self._cell(role, cells_), self.layout.time.formats)
        except CellError as error:
            line.faults.append(str(error))
            return ""
        return at.date().isoformat()

    def _start(
        self, cells_: Sequence[str], year: int | None, month: int | None, line: Line
    ) -> dt.datetime | None:
        try:
            return self._local(cells_, year, month)
        except OrderError:
            raise
        except CellError as error:
            line.faults.append(str(error))
            return None

    def _local(self, cells_: Sequence[str], year: int | None, month: int | None) -> dt.datetime:
        """The local time at which the period of a figure begins, or at which a person was met."""
        time = self.layout.time
        if time.kind == "moment":
            return cells.moment(self._name("date"), self._cell("date", cells_), time.formats)
        if time.kind == "date":
            return self._period_start(self._name("date"), self._cell("date", cells_))
        if year is not None and month is not None:
            return dt.datetime(year, month, 1)  # noqa: DTZ001 - local; the zone follows
        if month is None:
            month = cells.month(self._name("month"), self._cell("month", cells_), short=time.short_months)
        if year is None and "year" in self._header.at:
            year = cells.year(self._name("year"), self._cell("year", cells_), is_fiscal=time.is_fiscal)
        year = self._year if year is None else year
        if year is None:
            kind = "fiscal year (FY2018)" if time.is_fiscal else "calendar year (2018)"
            detail = f"has no year: the table needs a column Year, or one {kind} above its header"
            raise CellError(self._header.names[0].strip(), cells_[0], detail)
        return dt.datetime(time.calendar_year(year, month), month, 1)  # noqa: DTZ001 - local; the zone follows

    def _period_start(self, column: str, text: str) -> dt.datetime:
        """The time at which the period that a date names begins.

        Our weeks begin on Mondays: a week that begins on another day goes into the one that holds most of it.
        """
        period, time = self.layout.period, self.layout.time
        if period is Cadence.WEEK and (monday := cells.monday_of(text)):
            return monday
        read = cells.first_day if period is Cadence.MONTH else cells.moment
        at = read(column, text, time.formats)
        if period is Cadence.HOUR:
            return at.replace(minute=0, second=0, microsecond=0)
        day = dt.datetime(at.year, at.month, at.day)  # noqa: DTZ001 - local; the zone follows
        if period is Cadence.WEEK:
            middle = day - dt.timedelta(days=3) if time.names_last_day else day + dt.timedelta(days=3)
            return middle - dt.timedelta(days=middle.weekday())
        return day

    def _filled(self, name: str, cells_: Sequence[str]) -> str:
        """Return a field of the event, with its placeholders filled."""
        values = {role: self._cell(role, cells_) for role in self.layout.placeholders(name)}
        return self.layout.event.get(name, "").format_map(values).strip()  # type: ignore[call-overload,no-any-return]

    def _cell(self, role: str, cells_: Sequence[str]) -> str:
        """Return the text of a cell, without marks of footnotes."""
        at = self._header.at.get(role)
        return "" if at is None else " ".join(cells.unmarked(cells_[at]).split())

    def _name(self, role: str) -> str:
        return self._header.names[self._header.at[role]].strip().lstrip("#")

    def column(self, name: str) -> str:
        """Return the columns behind a field of the event, as the file names them."""
        return ", ".join(self._name(role) for role in self.layout.placeholders(name)) or name
