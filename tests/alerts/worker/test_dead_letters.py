"""Dead letters as a worker reads them: those that wait, and what somebody wants to be sent again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache

import pytest
from confluent_kafka import Producer

from alerts.console.board import Board
from alerts.lifecycle.alert import Reason
from alerts.notices.dead_letters import DeadLetter, DeadLetterRecord
from alerts.notices.messages import Message, View
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.settings import Settings
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from tests.alerts.made import FIRST_DAY, verdict
from tests.alerts.one_sink import OneSink

TOPIC = "notices.dead"


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@cache
def message() -> Message:
    desk = OneSink()
    desk.judge(verdict(0, breach=True))
    return Message(reason=Reason.FIRST, view=View(alert=desk.alert(), severity=desk.alert().severity))


def letter(name: str) -> DeadLetterRecord:
    dead = DeadLetter(sink="duty", notice_id=name, headline=name, reason="http_400", at=FIRST_DAY)
    return DeadLetterRecord(letter=dead, message=message())


def wanted(record: DeadLetterRecord) -> DeadLetterRecord:
    return record.model_copy(update={"again": True})


def closed(record: DeadLetterRecord) -> DeadLetterRecord:
    return DeadLetterRecord(letter=record.letter)


def produce(broker: EmbeddedBroker, prefix: str, *records: DeadLetterRecord) -> None:
    producer = Producer({"bootstrap.servers": broker.servers})
    for one in records:
        value, key = one.model_dump_json().encode(), one.letter.letter_id.encode()
        producer.produce(prefix + TOPIC, value, key, partition=0)
    assert producer.flush(20) == 0


@asynccontextmanager
async def following(broker: EmbeddedBroker, prefix: str) -> AsyncIterator[tuple[DeadLetters, list[str]]]:
    """Yield the letters of a worker that has just started, and the ids of those that it was to send again."""
    asked: list[str] = []

    async def send_again(record: DeadLetterRecord) -> None:
        asked.append(record.letter.notice_id)

    async def publish(*_: object) -> None:
        raise AssertionError("nothing is published")

    letters = DeadLetters(Settings(brokers=broker.servers, topic_prefix=prefix), Board(), publish, send_again)
    task = asyncio.create_task(letters.follow())
    yield letters, asked
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until_waiting(letters: DeadLetters, number: int) -> None:
    async with asyncio.timeout(60):
        while letters.waiting().total() != number:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)


async def test_a_letter_that_was_sent_again_and_is_back_is_not_sent_by_a_restart(
    broker: EmbeddedBroker,
) -> None:
    broker.touch("back-" + TOPIC)
    back, left = letter("back"), letter("left")
    produce(broker, "back-", back, wanted(back), closed(back), back, wanted(left))
    async with following(broker, "back-") as (letters, asked):
        await until_waiting(letters, 2)
        assert asked == ["left"]
        produce(broker, "back-", wanted(back))
        async with asyncio.timeout(30):
            while asked != ["left", "back"]:
                await asyncio.sleep(0.02)


async def test_a_letter_waits_however_many_were_sent_again_after_it(broker: EmbeddedBroker) -> None:
    broker.touch("many-" + TOPIC)
    old = letter("old")
    others = [letter(f"other{number}") for number in range(400)]
    produce(
        broker,
        "many-",
        old,
        *(state(one) for one in others for state in (DeadLetterRecord.model_copy, wanted, closed)),
    )
    async with following(broker, "many-") as (letters, asked):
        await until_waiting(letters, 1)
        assert asked == []
