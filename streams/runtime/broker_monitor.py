"""A connection beside the consumer group: is the broker there, what operators say, how far topics reach.

It shares nothing with the consumer that feeds the pipeline, so that it still sees when that one is stuck.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from streams.runtime.kafka_diagnosis import diagnose
from streams.runtime.kafka_settings import KafkaSettings

log = structlog.get_logger()

REQUEST_MS = 5000


class SetupError(RuntimeError):
    """The worker cannot start as it is set up; the message says what to do, on one line."""


class BrokerMonitor:
    """Reads `controls` from its beginning and asks for ends of topics."""

    def __init__(self, kafka: KafkaSettings, controls: str) -> None:
        self._kafka = kafka
        self._consumer = AIOKafkaConsumer(
            controls,  # without a group: all of its partitions, from the beginning
            **kafka.aiokafka,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            request_timeout_ms=REQUEST_MS,
        )

    async def start(self, needed: Iterable[str]) -> Mapping[str, set[int]]:
        """Connect; the partitions of topics. Raises SetupError: no broker answers, or topics are missing."""
        try:
            partitions = await require(self._kafka, needed)
            await self._consumer.start()
            return partitions
        except SetupError:
            await self._consumer.stop()
            raise
        except KafkaError as error:
            await self._consumer.stop()
            raise SetupError(await asyncio.to_thread(diagnose, self._kafka, error)) from error

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def read_standing_controls(self, heard: Callable[[Any], None]) -> None:
        """Hear every control that stands now."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
            await self.read_new_controls(heard)

    async def read_new_controls(self, heard: Callable[[Any], None], timeout: float = 1.0) -> None:
        """Hear what operators said since, waiting for it up to `timeout` seconds."""
        fetched = await self._consumer.getmany(timeout_ms=int(timeout * 1000))
        for records in fetched.values():
            for record in records:
                heard(record)

    async def ends(self, partitions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], int] | None:
        """Where these partitions end now, or None while the broker does not answer."""
        try:
            ends = await self._consumer.end_offsets([TopicPartition(*at) for at in partitions])
        except KafkaError as error:
            log.warning("broker does not answer", error=str(error))
            return None
        return {(tp.topic, tp.partition): end for tp, end in ends.items()}


async def require(kafka: KafkaSettings, topics: Iterable[str]) -> Mapping[str, set[int]]:
    """The partitions of topics.

    Raises SetupError naming the topics that are missing, or KafkaError where no broker answers.
    """
    wanted = set(topics)
    client = AIOKafkaClient(**kafka.aiokafka, request_timeout_ms=REQUEST_MS)
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    there = {topic: set(cluster.partitions_for_topic(topic) or ()) for topic in wanted}
    missing = sorted(topic for topic, partitions in there.items() if not partitions)
    if missing:
        raise SetupError(
            f"missing topics at {kafka.servers}: {', '.join(missing)}: make them with `surgewatch topics`"
        )
    return there
