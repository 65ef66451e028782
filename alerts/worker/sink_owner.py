"""Which worker delivers to which sink: the owner of the sink's partition of `deliveries`.

All workers form one consumer group on that topic. So there is one sender for each sink over all workers, and
a sink that asks for a message a second gets no more. The topic is also the ledger: who is given a partition
reads it from its beginning before anything is sent.
"""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition

from alerts.console.notice_log import SINK
from alerts.lifecycle.alert import Notice
from alerts.notices.ledger import Entry, LedgerRecord
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.delivery import SinkDelivery
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable
from streams.contract.topics import TABLES
from streams.runtime.membership import HEARTBEATS, leave_on_stop
from streams.runtime.started_clients import started

log = structlog.get_logger()

TOPIC: Final = "deliveries"
GROUP: Final = "surgewatch-delivery"
SECONDS_TO_FINISH: Final = 5.0  # for what is on its way when a partition goes to another worker


class LedgerWriter:
    """Writes the ledger to `deliveries`, and what was taken to `notices`."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, partitions: int) -> None:
        self._ledger, self._notices = settings.topic(TOPIC), settings.topic("notices")
        self._producer, self.partitions = producer, partitions

    async def write(
        self, records: Sequence[LedgerRecord], notices: Sequence[tuple[str, Notice]] = ()
    ) -> None:
        """Return when the broker has all of it; raises KafkaError."""
        sent = [
            await self._producer.send(
                self._ledger,
                record.encode(),
                key=record.key,
                partition=partition_of(record.sink, self.partitions),
            )
            for record in records
        ]
        for sink, notice in notices:
            headers, value = [(SINK, sink.encode())], notice.model_dump_json().encode()
            keys = [one.encode() for one in notice.alert.ids]  # each has a page with what was sent about it
            sent += [
                await self._producer.send(self._notices, value, key=key, headers=headers) for key in keys
            ]
        for one in sent:
            await one


class Records:
    """Records what a delivery does: ledger, notices and dead letters."""

    def __init__(self, writer: LedgerWriter, letters: DeadLetters) -> None:
        self.write = writer.write
        self.add_dead_letter, self.close_dead_letter = letters.add, letters.close
        self.dead_letter = letters.waits


def partition_of(sink: str, partitions: int) -> int:
    """Return the partition of `deliveries` in which a sink's records are."""
    return zlib.crc32(sink.encode()) % partitions


