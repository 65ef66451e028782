"""Read all records that partitions have now."""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.started_clients import started


async def read_all(kafka: KafkaSettings, partitions: Sequence[TopicPartition], **options: Any) -> list[Any]:
    """Return the records from the beginning up to the ends there are; `options` of the consumer."""
    # Not by seeking: a request for the end that is still under way would win over it.
    consumer = AIOKafkaConsumer(
        **kafka.aiokafka, auto_offset_reset="earliest", enable_auto_commit=False, **options
    )
    async with started(consumer):
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for fetched in (await consumer.getmany(timeout_ms=1000)).values():
                records += fetched
        return records
