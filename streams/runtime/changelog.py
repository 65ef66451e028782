"""Where state outlives the worker: a compacted changelog in Kafka, written behind, and a local local_store.

The changelog is the truth. It is written once per touched key and commit, and read back when a partition is
assigned. (Not a Faust table: its recovery goes on after a record that could not be applied, and reads a
worker's own writes again at every rebalance; and each write costs a pass through Faust's producer.)

The local store is a copy on the local disk that shortens recovery: only what the changelog got since is read.
It may vanish at any time. A local store that cannot be written (disk full) is given up, and work goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import LocalStore, NoStore, Pair
from streams.runtime.transport import Producer

log = structlog.get_logger()

AT = b"\0at"  # key of the changelog's own: the source offset up to which the partition had been counted
POSITION = "position"  # header of a changelog record: the source offset up to which its writer had counted


class State(NamedTuple):
    """Keys and values of a partition, counted up to the source offset `position`."""

    position: int
    pairs: Sequence[Pair]


class Changelog:
    """The compacted topic behind a worker's state, one partition for each of the source's."""

    def __init__(self, topic: str, kafka: KafkaSettings, local_store: LocalStore) -> None:
        self.topic = topic
        self._kafka = kafka
        self._local_store: LocalStore = local_store
        self.bytes_written = 0

    async def read(self, producer: Producer, partitions: Sequence[int]) -> dict[int, State]:
        """What holds for every key of these partitions, and how far their source had been counted.

        What a worker had begun to write when it died is taken back, here and in the topic.
        """
        held, rolled_back = await self.look(partitions)
        await self.write(producer, rolled_back)
        return held

    async def look(self, partitions: Sequence[int]) -> tuple[dict[int, State], dict[int, State]]:
        """The same, changing nothing; and what would have to be written to take back what was only begun."""
        held: dict[int, dict[bytes, bytes]] = {}
        starts: dict[TopicPartition, int] = {}
        for partition in partitions:
            following, held[partition] = self._unshelve(partition)
            starts[TopicPartition(self.topic, partition)] = following
        rolled_back = await self._read_on(starts, held) if starts else {}
        return {at: State(_position(pairs), _but_position(pairs)) for at, pairs in held.items()}, rolled_back

    async def _read_on(
        self, starts: Mapping[TopicPartition, int], held: dict[int, dict[bytes, bytes]]
    ) -> dict[int, State]:
        """Lay the changelog from these offsets on over what is held; says what has to be taken back."""
        consumer = AIOKafkaConsumer(
            **self._kafka.aiokafka, enable_auto_commit=False, max_partition_fetch_bytes=4 << 20
        )
        await consumer.start()
        try:
            consumer.assign(list(starts))
            ends = await consumer.end_offsets(list(starts))
            firsts = await consumer.beginning_offsets(list(starts))
            left = {}
            for tp, start in starts.items():
                if not firsts[tp] <= start <= ends[tp]:
                    # An older local_store than the changelog, or of another cluster: read all again.
                    held[tp.partition].clear()
                    start = firsts[tp]
                consumer.seek(tp, start)
                if start < ends[tp]:
                    left[tp] = ends[tp]
            news = {tp: PartitionReader(held[tp.partition]) for tp in left}
            while left:
                for tp, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                    news[tp].apply(records)
                left = {tp: end for tp, end in left.items() if await consumer.position(tp) < end}
            for tp, fresh in news.items():
                self._keep(tp.partition, fresh.pairs(), await consumer.position(tp))
            return {tp.partition: fresh.rolled_back() for tp, fresh in news.items() if fresh.begun}
        finally:
            await consumer.stop()

    async def write(self, producer: Producer, states: Mapping[int, State]) -> None:
        """Bring each partition's pairs into the changelog, wait until it has them, and shelve them."""
        written = {}
        for partition, (position, changed) in states.items():
            at = str(position).encode()
            pairs = [*changed, (AT, at)]
            records = [(key, value, [(POSITION, at)]) for key, value in pairs]
            written[partition] = pairs, await producer.put(self.topic, partition, records)
            self.bytes_written += sum(len(key) + len(value or b"") for key, value in pairs)
        await producer.settled()
        for partition, (pairs, sent) in written.items():
            last = await sent[-1].metadata
            self._keep(partition, pairs, last.offset + sent[-1].records)

    def _unshelve(self, partition: int) -> tuple[int, dict[bytes, bytes]]:
        try:
            following, pairs = self._local_store.load(partition)
            return following, dict(pairs)
        except Exception as error:  # whatever the disk says: the changelog has it all
            self._give_up(partition, error)
            return 0, {}

    def _keep(self, partition: int, pairs: Sequence[Pair], following: int) -> None:
        try:
            self._local_store.save(partition, pairs, following)
        except Exception as error:
            self._give_up(partition, error)

    def _give_up(self, partition: int, error: Exception) -> None:
        log.error(
            "local_store given up: recovery reads the whole changelog", partition=partition, error=str(error)
        )
        with suppress(Exception):
            self._local_store.close(partition)
        self._local_store = NoStore()

    def close(self, partition: int) -> None:
        """Let go of a partition."""
        self._local_store.close(partition)


class PartitionReader:
    """What the changelog says beyond what is held.

    A write holds from its last record on, which is that of AT. So a write that a dying worker left half done
    never held. Nor does one that had counted less far than an earlier one: it is the late word of a worker
    that was thought dead.
    """

    def __init__(self, held: dict[bytes, bytes]) -> None:
        self._held = held
        self._touched: set[bytes] = set()
        self._position = _position(held)
        self.begun: list[Pair] = []  # of a write whose end has not been seen

    def apply(self, records: Iterable[Any]) -> None:
        """Take records in their order."""
        for record in records:
            position = next((int(value) for name, value in record.headers if name == POSITION), 0)
            if position < self._position:
                continue
            self.begun.append((record.key, record.value))
            if record.key == AT:
                self._position = position
                self._hold()

    def _hold(self) -> None:
        for key, value in self.begun:
            self._touched.add(key)
            if value is None:
                self._held.pop(key, None)
            else:
                self._held[key] = value
        self.begun.clear()

    def pairs(self) -> list[Pair]:
        """Every key that was spoken of, with what holds now."""
        return [(key, self._held.get(key)) for key in self._touched]

    def rolled_back(self) -> State:
        """What to write so that the topic says again what holds."""
        return State(self._position, [(key, self._held.get(key)) for key in dict(self.begun)])


def _position(held: Mapping[bytes, bytes]) -> int:
    return int(held.get(AT, b"0"))


def _but_position(held: Mapping[bytes, bytes]) -> list[Pair]:
    return [(key, value) for key, value in held.items() if key != AT]
