"""Faust's Kafka transport with whole fetches in place of single messages, and a flush that waits.

Faust spends some 70-300 µs on each message's way to its agent. Here the message *is* the fetch: all records
of a partition that one poll brought. An agent of this transport must run with `concurrency=1`.

Before offsets are committed, and around a rebalance, the transport calls its `PartitionOwner`, which holds
state. The order is fixed: outputs and state are in the broker, then offsets are committed.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple, cast

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service

from streams.contract.partitioning import partition_of
from streams.runtime.assignor import Assignor
from streams.runtime.batch_fetcher import Fetched
from streams.runtime.broker_clock import BrokerClock
from streams.runtime.membership import leave_on_stop
from streams.runtime.partition_owner import PartitionOwner

# Under load, there are so many seconds of work for each second of a commit: with many sectors, each writes so
# much that the work would starve. What is not committed is only read again after a crash.
WORK_PER_COMMIT = 9
LOG_APPEND_TIME = 1  # kind of a timestamp: the broker's
FETCH_WAIT_MS = 50  # a broker that does not wake a waiting fetch (the embedded one) adds so much latency

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]  # key, value, headers


class Fetch(NamedTuple):
    """What one poll brought of one partition: all records from the offset `start` on until before `end`."""

    topic: str
    partition: int
    start: int
    end: int
    records: Sequence[Any]  # aiokafka's: offset, key, value, timestamp (ms), headers


class Sent(NamedTuple):
    """A batch on its way: the broker's answer, once it comes, and the number of its records."""

    metadata: Awaitable[Any]  # aiokafka's RecordMetadata; its offset is that of the first record
    records: int


class App(faust.App):
    """An app whose state has an owner, and which knows the partitions of its topics and the broker's time.

    `fail` ends the worker: what is raised while partitions are assigned, Faust and aiokafka would only log,
    and the worker would hold nothing, for good.
    """

    owner: PartitionOwner
    partitions: Mapping[str, set[int]]
    fail: Callable[[Exception], None]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.clock = BrokerClock()  # asked from any thread


