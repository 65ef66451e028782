"""Move state in a real Kafka: workers and producers stopped, resumable, verified.

Copies are written first, then what they were copied from is deleted; the sources get their partitions last.
Until then workers refuse to start, since changelogs and sources do not fit. After an interruption, run it
again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from streams.runtime.broker_monitor import BrokerMonitor, partitions_of
from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import NoStore
from streams.runtime.partition_reader import State
from streams.runtime.transport import Producer
from surgewatch.repartition.placing import MOVES, Move, place
from surgewatch.repartition.plain_producer import producing

GROWN_TRIES, GROWN_SECONDS = 60, 0.5

Report = Callable[[str], None]


class RepartitionError(RuntimeError):
    """State cannot be moved now; the message names what to do."""


async def repartition(kafka: KafkaSettings, prefix: str, partitions: int, report: Report) -> None:
    """Give sources and changelogs `partitions` partitions; raises RepartitionError."""
    topics = [prefix + name for move in MOVES for name in (move.source, move.changelog)]
    before = {topic: len(every) for topic, every in (await partitions_of(kafka, topics)).items()}
    if too_many := sorted(topic for topic, number in before.items() if number > partitions):
        raise RepartitionError(f"partitions cannot be taken away: {', '.join(too_many)} have more")
    await _require_rest(kafka, prefix, before)
    admin = AIOKafkaAdminClient(**kafka.aiokafka)
    try:
        await admin.start()
        async with producing(kafka) as producer:
            for move in MOVES:
                if before[prefix + move.changelog] < partitions:
                    await _grow(admin, kafka, prefix + move.changelog, partitions)
                changelog = Changelog(prefix + move.changelog, kafka, NoStore())
                moved = await _move(changelog, producer, move, partitions)
                report(f"{changelog.topic}: {moved} keys moved, all at home in {partitions} partitions")
        for move in MOVES:
            if before[prefix + move.source] < partitions:
                await _grow(admin, kafka, prefix + move.source, partitions)
    finally:
        await admin.close()


async def _require_rest(kafka: KafkaSettings, prefix: str, before: Mapping[str, int]) -> None:
    """Raise RepartitionError where workers run, or records wait to be processed."""
    for move in MOVES:
        source = prefix + move.source
        async with stopped(kafka, prefix, move) as monitor:
            every = [(source, at) for at in range(before[source])]
            ends, committed = await monitor.ends(every), await monitor.committed(every)
        if ends is None:
            raise RepartitionError("the broker does not answer")
        waiting = sum(max(end - committed.get(at, 0), 0) for at, end in ends.high.items())
        if waiting:
            raise RepartitionError(
                f"{waiting} records of {source} are not processed: stop the producers, let the workers "
                "come to a lag of 0, stop them, and try again"
            )


@asynccontextmanager
async def stopped(kafka: KafkaSettings, prefix: str, move: Move) -> AsyncIterator[BrokerMonitor]:
    """Ask the broker about a group; raises RepartitionError where its workers run."""
    monitor = BrokerMonitor(kafka, f"{prefix}controls", prefix + move.group)
    await monitor.start([prefix + move.source])
    try:
        if await monitor.owned():
            raise RepartitionError(
                f"workers of {prefix}{move.group} run: stop them, and the producers. One that was the only "
                "one counts for SURGEWATCH_SESSION_SECONDS after its end"
            )
        yield monitor
    finally:
        await monitor.stop()


async def _grow(admin: AIOKafkaAdminClient, kafka: KafkaSettings, topic: str, partitions: int) -> None:
    """Add partitions, and wait until the broker shows them: it answers before."""
    await admin.create_partitions({topic: NewPartitions(partitions)})
    for _ in range(GROWN_TRIES):
        if len((await partitions_of(kafka, [topic]))[topic]) == partitions:
            return
        await asyncio.sleep(GROWN_SECONDS)
    raise RepartitionError(f"the broker does not add partitions to {topic}: run it again")


async def _move(changelog: Changelog, producer: Producer, move: Move, partitions: int) -> int:
    """Write moved keys, delete them in their old partitions, then verify that all are where they belong."""
    every = range(partitions)
    states = await changelog.read(producer, every)
    held = {at: _pairs(state) for at, state in states.items()}
    placed = place(held, move, partitions)
    coming = {
        at: state._replace(pairs=[(k, v) for k, v in placed.state[at].items() if held[at].get(k) != v])
        for at, state in states.items()
    }
    await changelog.write(producer, coming)
    leaving = {
        at: states[at]._replace(pairs=[(key, None) for key in keys]) for at, keys in placed.leaving.items()
    }
    await changelog.write(producer, leaving)
    now, _ = await changelog.look(every)
    if {at: _pairs(state) for at, state in now.items()} != placed.state:
        raise RepartitionError(f"{changelog.topic} does not hold what was written: run it again")
    return sum(map(len, placed.leaving.values()))


def _pairs(state: State) -> dict[bytes, bytes]:
    return {key: value for key, value in state.pairs if value is not None}
