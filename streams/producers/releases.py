"""Releases of a table, compared: what is new is added, what was revised replaces, the rest is not sent again.

    records of this release ─▶ Release ─▶ records to send
                                  │
    newest events sent before  ───┘  ─▶ `sent`: the newest event of each figure, for the next time

What was sent is kept on the compacted topic `tables`: under each figure's id the newest event that states it.
It is written after the broker has the events. A run that breaks off sends the same ids when it is repeated,
and the worker counts each id once.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from streams.producers.outgoing import Outgoing

TOPIC = "tables"
_REVISION = re.compile(r"(?<=-r)\d+$")
Events = Mapping[str, bytes]  # by figure


class Release:
    """Iterating gives the records to send; the counts are complete afterwards.

    `before` returns the newest events sent before, and is called only where the file is an official table.
    `withdraws`: figures of the places and periods of this release that it no longer states are taken back.
    `resends`: unchanged figures are sent again, under the ids they have, for a worker that lost its state.
    """

    def __init__(
        self,
        records: Iterable[Outgoing],
        before: Callable[[], Events],
        *,
        withdraws: bool = False,
        resends: bool = False,
    ) -> None:
        self._records, self._before = records, before
        self._withdraws, self._resends = withdraws, resends
        self.added = self.revised = self.unchanged = self.missing = 0
        self.sent: dict[str, Outgoing] = {}  # by figure; their keys are the figures
        self.is_table = False

    def __iter__(self) -> Iterator[Outgoing]:
        before: dict[str, bytes] = {}
        stated: set[str] = set()
        published: set[tuple[str, str]] = set()
        for record in self._records:
            if record.figure is None:
                self.added += 1
                yield record
                continue
            if not self.is_table:
                self.is_table, before = True, dict(self._before())
            stated.add(record.figure)
            event = msgspec.json.decode(record.value)
            published.update(_scope(record.figure, event))
            yield from self._compared(record, record.figure, event, before.get(record.figure))
        yield from self._gone(before, stated, published)

    def _compared(
        self, record: Outgoing, figure: str, event: dict[str, Any], known: bytes | None
    ) -> Iterator[Outgoing]:
        old = None if known is None else msgspec.json.decode(known)
        if old is None:
            self.added += 1
            yield self._recorded(record, figure)
        elif old["count"] == event["count"]:
            self.unchanged += 1
            if self._resends:
                yield record._replace(value=msgspec.json.encode(event | {"event_id": old["event_id"]}))
        else:
            self.revised += 1
            yield self._recorded(record._replace(value=_revision(figure, event, old)), figure)

    def _gone(self, before: Events, stated: set[str], published: set[tuple[str, str]]) -> Iterator[Outgoing]:
        """Count, and on demand take back, figures that this release no longer has."""
        for figure in before.keys() - stated:
            old = msgspec.json.decode(before[figure])
            if "period" not in old or old["count"] == 0 or not published.issuperset(_scope(figure, old)):
                continue
            self.missing += 1
            if self._withdraws:
                value = _revision(figure, old | {"count": 0}, old)
                yield self._recorded(Outgoing(old["sector"].encode(), value, 0), figure)

    def _recorded(self, record: Outgoing, figure: str) -> Outgoing:
        self.sent[figure] = Outgoing(figure.encode(), record.value, record.at)
        return record


def _revision(figure: str, event: Mapping[str, Any], old: Mapping[str, Any]) -> bytes:
    """The event that replaces `old`."""
    revised = _REVISION.search(old["event_id"])
    number = int(revised[0]) + 1 if revised else 1
    return msgspec.json.encode({**event, "event_id": f"{figure}-r{number}", "replaces": old["event_id"]})


def _scope(figure: str, event: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[str, str]]:
    """The place and the period of a figure, each within its layout: a release that has both has them all."""
    layout = figure.rpartition("-")[0]
    start = dt.datetime.fromisoformat(event["occurred_at"])
    return (layout, event["sector"]), (layout, start.date().isoformat())