class Consumer(driver.Consumer):
    """Hands over fetches, and commits nothing that is not settled."""

    _fetched = 0.0  # when records came last, by the monotonic clock

    @property
    def _owner(self) -> PartitionOwner:
        return cast("App", self.app).owner

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Fetch]]:
        fetched = cast("Mapping[TP, Fetched]", await super()._getmany(active_partitions, timeout))
        if fetched:
            self._fetched = time.monotonic()
        # As plain lists, which are true where there are records.
        return {tp: [Fetch(*tp, records.start, records.end, [*records])] for tp, records in fetched.items()}

    def _to_message(self, tp: TP, fetch: Fetch) -> ConsumerMessage:
        # The owner decides what follows upon what. Faust would drop what is read again, and what a poll
        # brought that began before a rebalance and ended after it: that would not come again.
        self._read_offset[tp] = None
        return ConsumerMessage(
            fetch.topic,
            fetch.partition,
            fetch.end - 1,  # so that its acknowledgement is that of the whole fetch, and lag reaches 0
            0.0,  # its records have times of their own
            0,
            [],
            None,
            cast("bytes", fetch),  # Faust hands it on unread
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: a full queue makes the fetcher wait by itself; Faust would sleep a second besides."""

    async def verify_all_partitions_active(self) -> None:
        """Nothing: that is for the watchdog. Faust's own look ends a worker whose position is being reset.

        The broker has just dropped what was to be read next, or a rebalance took the partition away.
        """

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A fetch always spans offsets: there is no gap to wait for."""

    def _new_offset(self, tp: TP) -> int | None:
        """Where to go on: behind the last fetch acknowledged (one agent, one at a time: in order).

        But never beyond what the owner has processed: a fetch from before a rebalance is acknowledged too,
        and dropped.
        """
        acked, processed = self._acked[tp], self._owner.position(tp)
        if not acked or processed is None:
            return None
        offset = min(max(acked) + 1, processed)
        acked.clear()
        self._acked_index[tp].clear()
        return int(offset) if offset > (self._committed_offset[tp] or 0) else None

    async def reread(self, tp: TP, offset: int) -> int:
        """Read a partition again from here on, or from its beginning if that is later; return from where."""
        with suppress(KafkaError):  # the partition is another worker's by now
            (beginning,) = (await self.earliest_offsets(tp)).values()
            offset = max(offset, beginning)
            await self.seek_wait({tp: offset})
        return offset

    @Service.task
    async def _commit_handler(self) -> None:
        """Commit every `commit_interval` seconds; less often while there is work and commits take long."""
        due = 0.0
        while not self.should_stop:
            await self.sleep(self.commit_interval)
            started = time.monotonic()
            if started >= min(due, self._fetched + self.commit_interval):
                with self._owner.writing():  # offsets too: aiokafka tries those again without end
                    await self.commit()
                ended = time.monotonic()
                due = ended + WORK_PER_COMMIT * (ended - started)

    async def _handle_attached(self, commit_offsets: Mapping[TP, int]) -> None:
        await self._owner.settle()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self.commit()  # Faust forgets what was acknowledged before it commits
        await super().on_partitions_revoked(revoked)
        self._owner.revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        try:
            await self._owner.assigned(assigned)
        except Exception as error:
            cast("App", self.app).fail(error)
            return  # nothing is fetched any more
        await super().on_partitions_assigned(assigned, generation_id)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # Faust fixes it at 1500 ms: no setting changes it
        consumer._isolation_level = "read_committed"  # not what a transaction has aborted
        app = cast("App", self.app)
        assignor = Assignor(
            app.conf.consumer_group_instance_id or "", lambda: app.partitions, lambda: app.owner.at_hand()
        )
        # In place of round robin, which Faust uses for an app without tables. Only one: with two, aiokafka
        # joins twice (with one, then with both), and workers interrupt each other's rebalance without end.
        consumer._partition_assignment_strategy = (assignor,)
        return consumer

    async def on_thread_stop(self) -> None:
        """Leave the group, unless this worker holds everything: then nobody is there to take over."""
        if self._consumer is not None and self._has_peers(self._consumer.subscription()):
            leave_on_stop(self._consumer)
        await super().on_thread_stop()

    def _has_peers(self, topics: Iterable[str]) -> bool:
        """Return whether there are partitions that this worker does not hold."""
        app = cast("App", self.app)
        every = [TP(topic, at) for topic in topics for at in app.partitions[topic]]
        return any(app.owner.position(tp) is None for tp in every)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """The same for partitions without a commit, which aiokafka leaves where they are.

        They are read from their beginning; what the state has of them is passed over.
        """
        committed = await super().seek_to_committed()
        if never := [tp for tp, offset in committed.items() if not offset]:
            await self.seek_to_beginning(*never)
        return committed


class Producer(driver.Producer):
    """Sends records in whole batches, past Faust's buffer, whose flush can return with messages unsent."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._unsettled: list[asyncio.Future[Any]] = []

    def _settings_extra(self) -> Mapping[str, Any]:
        # A state must never overtake a newer one of its key: so idempotent, also for at-least-once.
        return {"acks": "all", "enable_idempotence": True}

    async def put(self, topic: str, partition: int, records: Sequence[Record]) -> list[Sent]:
        """Send records to a partition; return the batches, in order."""
        producer: AIOKafkaProducer = self._ensure_producer()
        sent, at = [], 0
        while at < len(records):
            batch, start = producer.create_batch(), at
            while at < len(records):
                key, value, headers = records[at]
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    break
                at += 1
            future = await producer.send_batch(batch, topic, partition=partition)
            self._unsettled.append(future)
            sent.append(Sent(future, at - start))
        return sent

    async def put_keyed(self, topic: str, records: Iterable[Record], most: int | None = None) -> None:
        """The same, each record in the partition of its key, among the first `most` (None: all)."""
        spread = await self._spread(topic, most)
        parts: defaultdict[int, list[Record]] = defaultdict(list)
        for record in records:
            parts[partition_of(record[0] or b"", spread)].append(record)
        for partition, part in parts.items():
            await self.put(topic, partition, part)

    async def put_beside(self, topic: str, key: bytes, value: bytes, most: int | None = None) -> None:
        """Put one record in the partition of its key, and wait until the broker has it; raises KafkaError.

        Flows neither wait for it nor fail with it: it is a person's click, not what they have processed.
        """
        home = partition_of(key, await self._spread(topic, most))
        await self._ensure_producer().send_and_wait(topic, value, key, partition=home)

    async def _spread(self, topic: str, most: int | None) -> int:
        """Return over how many partitions of a topic its keys are spread."""
        partitions = len(await self._ensure_producer().partitions_for(topic))
        return min(partitions, most or partitions)

    async def settled(self) -> None:
        """Wait until the broker has all that was put before the wait began; raises ProducerSendError."""
        waited = list(self._unsettled)  # others may wait for the same: what fails, fails for all of them
        try:
            for future in waited:
                metadata = await future
        except KafkaError as error:
            raise ProducerSendError(f"the broker did not take what was sent: {error!r}") from error
        if waited and metadata.timestamp_type == LOG_APPEND_TIME:
            cast("App", self.app).clock.observe(metadata.timestamp / 1000)
        done = set(waited)
        self._unsettled = [future for future in self._unsettled if future not in done]


class Transport(driver.Transport):
    """`surgewatch://host:port`."""

    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer
