"""Where state outlives the worker: a compacted changelog in Kafka, written behind, and a local store.

The changelog is the truth. It is written once per touched key and commit, and read back when a partition is
assigned. (Not a Faust table: its recovery goes on after a record that could not be applied, and reads a
worker's own writes again at every rebalance; and each write costs a pass through Faust's producer.)

The local store is a copy on the local disk that shortens recovery: only what the changelog got since is
read. It may vanish at any time. A local store that cannot be written (disk full) is given up, and work goes
on. A copy is emptied where it is damaged, where it is of another topic of the same name, and where its last
record is not in the topic: the broker has lost its tail, and others have written since. So is an old one:
compaction removes deletions from the changelog after a day, so the copy could keep what was deleted since.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import Copy, DamagedCopyError, LocalStore, NoStore
from streams.runtime.partition_reader import (
    AT,
    LAST,
    POSITION,
    SET_BACK,
    Pair,
    PartitionReader,
    State,
    position_of,
)
from streams.runtime.started_clients import started
from streams.runtime.transport import FETCH_WAIT_MS, LOG_APPEND_TIME, Producer, Record, Sent

log = structlog.get_logger()

FETCH_BYTES = 4 << 20
OLDEST = 12 * 3600.0  # seconds: half of Kafka's default for delete.retention.ms


def stamp_of(record: Any) -> int:
    """Return when the broker appended a record or a batch (ms); 0 where it stamps nothing."""
    return int(record.timestamp) if record.timestamp_type == LOG_APPEND_TIME else 0


class Copied(NamedTuple):
    """How far a copy has come: the changelog's offset after it, and the source's position in it."""

    following: int
    position: int


NOT_COPIED = Copied(-1, 0)


class Changelog:
    """The compacted topic behind a worker's state, one partition for each of the source's."""

    def __init__(self, topic: str, kafka: KafkaSettings, local_store: LocalStore) -> None:
        self.topic = topic
        self.generation = ""  # the broker's id of the topic, where it gives one
        self.partitions: Set[int] | None = None  # those that the topic has; None: not known
        self._kafka = kafka
        self._local_store: LocalStore = local_store
        self._copied: dict[int, Copied] = {}  # by partition whose copy is whole
        self.bytes_written = 0
        self.copy_lost = False  # was the local store given up?

    async def read(self, producer: Producer, partitions: Sequence[int]) -> dict[int, State]:
        """Return the state of these partitions. Raises StateError.

        A write that a worker had not finished when it died is rolled back, here and in the topic.
        """
        held, rolled_back = await self.look(partitions)
        await self.write(producer, rolled_back)
        return held

    async def unchanged(self, partitions: Iterable[int]) -> set[int]:
        """Return the partitions to which nobody else has written since this worker did.

        None of them where the broker does not answer.
        """
        ends = {
            TopicPartition(self.topic, at): self._copied.get(at, NOT_COPIED).following for at in partitions
        }
        if not ends:
            return set()
        try:
            async with self._reading() as consumer:
                found = await consumer.end_offsets([*ends])
        except KafkaError as error:
            log.warning("the changelog's end is not known", topic=self.topic, error=repr(error))
            return set()
        return {tp.partition for tp, end in ends.items() if found[tp] == end}

    async def look(self, partitions: Sequence[int]) -> tuple[dict[int, State], dict[int, State]]:
        """Return the same and write nothing; and what `read` would write to roll unfinished writes back."""
        copies = {partition: self._load(partition) for partition in partitions}
        rolled_back = await self._read_on(copies) if copies else {}
        return {at: copy.state() for at, copy in copies.items()}, rolled_back

    async def _read_on(self, copies: Mapping[int, Copy]) -> dict[int, State]:
        """Bring copies up to the changelog's end; return what rolls unfinished writes back."""
        async with self._reading() as consumer:
            ends = await self._seek(consumer, copies)
            readers = {
                tp: PartitionReader(self.topic, tp.partition, copies[tp.partition])
                for tp, end in ends.items()
                if copies[tp.partition].following < end
            }
            left = set(readers)
            while left:
                for tp, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                    readers[tp].apply(records)
                    copies[tp.partition].stamp = stamp_of(records[-1])
                left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
            for tp, reader in readers.items():
                # An unfinished write is read again where this worker dies before it is rolled back.
                following = reader.begun_from if reader.begun else await consumer.position(tp)
                stamp = 0 if reader.begun else copies[tp.partition].stamp
                self._save(tp.partition, reader.pairs(), following, reader.last, stamp=stamp)
            for tp in ends:
                position = position_of(copies[tp.partition].pairs)
                self._copied[tp.partition] = Copied(await consumer.position(tp), position)
            return {tp.partition: reader.rolled_back() for tp, reader in readers.items() if reader.begun}

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer of the changelog; raises KafkaError where there is no broker."""
        consumer = AIOKafkaConsumer(
            **self._kafka.aiokafka,
            enable_auto_commit=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,  # a fetch begins before the seek, and the next one waits for it
        )
        async with started(consumer):
            yield consumer

    async def _seek(
        self, consumer: AIOKafkaConsumer, copies: Mapping[int, Copy]
    ) -> dict[TopicPartition, int]:
        """Go to where each copy ends; where the changelog does not reach there, to its beginning."""
        partitions = [TopicPartition(self.topic, partition) for partition in copies]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for tp, beginning in (await consumer.beginning_offsets(partitions)).items():
            copy = copies[tp.partition]
            if not beginning <= copy.following <= ends[tp]:
                self._begin_anew(tp.partition, copy, beginning)
            consumer.seek(tp, copy.following)
        stamped = {tp: copies[tp.partition] for tp in partitions if copies[tp.partition].stamp}
        for tp in stamped.keys() - await self._ends_alike(consumer, stamped):
            (beginning,) = (await consumer.beginning_offsets([tp])).values()
            self._begin_anew(tp.partition, stamped[tp], beginning)
        for tp, copy in stamped.items():
            consumer.seek(tp, copy.following)
        return dict(ends)

    async def _ends_alike(
        self, consumer: AIOKafkaConsumer, copies: Mapping[TopicPartition, Copy]
    ) -> set[TopicPartition]:
        """Return the partitions that have a copy's last record in its place.

        Where the broker has lost its tail, others have written there since. Where compaction has removed the
        record, nothing is known, and the copy is not used either.
        """
        found = dict[TopicPartition, tuple[int, int]]()
        for tp, copy in copies.items():
            consumer.seek(tp, max(copy.following - 1, 0))
        left = set(copies)
        while left:
            for tp, records in (await consumer.getmany(*left, timeout_ms=1000, max_records=1)).items():
                for record in records:
                    found.setdefault(tp, (record.offset, stamp_of(record)))
            left = {tp for tp in left if await consumer.position(tp) < copies[tp].following}
        return {tp for tp, copy in copies.items() if found.get(tp) == (copy.following - 1, copy.stamp)}

    def _begin_anew(self, partition: int, copy: Copy, beginning: int) -> None:
        """Forget a copy, also on the disk: what is not in the topic must not come back."""
        copy.clear(beginning)
        try:
            self._local_store.clear(partition)
        except Exception as error:
            self._give_up(partition, error)

    async def write(self, producer: Producer, states: Mapping[int, State]) -> None:
        """Write each partition's pairs to the changelog, wait until the broker has them, and copy them."""
        written = {}
        for partition, (position, changed, last, is_set_back) in states.items():
            at = str(position).encode()
            pairs = [*changed, (AT, at)]
            headers = [(POSITION, at), *([(SET_BACK, b"")] if is_set_back else [])]
            records: list[Record] = [(key, value, headers) for key, value in changed]
            records.append((AT, at, [*headers, (LAST, last)]))
            written[partition] = pairs, last, await producer.put(self.topic, partition, records), position
            self.bytes_written += sum(len(key) + len(value or b"") for key, value in pairs)
        await producer.settled()
        for partition, (pairs, last, sent, position) in written.items():
            following = await self._follows(partition, sent, position)
            if following is None:
                self._discard(partition)
            else:
                self._save(partition, pairs, following, last, stamp=stamp_of(await sent[-1].metadata))
                self._copied[partition] = Copied(following, position)

    async def _follows(self, partition: int, sent: Sequence[Sent], position: int) -> int | None:
        """Return the offset after a write; None where it does not continue the copy.

        A worker that was thought dead writes late, and another has written in between.
        """
        following, counted = self._copied.get(partition, NOT_COPIED)
        for batch in sent:
            if (await batch.metadata).offset != following:
                return None
            following += batch.records
        return following if position >= counted else None

    def _discard(self, partition: int) -> None:
        """Delete a copy that is not whole any more; the next one is made when the partition is read again."""
        if self._copied.pop(partition, None) is None:
            return
        try:
            self._local_store.clear(partition)
        except Exception as error:
            self._give_up(partition, error)

    def _load(self, partition: int) -> Copy:
        try:
            copy = self._whole(partition)
            if copy.generation != self.generation or abs(time.time() - copy.saved_at) > OLDEST:
                self._local_store.clear(partition)
                return Copy(generation=self.generation)
            return copy
        except Exception as error:  # any error of the disk: the changelog has it all
            self._give_up(partition, error)
            return Copy(generation=self.generation)

    def _whole(self, partition: int) -> Copy:
        """Return the copy; an empty one in place of a damaged one, which is deleted."""
        try:
            return self._local_store.load(partition)
        except DamagedCopyError as error:
            log.warning("local copy damaged, made anew", partition=partition, error=str(error))
            self._local_store.clear(partition)
            return Copy()

    def _save(
        self, partition: int, pairs: Sequence[Pair], following: int, last: bytes, *, stamp: int = 0
    ) -> None:
        try:
            copy = Copy(self.generation, following, last, saved_at=time.time(), stamp=stamp)
            self._local_store.save(partition, pairs, copy)
        except Exception as error:
            self._give_up(partition, error)

    def _give_up(self, partition: int, error: Exception) -> None:
        log.error(
            "local store given up: this worker goes on without a local copy",
            partition=partition,
            error=str(error),
        )
        with suppress(Exception):
            self._local_store.close(partition)
        self._local_store, self.copy_lost = NoStore(), True

    def copies(self) -> set[int]:
        """Return the partitions of which there is a local copy, of whatever age."""
        return self._local_store.copies()

    def close(self, partition: int) -> None:
        """Let go of a partition."""
        self._copied.pop(partition, None)
        try:
            self._local_store.close(partition)
        except Exception as error:
            self._give_up(partition, error)
