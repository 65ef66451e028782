"""What follows upon the state is processed, whenever it was fetched, and nothing else; pieces are heeded."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.runtime.flow import Flow, Kafka
from streams.runtime.flow_spec import FlowSpec, Prepare, all_is_there
from streams.runtime.partition_reader import State, fingerprint
from streams.runtime.refusals import StateError
from streams.runtime.transport import Fetch

AT = TP("verdicts", 3)
BEGINNING = 2  # of what the broker still has


class Around:
    """All that is around a flow. Remembers what it was given, and from where it was asked to read again."""

    topic = "alerts"
    partitions = frozenset(range(4))

    def __init__(self, pieces: int = 0, state: State | None = None) -> None:
        self.taken: list[int] = []
        self.again: list[int] = []
        self.written: dict[int, State] = {}
        self.unread = 0
        self.worked = 0
        self.pieces, self.state = pieces, state
        self.released: object = "state"
        self.resumed: list[object] = []
        self.read_back: list[int] = []
        self.changed: set[int] = set()  # partitions of the changelog to which another worker has written

    def process(self, _: int, records: list[Any], __: str) -> SimpleNamespace:
        self.taken += [record.offset for record in records]
        return SimpleNamespace(more=self.pieces > 0)

    def proceed(self, _: int) -> SimpleNamespace:
        self.pieces -= 1
        return SimpleNamespace(more=self.pieces > 0)

    def dirty(self) -> dict[int, list[Any]]:
        return {}

    def restore(self, _: int, held: dict[bytes, bytes]) -> None:
        if b"foreign" in held:
            raise ValueError("version 9 is not known")

    def release(self, partition: int) -> object:
        return self.released

    def resume(self, _: int, state: object) -> None:
        self.resumed.append(state)

    async def unchanged(self, partitions: Iterable[int]) -> set[int]:
        return set(partitions) - self.changed

    def batch(self, *_: object) -> None: ...

    def outcome(self, *_: object) -> None: ...

    async def publish(self, *_: object) -> None: ...

    async def settled(self) -> None: ...

    async def write(self, _: object, states: dict[int, State]) -> None:
        self.written |= states

    async def read(self, _: object, partitions: list[int]) -> dict[int, State | None]:
        self.read_back += partitions
        return dict.fromkeys(partitions, self.state)

    async def reread(self, _: TP, offset: int) -> int:
        self.again.append(max(offset, BEGINNING))
        return self.again[-1]

    def close(self, _: int) -> None: ...

    def work(self, _: str) -> None:
        self.worked += 1

    def drop_unread(self, _: str, records: int) -> None:
        self.unread += records


def flow_of(around: Any, position: int | None, prepare: Prepare = all_is_there) -> Flow:
    spec = FlowSpec(AT.topic, around, "alerts", around, around, prepare=prepare)
    flow = Flow(
        spec,
        around,
        Kafka(lambda: around, lambda: around),
        worked=around.work,
        unread=around.drop_unread,
    )
    if position is not None:
        flow.positions[AT.partition] = position
    return flow


def record(offset: int, partition: int = AT.partition) -> SimpleNamespace:
    return SimpleNamespace(offset=offset, partition=partition, key=b"k", value=b"v")


def fetch(start: int, end: int, *without: int, partition: int = AT.partition) -> Fetch:
    """What one poll brought; in place of some records there are marks of transactions."""
    records = [record(at, partition) for at in range(start, end) if at not in without]
    return Fetch(AT.topic, partition, start, end, records)


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
async def test_what_follows_upon_the_state_is_processed_once(
    position: int | None, fetched: Fetch, taken: list[int], following: int | None
) -> None:
    around = Around()
    flow = flow_of(around, position)
    for _ in range(2):
        await flow.process(fetched)
        assert (around.taken, around.again) == (taken, [])
        assert flow.position(AT) == following


async def test_what_was_dropped_on_its_way_is_read_again_before_anything_that_follows_it() -> None:
    around = Around()
    flow = flow_of(around, 5)
    for dropped in (fetch(8, 9), fetch(9, 12)):
        await flow.process(dropped)
    assert around.again == [5, 5]
    for again in (fetch(5, 9), fetch(5, 12), fetch(12, 13)):
        await flow.process(again)
    assert around.taken == [5, 6, 7, 8, 9, 10, 11, 12]


async def test_what_the_broker_no_longer_has_is_counted_as_unread_and_not_waited_for() -> None:
    around = Around()
    flow = flow_of(around, 0)
    await flow.process(fetch(BEGINNING, 4))
    assert (around.taken, around.again, around.unread) == ([], [BEGINNING], BEGINNING)
    await flow.process(fetch(BEGINNING, 4))
    assert around.taken == [2, 3]


async def test_a_commit_records_how_far_a_partition_was_processed_even_where_no_state_changed() -> None:
    around = Around()
    flow = flow_of(around, 0)
    await flow.process(fetch(0, 4))
    await flow.settle(stamp=False)
    assert around.written == {3: State(4, (), fingerprint(record(3)))}
    around.written.clear()
    await flow.settle(stamp=False)
    assert around.written == {}
    await flow.settle(stamp=True)
    assert around.written[3].position == 4


async def test_between_the_pieces_of_a_long_closing_state_is_settled_at_the_old_position() -> None:
    around = Around(pieces=3)
    flow = flow_of(around, 0)
    work = asyncio.create_task(flow.process(fetch(0, 4)))
    await asyncio.sleep(0)
    await flow.settle(stamp=True)
    assert (flow.position(AT), around.written[3].position, flow.is_idle) == (0, 0, False)
    await work
    assert (flow.position(AT), around.pieces, around.worked, flow.is_idle) == (4, 0, 4, True)


async def test_a_worker_that_stops_begins_no_further_piece() -> None:
    around = Around(pieces=1_000_000)
    flow = flow_of(around, 0)
    work = asyncio.create_task(flow.process(fetch(0, 4)))
    await asyncio.sleep(0)
    flow.stopping = True
    await work
    assert flow.position(AT) == 0


async def test_pieces_for_a_partition_that_was_taken_away_are_dropped() -> None:
    around = Around(pieces=1_000_000)
    flow = flow_of(around, 0)
    work = asyncio.create_task(flow.process(fetch(0, 4)))
    await asyncio.sleep(0)
    flow.revoked([AT])
    await work
    assert flow.position(AT) is None


def schema_of(partition: int) -> tuple[asyncio.Event, Prepare]:
    """A schema that records of one partition need, and the moment at which it is there."""
    ready = asyncio.Event()

    def prepare(records: Sequence[Any]) -> Awaitable[object] | None:
        return ready.wait() if records[0].partition == partition and not ready.is_set() else None

    return ready, prepare


async def test_a_partition_that_waits_is_read_again_in_order_while_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.runtime.flow.PREPARING_SECONDS", 0.01)
    around = Around()
    ready, prepare = schema_of(AT.partition)
    flow = flow_of(around, 0, prepare)
    flow.positions[0] = 20
    for fetched in (fetch(0, 4), fetch(4, 6), fetch(20, 22, partition=0)):
        await flow.process(fetched)
    await asyncio.sleep(0.1)
    await flow.settle(stamp=True)
    assert (around.taken, around.written[3].position, around.worked > 2) == ([20, 21], 0, True)
    ready.set()
    await asyncio.sleep(0.05)
    assert around.again == [BEGINNING]
    await flow.process(fetch(0, 6))
    assert (around.taken, flow.position(AT)) == ([20, 21, 0, 1, 2, 3, 4, 5], 6)


async def test_a_partition_that_was_taken_away_waits_no_longer() -> None:
    around = Around()
    ready, prepare = schema_of(AT.partition)
    flow = flow_of(around, 0, prepare)
    await flow.process(fetch(0, 4))
    flow.revoked([AT])
    ready.set()
    flow.positions[AT.partition] = 0  # and comes back
    await flow.process(fetch(0, 4))
    assert (around.taken, around.again) == ([0, 1, 2, 3], [])


async def test_a_wait_that_fails_ends_the_worker_at_the_next_commit() -> None:
    async def fail() -> None:
        raise ValueError("no schema at all")

    flow = flow_of(Around(), 0, lambda _: fail())
    await flow.process(fetch(0, 4))
    await asyncio.sleep(0.01)
    with pytest.raises(ValueError, match="no schema at all"):
        await flow.settle(stamp=False)


async def test_state_that_cannot_be_restored_is_refused_with_partition_and_key() -> None:
    around = Around(state=State(5, [(b"good", b"1"), (b"foreign", b"2")]))
    with pytest.raises(StateError, match=r"alerts\[3\], key b'foreign': version 9 is not known\. To"):
        await flow_of(around, None).assigned([AT])


async def test_partitions_that_the_changelog_does_not_have_are_refused_with_the_way_on() -> None:
    with pytest.raises(StateError, match=r"verdicts has new partitions \[5\].*topics --partitions 6`"):
        await flow_of(Around(), None).assigned([AT, TP(AT.topic, 5)])


def test_a_fingerprint_distinguishes_records_at_one_offset() -> None:
    records = [
        SimpleNamespace(offset=5, key=k, value=v) for k, v in ((b"a", b"bc"), (b"ab", b"c"), (b"a", b""))
    ]
    assert len({fingerprint(one) for one in records}) == 3
    assert fingerprint(SimpleNamespace(offset=5, key=None, value=None)).startswith(b"5:")


async def test_the_state_of_a_partition_that_comes_back_is_used_as_it_was() -> None:
    around = Around()
    flow = flow_of(around, 0)
    await flow.process(fetch(0, 4))
    flow.revoked([AT])
    assert flow.position(AT) is None
    await flow.assigned([AT])
    assert (flow.position(AT), around.resumed, around.read_back) == (4, ["state"], [])
    assert flow.last()[AT.partition] == fingerprint(record(3))


@pytest.mark.parametrize(
    "why", ["another worker wrote", "half a piece of work", "it went elsewhere meanwhile"]
)
async def test_state_that_may_be_old_is_read_back(why: str) -> None:
    around = Around(state=State(7, ()))
    flow = flow_of(around, 4)
    around.changed = {AT.partition} if why == "another worker wrote" else set()
    around.released = None if why == "half a piece of work" else "state"
    flow.revoked([AT])
    if why == "it went elsewhere meanwhile":
        await flow.assigned([])
    await flow.assigned([AT])
    assert (flow.position(AT), around.resumed, around.read_back) == (7, [], [AT.partition])
