"""Read official tables as events, by a layout.

    lines ─▶ figures (a place, a period, a kind of people) ─▶ summed, or the latest chosen ─▶ rows, by time

A table is published again and again. A figure's id is made of what it counts and not of how many, so that the
next release can be compared with the last one. Columns for which the contract has no field (age, sex) are not
read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from streams.contract.dead_letters import Reason, Rejected
from streams.producers.cumulative import in_months
from streams.producers.figures import TOTALS, Figure, Figures, Key, Line, Parts
from streams.producers.layout import Layout
from streams.producers.rows import Read, Row, Skipped, Unlabelled, row, row_id
from streams.producers.stacked_tables import TableReader
from streams.table_files.faults import InputError

Numbered = tuple[int, Sequence[str]]  # the number of a row, and its cells


def tallies(reader: TableReader, lines: Iterable[Numbered]) -> Iterator[Read]:
    """A table of periods: what is refused and skipped first, and then its figures by time.

    Figures that differ in nothing that the contract keeps (such as two titles of authority) are one. A row
    that differs in nothing at all is there twice, and counts once. Raises InputError where all are totals.
    """
    layout = reader.layout
    found = _Found(is_latest=layout.latest_by is not None)
    rows: set[tuple[Key, tuple[str, ...]]] = set()
    met: Counter[str] = Counter()
    for number, cells in lines:
        line = reader.read(number, cells)
        if line.figures:  # by its period too: the table of another year may have the same figures
            same = line.figures[0][0], tuple(cells)
            if same in rows:
                yield Skipped(number, "the same row again")
                continue
            rows.add(same)
        if not line.faults:
            line.faults += found.add(line)
        met.update(line.skipped or ["a figure"])
        yield from _remarks(number, line)
    if met.keys() == {TOTALS}:
        raise InputError(f"{reader.path}: every row is one of totals, by a column before the figures")
    figures = found.agreed()
    if layout.cumulative:
        yield from in_months(figures)
    for key, figure in sorted(figures.items()):
        yield _tally(layout, key, figure)


class _Found:
    """The figures of a table, added up over its rows; of several reports, the latest (`is_latest`)."""

    def __init__(self, *, is_latest: bool) -> None:
        self._figures: Figures = {}
        self._is_latest = is_latest
        self._stated: dict[tuple[Key, str, Parts], Figure] = {}
        self._disputed: set[Key] = set()

    def add(self, line: Line) -> list[str]:
        """Add the figures of a line. Returns which of them contradict those of an earlier line."""
        disputes = [
            dispute for key, figure in line.figures if (dispute := self._add(key, figure, line.parts))
        ]
        return (
            [disputes[0] + (f" (and {len(disputes) - 1} more)" if disputes[1:] else "")] if disputes else []
        )

    def _add(self, key: Key, figure: Figure, parts: Parts) -> str | None:
        earlier = self._stated.setdefault((key, figure.report, () if self._is_latest else parts), figure)
        if earlier is not figure and not (self._is_latest and earlier.count == figure.count):
            self._disputed.add(key)
            return (
                f"{figure.count:,} people in {key.sector}, {key.start:%Y-%m-%d}, where row {earlier.number} "
                f"has {earlier.count:,}: rows of one figure are added up where a text differs; neither counts"
            )
        known = self._figures.get(key)
        if known is None or (self._is_latest and figure.report > known.report):
            self._figures[key] = replace(figure)
        elif not self._is_latest:
            known.count += figure.count
        return None

    def agreed(self) -> Figures:
        """The figures that no two rows contradict each other about."""
        return {key: figure for key, figure in self._figures.items() if key not in self._disputed}


def people(reader: TableReader, lines: Iterable[Numbered]) -> Iterator[Read]:
    """A table with a row a person, by time; those of one place and minute are a group."""
    layout = reader.layout
    found: list[tuple[Key, Figure]] = []
    for number, cells in lines:
        line = reader.read(number, cells)
        yield from _remarks(number, line)
        if not line.faults:
            found += line.figures
    found.sort(key=lambda one: (one[0].start, one[1].number))
    together = Counter((key.sector, key.start) for key, _ in found)
    times: Counter[Key] = Counter()
    for key, figure in found:
        times[key] += 1
        identity = f"{_id(layout, key)}-{times[key]}"
        fields = _fields(key, figure) | {"event_id": identity}
        if together[key.sector, key.start] > 1:
            fields["group_id"] = row_id("group", key.sector, key.start.isoformat())
        yield row(figure.number, fields, identity)


def _remarks(number: int, line: Line) -> Iterator[Read]:
    """Yield what to report beside the figures of a line."""
    yield from (Skipped(number, reason) for reason in line.skipped)
    if line.faults:
        alone = line.is_unknown_place and len(line.faults) == 1
        reason = Reason.UNKNOWN_SECTOR if alone else Reason.INVALID
        yield Rejected(number, reason, "; ".join(dict.fromkeys(line.faults)))
        return
    met = sum(figure.count for _, figure in line.figures)
    yield from (Unlabelled(number, column, label, met) for column, label in line.unlabelled)


def _tally(layout: Layout, key: Key, figure: Figure) -> Row | Rejected:
    identity = _id(layout, key)
    fields = _fields(key, figure) | {"event_id": identity, "period": str(layout.period)}
    return row(figure.number, fields, identity)


def _id(layout: Layout, key: Key) -> str:
    local = key.start.replace(tzinfo=None).isoformat()
    kind = (key.crossing, key.crossing_type, key.demographic, key.citizenship.casefold())
    return row_id(layout.id, key.sector, local, *kind)


def _fields(key: Key, figure: Figure) -> dict[str, object]:
    return {
        "occurred_at": key.start.isoformat(),
        "sector": key.sector,
        "crossing": key.crossing or None,
        "crossing_type": key.crossing_type,
        "demographic": key.demographic,
        "citizenship": key.citizenship or None,
        "count": figure.count,
    }
