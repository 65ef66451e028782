"""A sink that takes nothing is failing on every worker's console, and costs two records an outage."""

import asyncio
from types import SimpleNamespace

import pytest

from alerts.console.board import Board
from alerts.notices.dead_letters import SinkState
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.metrics import Metrics
from alerts.worker.settings import Settings
from alerts.worker.sink_states import PATIENCE, SinkStates
from alerts.worker.tries import Tries

SINK, FIRST = "duty", 1_700_000_000_000


class Topic:
    """The topic that two workers write and read, in virtual time; `refuses`: the broker takes nothing."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.steady, self.refuses = 0.0, False
        self.boards = [Board(sinks=[SINK]) for _ in range(2)]
        self.workers = [SinkStates([SINK], board, self.publish, lambda: self.steady) for board in self.boards]
        self._readers = [DeadLetters(Settings(), board, self.publish, self._again) for board in self.boards]
        for reader, states in zip(self._readers, self.workers, strict=True):
            reader.states = states

    async def publish(self, topic: str, key: bytes, value: bytes) -> None:
        if self.refuses:
            raise PermissionError("no more")
        assert (topic, key) == ("notices.dead", SINK.encode())
        self.records.append(value)

    async def try_for(self, seconds: float, *, works: bool, worker: int = 0) -> None:
        """Let a worker try once a second; then both read what was written."""
        read = len(self.records)
        for _ in range(int(seconds)):
            self.workers[worker].tried(SINK, works=works, reason="" if works else "http_500")
            self.steady += 1
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        for value in self.records[read:]:
            at = FIRST + int(self.steady * 1000)
            for reader in self._readers:
                await reader.apply(SimpleNamespace(value=value, timestamp=at, offset=0))

    def shown(self) -> list[tuple[str, str]]:
        """The state and the reason on each console."""
        rows = [board.snapshot().as_json()["sinks"][0] for board in self.boards]
        return [(row["state"], row["reason"]) for row in rows]

    async def _again(self, _: object) -> None:
        raise AssertionError("no letter was read")


async def test_an_outage_is_shown_by_every_console_and_is_two_records() -> None:
    topic = Topic()
    await topic.try_for(PATIENCE, works=False)
    assert topic.shown() == [("idle", "")] * 2
    await topic.try_for(600, works=False)
    assert topic.shown() == [("failing", "http_500")] * 2
    await topic.try_for(5, works=True)
    assert topic.shown() == [("ok", "")] * 2
    assert len(topic.records) == 2


async def test_the_worker_that_takes_a_failing_sink_over_shows_that_it_works_again() -> None:
    topic = Topic()
    await topic.try_for(2 * PATIENCE, works=False, worker=0)
    await topic.try_for(1, works=True, worker=1)
    assert topic.shown() == [("ok", "")] * 2


async def test_tries_that_fail_now_and_then_write_nothing() -> None:
    topic = Topic()
    for _ in range(100):
        await topic.try_for(PATIENCE - 1, works=False)
        await topic.try_for(1, works=True)
    assert topic.records == []


async def test_a_state_that_the_broker_refuses_is_written_with_a_later_try() -> None:
    topic = Topic()
    topic.refuses = True
    await topic.try_for(2 * PATIENCE, works=False)
    topic.refuses = False
    await topic.try_for(2, works=False)
    assert topic.shown()[1] == ("failing", "http_500")
    assert len(topic.records) == 1


async def test_a_sink_whose_posts_of_what_stands_fail_is_failing() -> None:
    board = Board(sinks=[SINK])
    tries = Tries(board, Metrics([SINK]), SinkStates([SINK], board, Topic().publish))
    tries.tried(SINK, [], "retry", seconds=0.1, reason="no_connection")
    assert [row["state"] for row in board.snapshot().as_json()["sinks"]] == ["failing"]


def test_a_try_is_shown_at_the_brokers_time() -> None:
    board = Board(sinks=[SINK])
    tries = Tries(board, Metrics([SINK]), SinkStates([SINK], board, Topic().publish), lambda: 1_900_000_000.0)
    tries.tried(SINK, [], "retry", seconds=0.1, reason="no_connection")
    assert [row["failed_at"] for row in board.snapshot().as_json()["sinks"]] == ["2030-03-17T17:46:40+00:00"]


@pytest.mark.parametrize("timestamp", [-(2**62), 0, 2**62])
async def test_a_state_of_any_time_is_taken_and_one_of_a_sink_that_is_not_configured_is_not(
    timestamp: int,
) -> None:
    board = Board(sinks=[SINK])
    letters = DeadLetters(Settings(), board, Topic().publish, Topic()._again, sinks=[SINK])
    for sink in (SINK, "removed"):
        value = SinkState(sink=sink, works=False, reason="timeout").model_dump_json().encode()
        await letters.apply(SimpleNamespace(value=value, timestamp=timestamp, offset=0))
    assert [(row["id"], row["state"]) for row in board.snapshot().as_json()["sinks"]] == [(SINK, "failing")]
