"""A topic that a broker leaves out of its metadata for a moment still has somebody for each partition."""

import pytest

from streams.runtime.assignor import Assignor
from streams.runtime.faust_app import faust_app
from streams.runtime.settings import WorkerSettings


class Cluster:
    """Metadata of a broker that has just started."""

    def __init__(self, **topics: int) -> None:
        self._topics = topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._topics[topic])) if topic in self._topics else None


@pytest.mark.parametrize("seen", [{"encounters": 4, "summaries": 4}, {"summaries": 4}, {}])
async def test_every_partition_goes_to_somebody_whatever_the_broker_remembers(seen: dict[str, int]) -> None:
    app = faust_app(WorkerSettings(), "tests")
    app.partitions = {"encounters": {0, 1, 2, 3}, "summaries": {0, 1, 2, 3}}
    assignor = Assignor(app)
    member = assignor.metadata({"encounters", "summaries"})
    given = assignor.assign(Cluster(**seen), {"one": member, "two": member})
    taken = [(topic, at) for one in given.values() for topic, parts in one.assignment for at in parts]
    assert sorted(taken) == [(topic, at) for topic in ("encounters", "summaries") for at in range(4)]
