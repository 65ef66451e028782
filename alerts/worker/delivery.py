"""Delivery to one sink: what its queue gives is written to the ledger, sent, and written again.

A worker that dies between the two leaves a pending message in the ledger. The next owner of the sink sends it
again under the same id, so a receiver that knows ids gets it once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from alerts.lifecycle.alert import Notice
from alerts.notices.batches import Batch
from alerts.notices.dead_letters import DeadLetter, DeadLetterRecord
from alerts.notices.delivery_line import Moment
from alerts.notices.delivery_queue import DeliveryQueue
from alerts.notices.ledger import LedgerRecord
from alerts.notices.messages import Message
from alerts.notices.notices import compose, standing, summary_line, without_figures
from alerts.notices.outcomes import Absent, Delivered, Outcome, Refused, Retry
from alerts.sinks import AnyRequest, Digests, Edits, Posting, Reposts, Sink
from streams.contract.sectors import Registry

log = structlog.get_logger()

LONGEST_REST: Final = 1.0  # seconds after which silences, quiet hours and waits are looked at again
REPOST_PAUSE: Final = 15.0  # seconds at most until a post of what stands that failed is tried again
SHORTEST_REST: Final = 0.02  # seconds, where messages are due and all slots are taken


class Records(Protocol):
    """Where deliveries are recorded."""

    async def write(self, records: Sequence[LedgerRecord], notices: Sequence[tuple[str, Notice]]) -> None:
        """Write ledger records, and the notices that a sink has taken; return when the broker has them."""

    async def add_dead_letter(self, sink: str, notice: Notice, message: Message, reason: str) -> None:
        """Write a dead letter."""

    def dead_letter(self, sink: str, notice_id: str) -> DeadLetterRecord | None:
        """Return the letter of a notice; None where none waits."""

    async def close_dead_letter(self, letter: DeadLetter) -> None:
        """Write that a letter waits no longer: it was sent again, or the sink knows by other messages."""


class Recorder(Protocol):
    """Counts tries."""

    def tried(
        self, sink: str, notices: Sequence[Notice], outcome: str, *, seconds: float, reason: str
    ) -> None:
        """Record one try: delivered, retry, refused or dead."""


@dataclass
class SinkDelivery:
    """Brings one sink what it should know, for as long as `run` is not cancelled."""

    sink: Sink
    queue: DeliveryQueue
    send: Callable[[Sink, AnyRequest], Awaitable[Outcome]]
    records: Records
    recorder: Recorder
    registry: Registry
    clock: Callable[[], Moment] = lambda: Moment(time.time(), time.monotonic())
    wanted: Sequence[DeadLetterRecord] = ()  # letters that somebody wants to be sent again
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # something is new: look at once
    _stopping: bool = False
    _unposted_since: float | None = None  # of the steady clock: since when posts of what stands fail
    _reposted: asyncio.Event = field(default_factory=asyncio.Event)  # no post of what stands is on its way

    async def run(self) -> None:
        """Deliver until `stop`. Raises what the broker raises: then the ledger has to be read again."""
        async with asyncio.TaskGroup() as tasks:
            sink = self.sink
            self._reposted.set()
            repost = tasks.create_task(self._repost(sink)) if isinstance(sink, Reposts) else None
            for letter in self.wanted:
                tasks.create_task(self.send_again(letter))
            while not self._stopping:
                self.changed.clear()
                await self.records.write(self.queue.refresh(self.clock()), [])
                while not self._stopping and (batch := self.queue.take(self.clock())):
                    tasks.create_task(self._deliver(batch, self.queue.begin(batch, self.clock())))
                await self._rest()
            if repost is not None:
                repost.cancel()

    def waiting(self, steady: float) -> tuple[int, float]:
        """Return how many messages are due, and for how many seconds the oldest of them has been.

        A post of what stands that is not taken is one of them: the receiver will take its alerts for over.
        """
        number, oldest = self.queue.waiting(steady)
        if self._unposted_since is None:
            return number, oldest
        return number + 1, max(oldest, steady - self._unposted_since)

    def stop(self) -> None:
        """Begin nothing more; `run` returns when what is on its way has been answered."""
        self._stopping = True
        self.changed.set()

    async def _rest(self) -> None:
        seconds = min(max(self.queue.rest(self.clock().steady), SHORTEST_REST), LONGEST_REST)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.changed.wait()

    async def send_again(self, record: DeadLetterRecord) -> None:
        """Send a dead letter once more, and close it."""
        if record.message is not None:
            await self.records.write(self.queue.send_again(record.message, self.clock()), [])
            self.changed.set()
            await self.records.close_dead_letter(record.letter)

    async def _deliver(self, batch: Batch, begun: list[LedgerRecord]) -> None:
        await self.records.write(begun, [])
        notices = {message.notice_id: self._compose(message) for message in batch.messages}
        await self._reposted.wait()
        started = self.clock()
        outcome = await self._try(batch, list(notices.values()))
        name, reason = describe_outcome(outcome)
        seconds = self.clock().steady - started.steady
        self.recorder.tried(self.sink.name, list(notices.values()), name, seconds=seconds, reason=reason)
        settled = self.queue.settle(batch, outcome, self.clock())
        for message, reason in settled.dead:
            notice = notices[message.notice_id]
            await self.records.add_dead_letter(self.sink.name, notice, message, reason)
            self.recorder.tried(self.sink.name, [notice], "dead", seconds=0.0, reason=reason)
        delivered = [(self.sink.name, notices[message.notice_id]) for message in settled.delivered]
        await self.records.write(settled.records, delivered)
        self.queue.release(batch, self.clock())
        self.changed.set()
        for message in settled.delivered:
            await self._close_settled(message.alert_id)

    async def _close_settled(self, alert_id: str) -> None:
        """Close the dead letters about an alert that the sink has no need of any more."""
        known = self.queue.entry(alert_id)
        for notice_id in known.given_up:
            record = self.records.dead_letter(self.sink.name, notice_id)
            if record and record.message and known.settles(record.message):
                await self.records.close_dead_letter(record.letter)

    def _compose(self, message: Message) -> Notice:
        try:
            return compose(message, self.registry, self.sink.language)
        except Exception as error:  # one alert that nobody can word must not end the others
            log.error("notice cannot be worded", alert=message.alert_id, error=repr(error))
            return without_figures(message)

    async def _try(self, batch: Batch, notices: Sequence[Notice]) -> Outcome:
        try:
            request = self._request(batch, notices)
        except Exception as error:  # a notice that cannot be written as a request never will be
            log.error("notice cannot be sent", sink=self.sink.name, error=repr(error))
            return Refused(f"cannot be sent: {type(error).__name__}")
        try:
            return await self.send(self.sink, request)
        except Exception as error:  # whatever it is, the other alerts have to go on
            log.error("sending failed", sink=self.sink.name, error=repr(error))
            return Retry(type(error).__name__, unanswered=True)

    def _request(self, batch: Batch, notices: Sequence[Notice]) -> AnyRequest:
        now = self.clock().now
        if isinstance(self.sink, Edits):
            return posting(self.sink, self.queue, batch.messages[0], notices[0])
        if isinstance(self.sink, Digests) and (batch.backlog is not None or len(notices) > 1):
            summary = summary_line(batch.backlog, now, self.sink.language) if batch.backlog else ""
            return self.sink.digest(notices, now, summary)
        (notice,) = notices
        return self.sink.request(notice, now)

    async def _repost(self, sink: Reposts) -> None:
        """Post what stands again and again, sooner after a post that failed.

        Nothing else is sent meanwhile: a post that is overtaken by an end would open the alert again.
        """
        pause = sink.every
        while True:
            await asyncio.sleep(pause)
            now, steady = self.clock()
            alerts = self.queue.open_alerts(now)
            if not alerts:
                self._unposted_since = None
            else:
                self._unposted_since = self._unposted_since or steady
                request = sink.standing([self._compose(standing(alert)) for alert in alerts], now)
                self._reposted.clear()
                try:
                    outcome, reason = describe_outcome(await self.send(sink, request))
                finally:
                    self._reposted.set()
                self.recorder.tried(sink.name, [], outcome, seconds=0.0, reason=reason)
                if outcome == "delivered":
                    self._unposted_since = None
                pause = sink.every if outcome == "delivered" else min(sink.every, REPOST_PAUSE)


def posting(sink: Edits, queue: DeliveryQueue, message: Message, notice: Notice) -> Posting:
    """Return what the sink's message about an alert shows after a notice.

    Where the message is known, what may be there already is the reply on this very notice, and no older one.
    """
    doubted, reference = queue.entry(message.alert_id).doubted, message.view.reference
    unrecorded = message.notice_id in doubted if reference else bool(doubted)
    return sink.posting(notice, reference=reference, unrecorded=unrecorded)


def describe_outcome(outcome: Outcome) -> tuple[str, str]:
    """Return the label of an outcome, and its reason."""
    match outcome:
        case Delivered():
            return "delivered", ""
        case Retry(reason):
            return "retry", reason
        case Absent():
            return "retry", "absent"
        case Refused(reason):
            return "refused", reason
