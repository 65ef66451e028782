"""Releases of a table, compared: what is new is added, what was revised replaces, the rest is not sent again.

    records of this release ─▶ Release ─▶ records to send
                                  │
    newest events sent before  ───┘  ─▶ `unsent`, and `sent`: the newest event of each figure, for next time

What was sent is kept on the compacted topic `tables`: under each figure's id the newest event that states it.
It is written twice: before the events, as unsent, and after the broker has them. After a run that broke off
unsent events are sent again under their ids, and the worker counts each id once.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from streams.contract.events import Encounter
from streams.producers.outgoing import Outgoing
from streams.producers.rows import InputError

TOPIC = "tables"
UNSENT = "unsent"
_REVISION = re.compile(r"(?<=-r)\d+$")
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
    Figures of its places and periods that it no longer states stay. They are taken back where `withdraws`,
    and where the table states other kinds of people for the same place and period and is the next release:
    where it states as many figures again as are gone. Where it is not, InputError is raised, unless it
    `is_part`. While rows are `refused`, nothing is taken back: what is gone may stand in them. `resends`:
    unchanged figures are sent again, under the ids they have, for a worker that lost its state.
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
        self.sent: dict[str, Outgoing] = {}  # by figure; their keys are the figures
        incoming = iter(records)
        first = next(incoming, None)
        self.is_table = first is not None and first.figure is not None
        whole = () if first is None else chain((first,), incoming)
        self._records: Iterable[Outgoing] = whole
        if self.is_table:
            stated = [*whole]
            self._records = self._compared(stated, _readable(before()), is_good=not refused())

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

    def _compared(self, records: list[Outgoing], before: dict[str, Any], *, is_good: bool) -> list[Outgoing]:
        unsent = {figure for figure, old in before.items() if old.pop(UNSENT, False)}
        stated = {str(record.figure): msgspec.json.decode(record.value) for record in records}
        gone, taken = self._gone(stated, before, unsent, is_good=is_good)
        out = list[Outgoing]()
        for figure in sorted(gone):  # first: a run that breaks off takes back before it adds
            old = before[figure]
            again = Outgoing(old["sector"].encode(), msgspec.json.encode(old), 0, figure)
            if figure in unsent:
                out.append(self._recorded(again, figure))
            if figure in taken:
                value = _revision(figure, old | {"count": 0}, old)
                out.append(self._recorded(again._replace(value=value), figure))
        for record in records:
            figure = str(record.figure)
            event, old = stated[figure], before.get(figure)
            out += self._figure(record, event, old, is_unsent=figure in unsent)
        return out

    def _figure(
        self, record: Outgoing, event: dict[str, Any], old: dict[str, Any] | None, *, is_unsent: bool
    ) -> Iterator[Outgoing]:
        figure = str(record.figure)
        if old is None:
            self.added += 1
            yield self._recorded(record, figure)
            return
        again = record._replace(value=msgspec.json.encode(old))
        if old["count"] != event["count"]:
            self.revised += 1
            if is_unsent:
                yield again
            yield self._recorded(record._replace(value=_revision(figure, event, old)), figure)
        elif is_unsent:
            self.revised += "replaces" in old
            self.added += "replaces" not in old
            yield self._recorded(again, figure)
        else:
            self.unchanged += 1
            if self._resends:
                yield again

    def _gone(
        self,
        stated: Mapping[str, dict[str, Any]],
        before: Mapping[str, dict[str, Any]],
        unsent: set[str],
        *,
        is_good: bool,
    ) -> tuple[set[str], set[str]]:
        """Figures that this release no longer has, and those of them that are to be taken back.

        Some may have been taken back by a run that broke off.
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
        new = {cells[figure] for figure, event in stated.items() if figure not in before and event["count"]}
        replaced = {figure for figure in gone - back if known[figure] in new}
        is_whole = 2 * len(gone - back) <= len(known.keys() - back)
        if replaced and is_good and not (self._withdraws or self._is_part or is_whole):
            raise InputError(_ask([before[figure] for figure in sorted(replaced)]))
        taken = gone - back if self._withdraws else set() if self._is_part else replaced
        taken = taken if is_good else set()
        self.missing, self.taken_back = len(gone), len(taken | back)
        return gone, taken

    def _recorded(self, record: Outgoing, figure: str) -> Outgoing:
        self.sent[figure] = Outgoing(figure.encode(), record.value, record.at)
        return record


def _ask(gone: list[dict[str, Any]]) -> str:
    people = sum(old["count"] for old in gone)
    return (
        f"{len(gone):,} figures ({people:,} people) that were sent before are no longer in the table, "
        f"which has others for their places and periods, such as {gone[0]['sector']} in "
        f"{gone[0]['occurred_at'][:10]}. Nothing was sent. If this is the whole table, --complete takes them "
        "back; if it is a part of it, --part keeps them"
    )


class _Figure(msgspec.Struct):
    """What is read of the newest event of a figure."""

    event_id: str
    sector: str
    occurred_at: dt.datetime
    count: int


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


def _cell(figure: str, event: Mapping[str, Any]) -> Cell:
    start = dt.datetime.fromisoformat(event["occurred_at"])
    return Cell(figure.rpartition("-")[0], event["sector"], start.date().isoformat())
