"""A border goes on without a sector only if no worker can still bring its summaries."""

import asyncio
import random
from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.broker_monitor import Ends
from streams.runtime.consistent_cut import ConsistentCut
from streams.runtime.readiness import Position

PARTITIONS = (0, 1, 2)  # of encounters, each with a worker of its own
ENCOUNTERS, SUMMARIES = "encounters", "summaries"


class Group:
    """Workers that process encounters into summaries, a flow that reads these, and their broker.

    Whenever the broker is asked, they go on for a while first.
    """

    source = SUMMARIES

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.appended: list[int] = []  # the partition of each encounter, in the order of their coming
        self.processed, self.commits = dict.fromkeys(PARTITIONS, 0), dict.fromkeys(PARTITIONS, 0)
        self.summaries: list[int] = []  # by their encounter's place in `appended`
        self.positions = {0: 0}
        self.rests = False

    def encounters(self, partition: int) -> list[int]:
        return [at for at, one in enumerate(self.appended) if one == partition]

    def go_on(self) -> None:
        for _ in range(0 if self.rests else self._draw.choice((0, 0, 1, 5))):
            partition = self._draw.choice(PARTITIONS)
            match self._draw.choice(("append", "process", "process", "commit", "read", "read")):
                case "append":
                    self.appended.append(partition)
                case "process" if self.processed[partition] < len(self.encounters(partition)):
                    self.summaries.append(self.encounters(partition)[self.processed[partition]])
                    self.processed[partition] += 1
                case "commit":
                    self.commits[partition] = self.processed[partition]
                case "read":
                    self.positions[0] = min(self.positions[0] + 1, len(self.summaries))

    def rest(self) -> None:
        """Nothing comes any more, and all is processed and read."""
        for partition in PARTITIONS:
            self.summaries += self.encounters(partition)[self.processed[partition] :]
            self.processed[partition] = self.commits[partition] = len(self.encounters(partition))
        self.positions[0] = len(self.summaries)
        self.rests = True

    async def ends(self, partitions: Iterable[Position], /) -> Ends | None:
        self.go_on()
        if not self.rests and self._draw.random() < 0.1:
            return None
        ends = {
            (topic, at): len(self.summaries if topic == SUMMARIES else self.encounters(at))
            for topic, at in partitions
        }
        return Ends(ends, ends)

    async def committed(self, partitions: Iterable[Position], /) -> Mapping[Position, int]:
        self.go_on()
        return {(ENCOUNTERS, at): offset for at, offset in self.commits.items()}


@given(st.randoms(use_true_random=False))
def test_what_is_read_at_a_cut_follows_from_all_that_was_there_at_some_moment(draw: random.Random) -> None:
    group = Group(draw)
    cut = ConsistentCut(group, [(ENCOUNTERS, at) for at in PARTITIONS], group)
    for _ in range(60):
        asyncio.run(cut.look())
        group.go_on()
        if cut.holds():
            read = group.summaries[: group.positions[0]]
            assert sorted(read) == list(range(len(read)))


@given(st.randoms(use_true_random=False))
def test_a_cut_is_found_where_all_workers_are_done(draw: random.Random) -> None:
    group = Group(draw)
    cut = ConsistentCut(group, [(ENCOUNTERS, at) for at in PARTITIONS], group)
    for _ in range(20):
        asyncio.run(cut.look())
    group.rest()
    for _ in range(9):
        asyncio.run(cut.look())
    assert cut.holds()
