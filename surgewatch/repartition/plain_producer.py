"""What a changelog needs of a producer, for commands that have no worker around it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from aiokafka import AIOKafkaProducer

from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.started_clients import started
from streams.runtime.transport import Producer, Record, Sent


@asynccontextmanager
async def producing(kafka: KafkaSettings) -> AsyncIterator[Producer]:
    """A producer for as long as the block runs; raises aiokafka's KafkaError where it may not write."""
    async with started(AIOKafkaProducer(**kafka.aiokafka, acks="all", enable_idempotence=True)) as producer:
        yield cast("Producer", _PlainProducer(producer))


class _PlainProducer:
    """Sends record by record, in their order."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._unsettled: list[Any] = []

    async def put(self, topic: str, partition: int, records: Sequence[Record]) -> list[Sent]:
        """Send records to a partition, in their order."""
        for key, value, headers in records:
            sent = await self._producer.send(topic, value, key, partition=partition, headers=headers)
            self._unsettled.append(sent)
        return [Sent(self._unsettled[-1], 1)]

    async def settled(self) -> None:
        """Wait until the broker has all of it."""
        waited, self._unsettled = self._unsettled, []
        for sent in waited:
            await sent
