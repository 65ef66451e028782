"""Reads the topics that fill the board, for all workers: alerts whole, verdicts from some way back."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.started_clients import started

log = structlog.get_logger()

PAUSE: Final = 1.0  # seconds before a broker that failed is asked again
MANY: Final = 200  # records taken at once, so that the page is answered between
FETCH_WAIT_MS: Final = (
    50  # a broker that does not wake a waiting fetch (the embedded one) adds so much latency
)

Apply = Callable[[Any], None]  # takes aiokafka's ConsumerRecord


async def follow(
    topic: str,
    kafka: KafkaSettings,
    apply: Apply,
    *,
    back: int | None = None,
    done: Callable[[], None] = lambda: None,
    failed: Callable[[str], None] = lambda _: None,
) -> None:
    """Read all partitions of a topic for ever, from the start or from so many records `back` from the end.

    A record that `apply` cannot use must not raise. Where the broker fails, reading begins anew. `done` is
    called after each look, whether there was anything or not, and `failed` with why there was none.
    """
    while True:
        try:
            await _read(topic, kafka, apply, back, done)
        except Exception as error:  # whatever it is: the page has to go on
            log.warning("console reader failed, restarting", topic=topic, error=repr(error))
            failed(repr(error))
        await asyncio.sleep(PAUSE)


async def _read(
    topic: str, kafka: KafkaSettings, apply: Apply, back: int | None, done: Callable[[], None]
) -> None:
    consumer = AIOKafkaConsumer(
        **kafka.aiokafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    async with started(consumer):
        known: set[TopicPartition] = set()
        while True:
            found = {TopicPartition(topic, at) for at in consumer.partitions_for_topic(topic) or ()}
            if found - known:
                await _assign(consumer, known, found, back)
                known = found
            if not known:
                await consumer.topics()  # asks the broker again
                done()
                await asyncio.sleep(PAUSE)
                continue
            for records in (await consumer.getmany(timeout_ms=1000, max_records=MANY)).values():
                for record in records:
                    apply(record)
            done()
            await asyncio.sleep(0)


async def _assign(
    consumer: AIOKafkaConsumer, known: set[TopicPartition], found: set[TopicPartition], back: int | None
) -> None:
    """Read these partitions from now on; those that are new from where they are to be read."""
    positions = {tp: await consumer.position(tp) for tp in known}
    consumer.assign(sorted(found))
    begins, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
    for tp in found:
        start = begins[tp] if back is None else max(begins[tp], ends[tp] - back)
        consumer.seek(tp, positions.get(tp, start))
