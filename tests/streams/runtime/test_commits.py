"""Offsets are committed up to what was taken, and never beyond it, whatever has been acknowledged."""

import asyncio
import time
from collections import defaultdict
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.types import TP

from streams.runtime.flows import Flows
from streams.runtime.readiness import COMMIT_SECONDS, unwritten
from streams.runtime.transport import Consumer

AT = TP("verdicts", 3)


class App:
    """An app whose owner has taken so much of the partition."""

    def __init__(self, taken: int | None) -> None:
        self.owner, self._taken = self, taken

    def position(self, _: TP) -> int | None:
        return self._taken


@pytest.mark.parametrize(
    ("acknowledged", "taken", "committed", "offset"),
    [
        ([12], 13, None, 13),
        ([12], 0, None, None),  # a fetch from before a rebalance, dropped
        ([12, 19], 13, None, 13),
        ([12], 13, 13, None),
        ([12], None, None, None),  # the partition is another worker's
        ([], 13, None, None),
    ],
)
def test_what_was_acknowledged_but_not_taken_is_read_again(
    acknowledged: list[int], taken: int | None, committed: int | None, offset: int | None
) -> None:
    consumer = object.__new__(Consumer)
    consumer.app = App(taken)
    consumer._acked = defaultdict(list, {AT: acknowledged})
    consumer._acked_index = defaultdict(set, {AT: set(acknowledged)})
    consumer._committed_offset = defaultdict(lambda: None, {AT: committed})
    assert consumer._new_offset(AT) == offset


async def test_a_look_while_the_position_of_a_partition_is_being_reset_ends_nothing() -> None:
    """As it is after the broker has dropped what was to be read next. Faust looks every few seconds."""
    known = SubscriptionState()
    known.assign_from_user([TopicPartition(*AT)])
    reset = known.subscription.assignment.state_value(TopicPartition(*AT))
    with pytest.raises(AssertionError):
        reset.position  # noqa: B018 - what Faust does
    consumer = object.__new__(Consumer)
    consumer._thread = SimpleNamespace(
        assignment=lambda: {AT}, verify_event_path=lambda _, __: reset.position
    )
    await consumer.verify_all_partitions_active()


class Hanging(Consumer):
    """A consumer whose commits never come back, as where the group's coordinator takes no offsets."""

    should_stop = False
    commit_interval = 0.0

    async def sleep(self, n: float) -> None:
        await asyncio.sleep(n)

    async def commit(self, *_: object, **__: object) -> bool:
        return await asyncio.Event().wait()


async def test_a_commit_that_does_not_come_back_is_under_way_though_all_is_settled() -> None:
    async def check() -> None:
        """State fits its topics."""

    flows = Flows([], check)
    consumer = object.__new__(Hanging)
    consumer.app = SimpleNamespace(owner=flows)
    task = asyncio.create_task(Consumer._commit_handler.fun(consumer))
    await asyncio.sleep(0.05)
    await flows.settle()
    assert unwritten(flows.settling(time.monotonic() + COMMIT_SECONDS + 1)) is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert flows.settling(time.monotonic() + COMMIT_SECONDS + 1) == 0
