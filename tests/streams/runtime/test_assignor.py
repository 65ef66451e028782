"""Every partition has one worker, the load is even, and who comes back gets what it had."""

from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.assignor import Assignor, spread
from streams.runtime.faust_app import faust_app
from streams.runtime.settings import WorkerSettings
from streams.runtime.transport import ConsumerThread

KNOWN = {"encounters": {0, 1, 2, 3}, "summaries": {0, 1, 2, 3}}
names = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=9, unique=True)


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


@given(names, st.integers(0, 40))
def test_the_numbers_of_partitions_differ_by_one_at_most(workers: list[str], partitions: int) -> None:
    owners = spread("encounters", range(partitions), {name: name for name in workers})
    load = Counter(owners.values())
    assert sorted(owners) == list(range(partitions))
    assert max(load[name] for name in workers) - min(load[name] for name in workers) <= 1


@given(names, st.integers(0, 40))
def test_partitions_depend_on_names_alone(workers: list[str], partitions: int) -> None:
    members = [f"member-{at}" for at in range(len(workers))]
    before = dict(zip(members, workers, strict=True))
    after = dict(zip(members, reversed(workers), strict=True))
    assert [before[member] for member in spread("t", range(partitions), before).values()] == [
        after[member] for member in spread("t", range(partitions), after).values()
    ]


async def test_the_consumer_of_a_worker_uses_it_alone() -> None:
    app = faust_app(WorkerSettings(instance="pod-0"), "tests")
    thread = object.__new__(ConsumerThread)
    thread.app, thread.consumer = app, SimpleNamespace(in_transaction=False)
    consumer = thread._create_worker_consumer(app.transport)
    await consumer.stop()
    (assignor,) = consumer._partition_assignment_strategy
    assert isinstance(assignor, Assignor)
    assert assignor.metadata(["encounters"]).user_data == b"pod-0"
