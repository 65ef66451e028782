"""Releases of a table, compared: what is new is added, what was revised replaces, the rest is not sent again.

    records of this release ─▶ Release ─▶ records to send
                                  │
    newest events sent before  ───┘  ─▶ `unsent`, and `sent`: the newest event of each figure, for next time

What was sent is kept on the compacted topic `tables`: under each figure's id the newest event that states it.
It is written twice: before the events, as unsent, and after the broker has them. After a run that broke off,
nobody knows which of its events the broker has: the next run sends them all before anything else
(`unfinished`), and the worker counts each id once. So an event that replaces another never comes without it.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from streams.contract.cadence import Cadence
from streams.contract.events import Encounter
from streams.producers.outgoing import Outgoing
from streams.table_files.faults import InputError

TOPIC = "tables"
UNSENT = "unsent"
_REVISION = re.compile(r"(?<=-r)\d+$")
_DIGEST = re.compile(r"-[0-9a-f]{24}\b")
Events = Mapping[str, bytes]  # by figure


class LastEvent(Encounter):
    """The newest event of a figure, as it is kept; `unsent`: nobody knows whether the broker has it."""

    unsent: bool = False


class Cell(NamedTuple):
    """A place and a period of one layout; a table that has both states all kinds of people there."""

    layout: str
    sector: str
    start: str


class Release:
    """Iterating gives the records to send. An official table is read and compared at once.

    `before` returns the newest events sent before, and is called only where the file is an official table.
    Of them, `unfinished` are those of a run that broke off: they are to be sent, and noted, first.
    Figures of its places and periods that the table no longer states stay. They are taken back where
    `withdraws`, and where the table states their people elsewhere in the same place and period and is the
    next release: where it states as many figures again as are gone. Where it is not, InputError is raised,
    unless it `is_part`. While rows are `refused`, nothing is taken back: what is gone may stand in them.
    `resends`: unchanged figures are sent again, under the ids they have, for a worker that lost its state.
    """

    def __init__(
        self,
        records: Iterable[Outgoing],
        before: Callable[[], Events],
        *,
        withdraws: bool = False,
        is_part: bool = False,
        resends: bool = False,
        refused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._withdraws, self._is_part, self._resends = withdraws, is_part, resends
        self.added = self.revised = self.unchanged = self.missing = self.taken_back = 0
        self.unfinished: list[Outgoing] = []
        self.sent: dict[str, Outgoing] = {}  # by figure; their keys are the figures
        incoming = iter(records)
        first = next(incoming, None)
        self.is_table = first is not None and first.figure is not None
        whole = () if first is None else chain((first,), incoming)
        self._records: Iterable[Outgoing] = whole
        if self.is_table:
            stated = [*whole]
            self._records = [*self._compared(stated, _readable(before()), is_good=not refused())]

    def __iter__(self) -> Iterator[Outgoing]:
        for record in self._records:
            self.added += not self.is_table
            yield record

    @property
    def unsent(self) -> Iterator[Outgoing]:
        """What to keep before the records are sent."""
        for record in self.sent.values():
            event = msgspec.json.decode(record.value)
            yield record._replace(value=msgspec.json.encode(event | {UNSENT: True}))

    def _compared(
        self, records: list[Outgoing], before: dict[str, Any], *, is_good: bool
    ) -> Iterator[Outgoing]:
        layout = _layout(str(records[0].figure))
        unsent = {
            figure for figure, old in before.items() if old.pop(UNSENT, False) and _layout(figure) == layout
        }
        self.unfinished = [_again(before[figure], figure) for figure in sorted(unsent)]
        stated = {str(record.figure): msgspec.json.decode(record.value) for record in records}
        for figure in sorted(self._gone(stated, before, unsent, is_good=is_good)):
            old = before[figure]  # first: a run that breaks off takes back before it adds
            value = _revision(figure, old | {"count": 0}, old)
            yield self._recorded(_again(old, figure)._replace(value=value), figure)
        for record in records:
            figure = str(record.figure)
            yield from self._figure(record, stated[figure], before.get(figure), was_unsent=figure in unsent)

    def _figure(
        self, record: Outgoing, event: dict[str, Any], old: dict[str, Any] | None, *, was_unsent: bool
    ) -> Iterator[Outgoing]:
        figure = str(record.figure)
        if old is None:
            self.added += 1
            yield self._recorded(record, figure)
        elif old["count"] != event["count"]:
            self.revised += 1
            yield self._recorded(record._replace(value=_revision(figure, event, old)), figure)
        elif was_unsent:  # what the run that broke off was about to do
            self.revised += "replaces" in old
            self.added += "replaces" not in old
        else:
            self.unchanged += 1
            if self._resends:
                yield record._replace(value=msgspec.json.encode(old))

    def _gone(
        self,
        stated: Mapping[str, dict[str, Any]],
        before: Mapping[str, dict[str, Any]],
        unsent: set[str],
        *,
        is_good: bool,
    ) -> set[str]:
        """Figures that this release no longer has, and that are to be taken back.

        Some were taken back by a run that broke off: those are counted, and are not taken back again.
        """
        cells = {figure: _cell(figure, event) for figure, event in stated.items()}
        places, periods = {cell[:2] for cell in cells.values()}, {cell[::2] for cell in cells.values()}
        known = {
            figure: cell
            for figure, old in before.items()
            if "period" in old
            and (old["count"] > 0 or figure in unsent)
            and (cell := _cell(figure, old))[:2] in places
            and cell[::2] in periods
        }
        gone = known.keys() - stated
        back = {figure for figure in gone if before[figure]["count"] == 0}
        gone -= back
        moved = _moved({figure: known[figure] for figure in gone}, cells, stated, before)
        beside = _beside(stated, before)
        is_whole = 2 * len(gone) <= len(known.keys() - back)
        doubtful = beside | (moved if is_good and not is_whole else set())
        if doubtful and not (self._withdraws or self._is_part):
            raise InputError(_ask([before[figure] for figure in sorted(doubtful)]))
        taken = gone | beside if self._withdraws else set() if self._is_part else moved
        taken = taken if is_good else set()
        self.missing, self.taken_back = len(gone | back | taken), len(taken | back)
        return taken

    def _recorded(self, record: Outgoing, figure: str) -> Outgoing:
        self.sent[figure] = noted(record)
        return record


def noted(record: Outgoing) -> Outgoing:
    """What to keep of an event of a figure after it was sent: in one partition, see topics.TABLES."""
    return Outgoing(str(record.figure).encode(), record.value, record.at, partition=0)


def _again(event: dict[str, Any], figure: str) -> Outgoing:
    return Outgoing(event["sector"].encode(), msgspec.json.encode(event), 0, figure)


def _ask(gone: list[dict[str, Any]]) -> str:
    people = sum(old["count"] for old in gone)
    return (
        f"{len(gone):,} figures ({people:,} people) that were sent before are not in this table, which has "
        f"others for their places and times, such as that of {_layout(gone[0]['event_id'])} for "
        f"{gone[0]['sector']} in {gone[0]['occurred_at'][:10]}. Nothing was sent. If this table takes their "
        "place, --complete takes them back; if it counts other people, --part keeps them"
    )


class _Figure(msgspec.Struct):
    """What is read of the newest event of a figure."""

    event_id: str
    sector: str
    occurred_at: dt.datetime
    count: int
    crossing_type: str
    period: Cadence | None = None


def _readable(found: Events) -> dict[str, dict[str, Any]]:
    """Return those that are events; any client may have put something else on the topic."""
    readable = {}
    for figure, value in found.items():
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            msgspec.json.decode(value, type=_Figure)
            readable[figure] = msgspec.json.decode(value)
    return readable


def _revision(figure: str, event: Mapping[str, Any], old: Mapping[str, Any]) -> bytes:
    """The event that replaces `old`."""
    revised = _REVISION.search(old["event_id"])
    number = int(revised[0]) + 1 if revised else 1
    return msgspec.json.encode({**event, "event_id": f"{figure}-r{number}", "replaces": old["event_id"]})


def _moved(
    gone: Mapping[str, Cell],
    cells: Mapping[str, Cell],
    stated: Mapping[str, Any],
    before: Mapping[str, Any],
) -> set[str]:
    """Of the figures that are gone, those whose people are stated elsewhere in their place and period.

    There is a figure where nothing was counted before, or others rose by as many people as are gone, and
    not by more than twice as many: those would be other people.
    """
    people, more, new = Counter[Cell](), Counter[Cell](), set[Cell]()
    for figure, cell in gone.items():
        people[cell] += before[figure]["count"]
    for figure, event in stated.items():
        cell, old = cells[figure], before.get(figure, {}).get("count", 0)
        more[cell] += max(event["count"] - old, 0)
        if event["count"] and not old:
            new.add(cell)
    return {
        figure
        for figure, cell in gone.items()
        if cell in new or people[cell] <= more[cell] <= 2 * people[cell]
    }


def _beside(stated: Mapping[str, Any], before: Mapping[str, Any]) -> set[str]:
    """Figures of other layouts, of the same places and times: both would count the same people."""
    layout, spans = _layout(next(iter(stated))), dict[tuple[str, ...], tuple[int, int]]()
    for event in (event for event in stated.values() if "period" in event):
        (begin, end), place = _time(event), _place(event)
        first, last = spans.get(place, (begin, end))
        spans[place] = min(begin, first), max(end, last)
    return {
        figure
        for figure, old in before.items()
        if "period" in old and old["count"] and _layout(figure) != layout and (span := spans.get(_place(old)))
        if _overlap(_time(old), span)
    }


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and one[1] > other[0]


def _time(event: Mapping[str, Any]) -> tuple[int, int]:
    """The begin and end of a period on the clock of its place, as if that were UTC."""
    cadence = Cadence(event["period"])
    index = cadence.index(dt.datetime.fromisoformat(event["occurred_at"]).replace(tzinfo=dt.UTC).timestamp())
    return cadence.start(index), cadence.start(index + 1)


def _place(event: Mapping[str, Any]) -> tuple[str, ...]:
    return event["sector"], event.get("crossing") or "", event["crossing_type"]


def _layout(figure: str) -> str:
    """The layout of a figure: what stands before the digest in its id."""
    return _DIGEST.split(figure)[0]


def _cell(figure: str, event: Mapping[str, Any]) -> Cell:
    start = dt.datetime.fromisoformat(event["occurred_at"])
    return Cell(_layout(figure), event["sector"], start.date().isoformat())
