"""Every partition has one worker, the load is even, and state moves as little as that allows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.assignor import Assignor, AtHand, Member, spread
from streams.runtime.faust_app import faust_app
from streams.runtime.settings import WorkerSettings
from streams.runtime.transport import ConsumerThread

KNOWN = {"encounters": {0, 1, 2, 3}, "summaries": {0, 1, 2, 3}}
TOPIC = "encounters"
names = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=9, unique=True)
sizes = st.integers(0, 40)
parts = st.sets(st.integers(0, 39))


def fresh(workers: Iterable[str]) -> dict[str, Member]:
    """Workers that hold nothing."""
    return {name: Member(name) for name in workers}


def holding(owners: Mapping[int, str], workers: Iterable[str], **copied: set[int]) -> dict[str, Member]:
    """Workers that hold what they were given."""
    return {
        name: Member(
            name,
            {TOPIC: AtHand({at for at, owner in owners.items() if owner == name}, copied.get(name, set()))},
        )
        for name in workers
    }


class Cluster:
    """Metadata of a broker that has just started."""

    def __init__(self, **topics: int) -> None:
        self._topics = topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._topics[topic])) if topic in self._topics else None


@pytest.mark.parametrize("seen", [{"encounters": 4, "summaries": 4}, {"summaries": 4}, {}])
def test_every_partition_goes_to_one_worker_whatever_the_broker_remembers(seen: dict[str, int]) -> None:
    assignor = Assignor("pod-0", lambda: KNOWN)
    members = {name: Assignor(name, lambda: KNOWN).metadata(KNOWN) for name in ("", "pod-0")}
    given = assignor.assign(Cluster(**seen), members)
    taken = [(topic, at) for one in given.values() for topic, parts in one.assignment for at in parts]
    assert sorted(taken) == [(topic, at) for topic in KNOWN for at in range(4)]


@given(names, sizes, st.data())
def test_whatever_workers_hold_their_numbers_of_partitions_differ_by_one_at_most(
    workers: list[str], partitions: int, data: st.DataObject
) -> None:
    members = {name: Member(name, {TOPIC: AtHand(data.draw(parts), data.draw(parts))}) for name in workers}
    owners = spread(TOPIC, range(partitions), members)
    load = Counter(owners.values())
    assert sorted(owners) == list(range(partitions))
    assert max(load[name] for name in workers) - min(load[name] for name in workers) <= 1


@given(names, sizes)
def test_where_nobody_holds_anything_names_alone_decide(workers: list[str], partitions: int) -> None:
    ids = [f"member-{at}" for at in range(len(workers))]
    before = dict(zip(ids, workers, strict=True))
    after = dict(zip(ids, reversed(workers), strict=True))
    one, other = (
        spread(TOPIC, range(partitions), {member: Member(name) for member, name in of.items()})
        for of in (before, after)
    )
    assert [before[member] for member in one.values()] == [after[member] for member in other.values()]


@given(names, sizes)
def test_an_assignment_that_is_made_again_is_the_same(workers: list[str], partitions: int) -> None:
    owners = spread(TOPIC, range(partitions), fresh(workers))
    assert spread(TOPIC, range(partitions), holding(owners, workers)) == owners


@given(names.filter(lambda workers: len(workers) > 1), sizes)
def test_only_the_partitions_of_who_leaves_move(workers: list[str], partitions: int) -> None:
    before = spread(TOPIC, range(partitions), fresh(workers))
    gone, *rest = workers
    after = spread(TOPIC, range(partitions), holding(before, rest))
    assert {at for at in before if after[at] != before[at]} == {at for at in before if before[at] == gone}


@given(names.filter(lambda workers: len(workers) > 1), sizes)
def test_who_joins_gets_its_share_and_nothing_else_moves(workers: list[str], partitions: int) -> None:
    newcomer, *there = workers
    before = spread(TOPIC, range(partitions), fresh(there))
    after = spread(TOPIC, range(partitions), holding(before, workers))
    assert all(after[at] == newcomer for at in before if after[at] != before[at])
    assert Counter(after.values())[newcomer] == partitions // len(workers)


def test_who_comes_back_gets_a_partition_of_which_it_has_a_copy() -> None:
    before = {0: "pod-0", 3: "pod-0", 1: "pod-1", 2: "pod-1"}
    pods = ("pod-0", "pod-1", "pod-2")
    for copied in range(4):
        after = spread(TOPIC, range(4), holding(before, pods, **{"pod-2": {copied}}))
        assert [at for at, owner in after.items() if owner == "pod-2"] == [copied]


def test_a_worker_of_an_earlier_version_is_known_by_its_name() -> None:
    now = Assignor("pod-0", lambda: KNOWN).metadata(KNOWN)
    members = {"pod-0": now, "pod-1": Metadata(0, [TOPIC], b"pod-1")}
    given = Assignor("pod-0", lambda: KNOWN).assign(Cluster(encounters=4, summaries=4), members)
    owners = spread(TOPIC, range(4), fresh(members))
    for name, one in given.items():
        assert dict(one.assignment)[TOPIC] == [at for at in range(4) if owners[at] == name]


async def test_the_consumer_of_a_worker_uses_it_alone() -> None:
    app = faust_app(WorkerSettings(instance="pod-0"), "tests")
    thread = object.__new__(ConsumerThread)
    thread.app, thread.consumer = app, SimpleNamespace(in_transaction=False)
    consumer = thread._create_worker_consumer(app.transport)
    await consumer.stop()
    (assignor,) = consumer._partition_assignment_strategy
    assert isinstance(assignor, Assignor)
    app.owner = cast("Any", SimpleNamespace(at_hand=lambda: {TOPIC: AtHand({1}, {2})}))
    sent = assignor.metadata([TOPIC]).user_data
    assert msgspec.json.decode(sent, type=Member) == Member("pod-0", {TOPIC: AtHand({1}, {2})})
