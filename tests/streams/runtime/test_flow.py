"""What follows upon the state is taken, whenever it was fetched, and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.runtime.flow import Flow
from streams.runtime.transport import Fetch

AT = TP("verdicts", 3)
BEGINNING = 2  # of what the broker still has


class Around:
    """All that is around a owner. Remembers what it was given, and from where it was asked to read again."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.again: list[int] = []

    def process(self, _: int, records: list[Any], __: str) -> None:
        self.taken += [record.offset for record in records]

    def batch(self, *_: object) -> None: ...

    async def publish(self, *_: object) -> None: ...

    async def reread(self, _: TP, offset: int) -> int:
        self.again.append(max(offset, BEGINNING))
        return self.again[-1]


def keeper_of(around: Any, position: int | None) -> Flow:
    owner = Flow(AT.topic, around, around, around, around, lambda: around, lambda: around)
    if position is not None:
        owner.positions[AT.partition] = position
    return owner


def fetch(start: int, end: int, *without: int) -> Fetch:
    """What one poll brought; in place of some records there are marks of transactions."""
    records = [SimpleNamespace(offset=at) for at in range(start, end) if at not in without]
    return Fetch(*AT, start, end, records)


@pytest.mark.parametrize(
    ("position", "fetched", "taken", "following"),
    [
        (0, fetch(0, 4), [0, 1, 2, 3], 4),
        (2, fetch(0, 4), [2, 3], 4),
        (4, fetch(0, 4), [], 4),
        (9, fetch(0, 4), [], 9),
        (None, fetch(0, 4), [], None),  # the partition is another worker's
        (0, fetch(0, 4, 0, 3), [1, 2], 4),
        (4, fetch(4, 5, 4), [], 5),  # a mark that came alone
    ],
)
async def test_what_follows_upon_the_state_is_taken_once(
    position: int | None, fetched: Fetch, taken: list[int], following: int | None
) -> None:
    around = Around()
    owner = keeper_of(around, position)
    for _ in range(2):
        await owner.process(fetched)
        assert (around.taken, around.again) == (taken, [])
        assert owner.position(AT) == following


async def test_what_was_dropped_on_its_way_is_read_again_before_anything_that_follows_it() -> None:
    around = Around()
    owner = keeper_of(around, 5)
    for dropped in (fetch(8, 9), fetch(9, 12)):
        await owner.process(dropped)
    assert around.again == [5, 5]
    for again in (fetch(5, 9), fetch(5, 12), fetch(12, 13)):
        await owner.process(again)
    assert around.taken == [5, 6, 7, 8, 9, 10, 11, 12]


async def test_what_the_broker_no_longer_has_is_not_waited_for() -> None:
    around = Around()
    owner = keeper_of(around, 0)
    await owner.process(fetch(BEGINNING, 4))
    assert (around.taken, around.again) == ([], [BEGINNING])
    await owner.process(fetch(BEGINNING, 4))
    assert around.taken == [2, 3]


def test_reading_goes_on_behind_what_was_committed_though_it_left_no_state() -> None:
    owner = keeper_of(Around(), 5)
    for committed, position in ((3, 5), (9, 9)):
        owner.resume(AT, committed)
        assert owner.position(AT) == position
    owner.resume(TP("verdicts", 0), 9)
    assert owner.position(TP("verdicts", 0)) is None
