"""Let workers go on where state is ahead of its topic: that was made anew, or its broker lost records.

State is kept. It goes on from the first record that its topic got after the state was last written: what came
later is new to it, in a new topic as well as behind a lost end. A minute before that is read again, and ids
show what was counted.
"""

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.runtime.broker_monitor import BrokerMonitor, partitions_of
from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import NoStore
from streams.runtime.partition_reader import Pair, State, fingerprint
from streams.runtime.readiness import Position
from streams.runtime.started_clients import started
from streams.runtime.transport import Producer
from surgewatch.repartition.moving import RepartitionError, Report, stopped
from surgewatch.repartition.placing import MOVES, Move
from surgewatch.repartition.plain_producer import producing

MARGIN_MS = 60_000  # workers write their state at least once a minute


async def accept_lost_records(kafka: KafkaSettings, prefix: str, report: Report) -> None:
    """Set back the state of every partition that is ahead of its topic; raises RepartitionError.

    Workers have to be stopped; producers need not be. If it is interrupted, it can be run again.
    """
    async with producing(kafka) as producer:
        for move in MOVES:
            async with stopped(kafka, prefix, move) as monitor:
                changelog = Changelog(prefix + move.changelog, kafka, NoStore())
                lost = _Lost(prefix + move.source, move, changelog, monitor)
                await lost.accept(kafka, producer, report)


class _Lost:
    """One changelog and its source."""

    def __init__(self, source: str, move: Move, changelog: Changelog, monitor: BrokerMonitor) -> None:
        self._source, self._move = source, move
        self._changelog, self._monitor = changelog, monitor

    async def accept(self, kafka: KafkaSettings, producer: Producer, report: Report) -> None:
        every = sorted((await partitions_of(kafka, [self._source]))[self._source])
        written = await self._last_written(every)  # before a write that was begun is taken back
        lost = await self._lost(await self._changelog.read(producer, every))
        if lost.keys() - written.keys():
            raise RepartitionError(f"{self._changelog.topic} cannot be read")
        starts = await self._starts(kafka, {partition: written[partition] for partition in lost})
        set_back = {
            partition: State(starts[partition], self._without_offsets(state), is_set_back=True)
            for partition, state in lost.items()
        }
        await self._changelog.write(producer, set_back)
        for partition, state in lost.items():
            start = starts[partition]
            report(f"{self._source}[{partition}] was processed up to {state.position}, goes on from {start}")

    async def _last_written(self, every: Iterable[int]) -> dict[int, int]:
        """Return when the broker got the last record of each partition of the changelog, in ms."""
        ends = await self._ends(self._changelog.topic, every)
        last = {at: end - 1 for at, end in ends.items() if end}
        records = await self._monitor.records_at(last)
        return {partition: record.timestamp for (_, partition), record in records.items()}

    async def _lost(self, states: Mapping[int, State]) -> dict[int, State]:
        """Return the states that are ahead of their topic, or of another topic."""
        ends = await self._ends(self._source, states)
        last = {
            (self._source, partition): int(state.last.partition(b":")[0])
            for partition, state in states.items()
            if state.last
        }
        found = await self._monitor.records_at(last)
        others = {
            partition
            for (_, partition), record in found.items()
            if fingerprint(record) != states[partition].last
        }
        return {
            partition: state
            for partition, state in states.items()
            if partition in others or state.position > ends[self._source, partition]
        }

    async def _starts(self, kafka: KafkaSettings, written: Mapping[int, int]) -> dict[int, int]:
        """Return where to go on, by when each state was last written."""
        if not written:
            return {}
        moments = {
            TopicPartition(self._source, partition): max(ms - MARGIN_MS, 0)
            for partition, ms in written.items()
        }
        async with started(AIOKafkaConsumer(**kafka.aiokafka)) as consumer:
            found = await consumer.offsets_for_times(moments)
        ends = await self._ends(self._source, written)
        return {tp.partition: at.offset if at else ends[tp.topic, tp.partition] for tp, at in found.items()}

    async def _ends(self, topic: str, partitions: Iterable[int]) -> Mapping[Position, int]:
        ends = await self._monitor.ends((topic, partition) for partition in partitions)
        if ends is None:
            raise RepartitionError("the broker does not answer")
        return ends.high

    def _without_offsets(self, state: State) -> list[Pair]:
        return [(key, value and self._move.moved(key, value)) for key, value in state.pairs]