class SinkOwner(ConsumerRebalanceListener):  # type: ignore[misc] # untyped
    """Runs a delivery for each sink that is this worker's.

    `start` makes the delivery of a sink from its ledger, once everything that it needs has been read.
    """

    def __init__(
        self,
        settings: Settings,
        sinks: Iterable[str],
        start: Callable[[str, Sequence[LedgerRecord], LedgerWriter], SinkDelivery],
        ready: Callable[[], Any],
        *,
        on_unusable: Callable[[str, Unusable], None] = lambda *_: None,
    ) -> None:
        self._settings, self._start, self._ready = settings, start, ready
        self._on_unusable = on_unusable
        self._sinks = tuple(sinks)
        self.deliveries: dict[str, SinkDelivery] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loading: dict[TopicPartition, dict[bytes, bytes | None]] = {}
        self._is_assigned = False
        self._idle_since: float | None = time.monotonic()  # None: all that is assigned is delivered to

    def idle(self, steady: float) -> float:
        """Return for how many seconds this worker has not delivered to the sinks that fell to it."""
        return 0.0 if self._idle_since is None else steady - self._idle_since

    async def run(self) -> None:
        """Deliver for as long as the broker is there; raises where a delivery or the broker fails."""
        kafka = self._settings.kafka.aiokafka
        topic = self._settings.topic(TOPIC)
        self._consumer = AIOKafkaConsumer(
            **kafka,
            group_id=self._settings.topic(GROUP),
            group_instance_id=self._settings.instance or None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(self._settings.session_seconds * 1000),
            heartbeat_interval_ms=int(self._settings.session_seconds * 1000 / HEARTBEATS),
        )
        producer = AIOKafkaProducer(**kafka, acks="all", enable_idempotence=True)
        async with started(producer):
            try:
                await self._consumer.start()
                partitions = min(len(await producer.partitions_for(topic)), TABLES[TOPIC])
                self._writer = LedgerWriter(self._settings, producer, partitions)
                self._consumer.subscribe([topic], listener=self)
                await self._follow()
            finally:
                await self._end(list(self._tasks))
                if len(self._consumer.assignment()) < len(self._consumer.partitions_for_topic(topic) or ()):
                    leave_on_stop(self._consumer)
                await self._consumer.stop()

    async def _follow(self) -> None:
        while True:
            for tp, records in (await self._consumer.getmany(timeout_ms=200)).items():
                if tp in self._loading:
                    self._loading[tp] |= {record.key or b"": record.value for record in records}
            for tp in list(self._loading):
                await self._load(tp)
            if self._is_assigned and not self._loading:
                self._idle_since = None
            for task in self._tasks.values():
                if task.done():
                    await task
                    raise RuntimeError("a delivery ended by itself")

    async def _load(self, tp: TopicPartition) -> None:
        """Begin to deliver to the sinks of a partition whose ledger has been read."""
        ends = await self._consumer.end_offsets([tp])
        if tp not in self._consumer.assignment() or await self._consumer.position(tp) < ends[tp]:
            return
        await self._ready()
        held = self._loading.pop(tp, None)
        if held is None:
            return
        self._consumer.pause(tp)  # what follows is written by this worker
        ledger = list(decoded(held, self._on_unusable))
        _name_removed(ledger, self._sinks)
        partitions = self._writer.partitions
        for sink in self._sinks:
            if partition_of(sink, partitions) == tp.partition:
                own = [record for record in ledger if record.sink == sink]
                self.deliveries[sink] = self._start(sink, own, self._writer)
                self._tasks[sink] = asyncio.create_task(self.deliveries[sink].run(), name=f"deliver {sink}")
                log.info("delivering", sink=sink, alerts=len(own))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Read the ledger of these partitions from its beginning: the group commits nothing."""
        self._is_assigned = True
        for tp in assigned:
            self._loading[tp] = {}

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish what is on its way, and deliver no more."""
        for tp in revoked:
            self._loading.pop(tp, None)
        await self._end(list(self._tasks))

    async def _end(self, sinks: Sequence[str]) -> None:
        self._is_assigned = False
        self._idle_since = self._idle_since or time.monotonic()
        tasks = [self._tasks.pop(sink) for sink in sinks]
        for sink in sinks:
            self.deliveries.pop(sink).stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=SECONDS_TO_FINISH)
            for task in late:
                task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task

    def wake(self) -> None:
        """Let the delivery of every sink look at once, as something is new."""
        for delivery in self.deliveries.values():
            delivery.changed.set()


def _name_removed(ledger: Iterable[LedgerRecord], sinks: Iterable[str]) -> None:
    """Log the sinks of a ledger that are configured no longer, and still show alerts: nobody closes those."""
    entries = ((one.sink, one.value) for one in ledger if isinstance(one.value, Entry))
    shown = Counter(sink for sink, entry in entries if entry.view and entry.view.open)
    for sink, alerts in shown.items():
        if sink not in sinks:
            log.warning("removed sink still shows alerts, close them there", sink=sink, alerts=alerts)


def decoded(
    held: Mapping[bytes, bytes | None], on_unusable: Callable[[str, Unusable], None] = lambda *_: None
) -> Iterable[LedgerRecord]:
    """Read the newest records of the ledger; one that is not understood is logged, counted and skipped."""
    for key, value in held.items():
        try:
            yield LedgerRecord.decode(key, value)
        except ValueError:
            log.error("ledger record not understood", key=key)
            on_unusable(TOPIC, Unusable.UNREADABLE)
