"""The newest alert of every question, of all workers, read from the compacted topic `alerts.current`."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer

from alerts.lifecycle.alert import Alert, State, Version
from alerts.notices.alert_pipeline import AlertChange
from alerts.notices.backlog import is_old
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable
from streams.runtime.readiness import Position
from streams.runtime.reading_positions import positions_of
from streams.runtime.started_clients import started

log = structlog.get_logger()

TOPIC: Final = "alerts.current"
BACKLOG: Final = 10_000  # alerts that are over and forgotten, for the summary of a backlog
FETCH_MS: Final = 50  # a fetch waits so long where nothing comes; what comes is handed over at once


class Published(NamedTuple):
    """A change of an alert, and when it was published (epoch seconds)."""

    change: AlertChange
    at: float


class AlertTable:
    """All alerts. In a `replay` every published state is kept, so that late readers see each of them."""

    def __init__(
        self,
        settings: Settings,
        on_change: Callable[[Published], None],
        *,
        replay: bool,
        on_unusable: Callable[[str, Unusable], None] = lambda *_: None,
    ) -> None:
        self._settings, self._on_change, self._replay = settings, on_change, replay
        self._on_unusable = on_unusable
        self._newest: dict[str, Published] = {}  # by question
        self._over: deque[Published] = deque(maxlen=BACKLOG)  # not the newest of their question any more
        self._known: dict[str, Version] = {}  # by question; also where its alert is forgotten
        self._history: list[Published] = []
        self.read: Mapping[Position, int] = {}  # up to where the topic is applied
        self.ready = asyncio.Event()  # all that was there at the start has been read

    def alerts(self) -> list[Alert]:
        """Return every alert, resolved ones for as long as they are remembered."""
        return [one.change.alert for one in self._newest.values() if one.change.alert is not None]

    def has(self, published: Iterable[Alert]) -> bool:
        """Return whether these alerts, or newer states of them, have been read."""
        return all(
            alert.question_key in self._known and not self._known[alert.question_key].is_before(alert.version)
            for alert in published
        )

    def published(self) -> Iterator[Published]:
        """Return what a reader that starts now has to see, in order.

        Alerts of a backlog may be over and forgotten before any reader starts: it sums them up all the same.
        """
        if self._replay:
            yield from self._history
            return
        for over in self._over:
            yield over
            yield Published(over.change.ended(), over.at)
        yield from self._newest.values()

    async def follow(self) -> None:
        """Read the topic from its beginning and go on, for as long as the broker is there."""
        consumer = AIOKafkaConsumer(
            self._settings.topic(TOPIC),  # without a group: all of its partitions
            **self._settings.kafka.aiokafka,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_MS,
        )
        async with started(consumer):
            left = await consumer.end_offsets(consumer.assignment())
            while True:
                left = {tp: end for tp, end in left.items() if await consumer.position(tp) < end}
                if not left:
                    self.ready.set()
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    for record in records:
                        self.apply(record)
                self.read = await positions_of(consumer)

    def apply(self, record: Any) -> None:
        """Take one record of the topic; one that is not understood is logged, counted and skipped."""
        change = AlertChange.read(record.key, record.value, record.headers)
        if isinstance(change, Unusable):
            log.error("alert not understood", offset=record.offset)
            self._on_unusable(TOPIC, change)
            return
        key, alert = change.question_key, change.alert
        if change.is_before(self._known.get(key)):
            return
        published = Published(change, record.timestamp / 1000)
        before = self._newest.pop(key, None)
        if change.again and before is not None and before.change.alert == alert:
            published = before
        if alert is not None:
            self._newest[key], self._known[key] = published, alert.version
        if before is not None and _is_of_backlog(before, alert):
            self._over.append(before)
        if self._replay:
            self._history.append(published)
        self._on_change(published)


def _is_of_backlog(before: Published, now: Alert | None) -> bool:
    """Return whether the alert before was old when it ended, and is forgotten or followed by another one."""
    was = before.change.alert
    if was is None or was.state is not State.RESOLVED or before.change.again or not is_old(was, before.at):
        return False
    return now is None or now.alert_id != was.alert_id
