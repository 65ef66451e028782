"""Around a rebalance, what follows upon the state is taken, whenever it was fetched, and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.keeper import Keeper
from streams.transport import Fetch

AT, NOW, BEFORE = TP("verdicts", 3), 2, 1


class Core:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def process(self, _: int, records: list[Any], __: str) -> None:
        self.taken += [record.offset for record in records]

    def batch(self, *_: object) -> None: ...

    async def say(self, *_: object) -> None: ...


def fetch(first: int, last: int, generation: int) -> Fetch:
    return Fetch(*AT, generation, [SimpleNamespace(offset=at) for at in range(first, last + 1)])


@pytest.mark.parametrize(
    ("position", "fetched", "taken"),
    [
        (0, fetch(0, 3, NOW), [0, 1, 2, 3]),
        (0, fetch(0, 3, BEFORE), [0, 1, 2, 3]),  # the poll began before the rebalance and ended after it
        (2, fetch(0, 3, BEFORE), [2, 3]),
        (5, fetch(0, 3, BEFORE), []),
        (0, fetch(2, 3, BEFORE), []),  # what was before it had been fetched before the rebalance too
        (0, fetch(2, 3, NOW), [2, 3]),  # the broker no longer has what was before it
        (None, fetch(0, 3, NOW), []),  # the partition is another worker's
    ],
)
async def test_what_follows_upon_the_state_is_taken_once(
    position: int | None, fetched: Fetch, taken: list[int]
) -> None:
    core: Any = Core()
    keeper = Keeper(AT.topic, core, core, core, core, lambda: core)
    keeper._generation = NOW
    if position is not None:
        keeper.positions[AT.partition] = position
    await keeper.fold(fetched)
    assert core.taken == taken
    await keeper.fold(fetched)
    assert core.taken == taken


def test_reading_goes_on_behind_what_was_committed_though_it_left_no_state() -> None:
    core: Any = Core()
    keeper = Keeper(AT.topic, core, core, core, core, lambda: core)
    keeper.positions[AT.partition] = 5
    for committed, position in ((3, 5), (9, 9)):
        keeper.resume(AT, committed)
        assert keeper.position(AT) == position
    keeper.resume(TP("verdicts", 0), 9)
    assert keeper.position(TP("verdicts", 0)) is None
