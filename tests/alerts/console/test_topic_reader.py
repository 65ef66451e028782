"""The readers of the board see every partition, from the start or from some way back, and go on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from confluent_kafka import Producer

from alerts.console.topic_reader import follow
from streams.runtime.kafka_settings import KafkaSettings
from surgewatch.harness.embedded_kafka import EmbeddedBroker


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


def produce(broker: EmbeddedBroker, topic: str, *values: str) -> None:
    """Put each value into partitions 0 and 1."""
    producer = Producer({"bootstrap.servers": broker.servers})
    for value in values:
        for partition in (0, 1):
            producer.produce(topic, f"{value}{partition}", partition=partition)
    assert producer.flush(20) == 0


@asynccontextmanager
async def following(broker: EmbeddedBroker, topic: str, back: int | None = None) -> AsyncIterator[list[str]]:
    values: list[str] = []
    kafka = KafkaSettings(broker.servers)
    task = asyncio.create_task(
        follow(topic, kafka, lambda record: values.append(record.value.decode()), back=back)
    )
    yield values
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(values: list[str], expected: set[str]) -> None:
    async with asyncio.timeout(60):
        while set(values) < expected:
            await asyncio.sleep(0.02)
    assert sorted(values) == sorted(expected)


async def test_all_records_of_all_partitions_are_read_and_then_what_comes(broker):
    broker.touch("whole")
    produce(broker, "whole", "a", "b")
    async with following(broker, "whole") as values:
        await until(values, {"a0", "a1", "b0", "b1"})
        produce(broker, "whole", "c")
        await until(values, {"a0", "a1", "b0", "b1", "c0", "c1"})


async def test_a_reader_of_the_newest_records_begins_so_many_back_in_each_partition(broker):
    broker.touch("newest")
    produce(broker, "newest", "a", "b", "c")
    async with following(broker, "newest", back=2) as values:
        await until(values, {"b0", "b1", "c0", "c1"})


async def test_a_reader_waits_for_a_topic_that_comes_later(broker):
    async with following(broker, "later") as values:
        await asyncio.sleep(0.2)
        broker.touch("later")
        produce(broker, "later", "a")
        await until(values, {"a0", "a1"})


async def test_a_record_that_cannot_be_applied_does_not_end_the_reader_for_good(broker):
    broker.touch("poison")
    produce(broker, "poison", "a")
    failures = []

    def fail_once(record) -> None:
        if not failures:
            failures.append(record)
            raise ValueError("not for us")
        seen.append(record.value.decode())

    seen: list[str] = []
    task = asyncio.create_task(follow("poison", KafkaSettings(broker.servers), fail_once))
    await until(seen, {"a0", "a1"})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
