"""A connection beside the consumer group: is the broker there, what operators say, how far topics reach.

It shares nothing with the consumer that feeds the pipeline, so that it still sees when that one is stuck.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

log = structlog.get_logger()

REQUEST_MS = 5000


class SetupError(RuntimeError):
    """The worker cannot start as it is set up; the message says what to do, on one line."""


class Observer:
    """Reads `controls` from its beginning and asks for ends of topics."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=servers, enable_auto_commit=False, request_timeout_ms=REQUEST_MS
        )

    async def start(self, needed: Iterable[str]) -> None:
        """Connect; raises SetupError where no broker answers or topics are missing."""
        try:
            await self._consumer.start()
            missing = sorted(set(needed) - await self._consumer.topics())
        except (KafkaError, OSError) as error:
            await self._consumer.stop()
            raise SetupError(
                f"no Kafka broker answers at {self._servers} ({error}): start one or set SURGEWATCH_BROKERS"
            ) from error
        if missing:
            await self._consumer.stop()
            raise SetupError(
                f"missing topics at {self._servers}: {', '.join(missing)}: make them with `surgewatch topics`"
            )

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic."""
        return sorted(self._consumer.partitions_for_topic(topic) or ())

    async def first_controls(self, topic: str, heard: Callable[[Any], None]) -> None:
        """Hear every control that stands now."""
        parts = [TopicPartition(topic, partition) for partition in self.partitions(topic)]
        self._consumer.assign(parts)
        await self._consumer.seek_to_beginning(*parts)
        ends = await self._consumer.end_offsets(parts)
        left = [tp for tp in parts if ends[tp]]
        while left:
            await self.next_controls(heard)
            left = [tp for tp in left if await self._consumer.position(tp) < ends[tp]]

    async def next_controls(self, heard: Callable[[Any], None], timeout: float = 1.0) -> None:
        """Hear what operators said since, waiting for it up to `timeout` seconds."""
        fetched = await self._consumer.getmany(timeout_ms=int(timeout * 1000))
        for records in fetched.values():
            for record in records:
                heard(record)

    async def ends(self, topic: str, partitions: Sequence[int]) -> Mapping[tuple[str, int], int] | None:
        """Where these partitions end now, or None while the broker does not answer."""
        try:
            ends = await self._consumer.end_offsets([TopicPartition(topic, at) for at in partitions])
        except KafkaError as error:
            log.warning("broker does not answer", error=str(error))
            return None
        return {(tp.topic, tp.partition): end for tp, end in ends.items()}
