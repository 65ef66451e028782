"""Read the verdicts of both, once both have processed what was there."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from streams.contract.verdicts import Verdict
from streams.runtime.broker_monitor import partitions_of
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.started_clients import started
from surgewatch.shadow.beginning import ShadowError
from surgewatch.shadow.comparing import Comparison, Published, compare
from surgewatch.topic_records import read_all

GROUP: Final = "surgewatch-streams"
MARGIN: Final = 10.0  # seconds: two workers close a period at the turn of an hour, but not in the same second


async def compare_with_live(
    kafka: KafkaSettings, live: str, shadow: str, *, timeout: float, report: Callable[[str], None]
) -> Comparison:
    """Wait until both have processed the events that are there now, and compare their verdicts.

    Raises ShadowError where one of them has not after `timeout` seconds.
    """
    topics = [f"{live}encounters", f"{live}verdicts", f"{shadow}verdicts"]
    found = await partitions_of(kafka, topics)
    if missing := [topic for topic in topics if not found.get(topic)]:
        raise ShadowError(f"there is no topic {', '.join(missing)}: run `surgewatch shadow begin {shadow}`")
    events = [TopicPartition(topics[0], at) for at in sorted(found[topics[0]])]
    until = int(time.time() * 1000)
    ends = await _ends(kafka, events)
    for prefix in (live, shadow):
        await _wait(kafka, f"{prefix}{GROUP}", ends, timeout)
    await asyncio.sleep(MARGIN)
    verdicts = [
        await _read(kafka, [TopicPartition(topic, at) for at in sorted(found[topic])], report)
        for topic in topics[1:]
    ]
    return compare(verdicts[0], verdicts[1], until)


async def _ends(kafka: KafkaSettings, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    async with started(AIOKafkaConsumer(**kafka.aiokafka)) as consumer:
        return dict(await consumer.end_offsets(partitions))


async def _wait(kafka: KafkaSettings, group: str, ends: dict[TopicPartition, int], timeout: float) -> None:
    """Wait until a group has committed all up to these ends."""
    consumer = AIOKafkaConsumer(**kafka.aiokafka, group_id=group, enable_auto_commit=False)
    async with started(consumer):
        deadline = time.monotonic() + timeout
        while behind := [tp for tp, end in ends.items() if (await consumer.committed(tp) or 0) < end]:
            if time.monotonic() > deadline:
                raise ShadowError(f"{group} has not processed all of {behind[0].topic}: do its workers run?")
            await asyncio.sleep(1)


async def _read(
    kafka: KafkaSettings, partitions: list[TopicPartition], report: Callable[[str], None]
) -> list[Published]:
    """Read all verdicts of a topic."""
    published: list[Published] = []
    for record in await read_all(kafka, partitions, isolation_level="read_committed"):
        try:
            verdict = Verdict.model_validate_json(record.value or b"", extra="ignore")
        except ValidationError:
            report(f"{record.topic}[{record.partition}] {record.offset} is no verdict")
        else:
            published.append(Published(verdict, record.timestamp))
    return published
