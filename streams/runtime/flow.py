"""Between a pure core and Kafka: who holds state for the assigned partitions, and when it is settled.

The order that makes at-least-once exact: outputs are in the broker, then the state that says *counted up to
here* is in the changelog, then offsets are committed. A worker that dies anywhere in between leaves records
to be read again, whose counts the state then knows, and outputs to be said again, under the same ids.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import structlog
from faust.exceptions import ProducerSendError
from faust.types import TP

from streams.runtime.changelog import Changelog, State
from streams.runtime.local_store import Pair
from streams.runtime.transport import Consumer, Fetch, Producer

log = structlog.get_logger()


class Core(Protocol):
    """A pure core with state by partition; what it answers is passed on as it is."""

    def process(self, partition: int, records: Sequence[Any], topic: str, /) -> Any:
        """Take a fetch; what follows from it."""

    def tick(self, now: float, moves: bool, /) -> Any:
        """Let time pass; what follows from it. `moves`: event time moves with the clock on the wall."""

    def dirty(self) -> Mapping[int, Sequence[Pair]]:
        """What changed, by partition, since this was last asked."""

    def restore(self, partition: int, held: Mapping[bytes, bytes], /) -> None:
        """Take the state of a partition back."""

    def drop(self, partition: int, /) -> None:
        """Forget a partition."""


class Publisher(Protocol):
    """Brings outcomes to their topics."""

    async def publish(self, producer: Producer, outcome: Any, /) -> None:
        """Hand an outcome to the producer."""


class FlowMetrics(Protocol):
    """Counts outcomes."""

    def batch(self, outcome: Any, events: int, seconds: float, /) -> None:
        """One batch has been processed."""

    def outcome(self, outcome: Any, /) -> None:
        """What followed from a tick."""


class Flow:
    """Holds a core's state for the assigned partitions of the source topic."""

    def __init__(
        self,
        source: str,
        core: Core,
        changelog: Changelog,
        publisher: Publisher,
        metrics: FlowMetrics,
        producer: Callable[[], Producer],
        consumer: Callable[[], Consumer],
    ) -> None:
        self._source = source
        self._core = core
        self._changelog = changelog
        self._publisher = publisher
        self._metrics = metrics
        self._producer, self._consumer = producer, consumer
        self._turn = asyncio.Lock()  # an outcome and the state behind it are seen together or not at all
        self.positions: dict[int, int] = {}  # partition held: the source offset to go on from
        self.recovery_seconds = 0.0
        self._unsettled = False  # is a settling under way, or did one fail?
        self.ready = False  # has this worker joined its group, with whatever partitions fell to it?

    async def process(self, fetch: Fetch) -> None:
        """Bring a fetch into the state and say what follows from it."""
        async with self._turn:
            at = self.positions.get(fetch.partition)
            if at is None or fetch.end <= at:
                return  # another worker's by now, or taken before
            if fetch.start > at:
                await self._go_back(fetch, at)
                return
            records = fetch.records
            if fetch.start < at:
                records = [record for record in records if record.offset >= at]
            self.positions[fetch.partition] = fetch.end
            if records:
                started = time.perf_counter()
                outcome = self._core.process(fetch.partition, records, self._source)
                self._metrics.batch(outcome, len(records), time.perf_counter() - started)
                await self._publisher.publish(self._producer(), outcome)

    async def _go_back(self, fetch: Fetch, at: int) -> None:
        """Read what was dropped on its way here (a rebalance does that), or is no longer in the broker."""
        tp = TP(fetch.topic, fetch.partition)
        beginning = await self._consumer().reread(tp, at)
        if beginning > at:
            log.warning("records went unread", topic=tp.topic, partition=tp.partition, at=at, now=beginning)
        self.resume(tp, beginning)

    async def tick(self, now: float, moves: bool) -> None:
        """Let time pass on the wall (`now`: epoch seconds), and where it `moves` it, event time."""
        async with self._turn:
            outcome = self._core.tick(now, moves)
            self._metrics.outcome(outcome)
            await self._publisher.publish(self._producer(), outcome)

    async def settle(self) -> None:
        """Bring outputs, then state, of all that was folded so far into the broker.

        Where that fails once, it is never tried again: what changed was given out for writing, so a second
        try would find nothing to write, and the offsets would be committed without their state.
        """
        if self._unsettled:
            raise ProducerSendError("state could not be written before: this worker has to start again")
        self._unsettled = True
        async with self._turn:
            states = {
                partition: State(self.positions[partition], pairs)
                for partition, pairs in self._core.dirty().items()
                if pairs and partition in self.positions
            }
        await self._producer().settled()
        await self._changelog.write(self._producer(), states)
        self._unsettled = False

    def position(self, tp: TP) -> int | None:
        """The source offset up to which a partition has been taken; None where it is not held."""
        return self.positions.get(tp.partition) if tp.topic == self._source else None

    def resume(self, tp: TP, committed: int) -> None:
        """Reading goes on from here: up to there all was taken, though not all of it left a state."""
        if self.position(tp) is not None:
            self.positions[tp.partition] = max(self.positions[tp.partition], committed)

    def fail(self) -> None:
        """Settle nothing any more: what was folded last is not whole."""
        self._unsettled = True

    async def assigned(self, partitions: Iterable[TP]) -> None:
        """Read back the state of the partitions that are new here."""
        started = time.monotonic()
        mine = sorted(tp.partition for tp in partitions if tp.topic == self._source)
        held = await self._changelog.read(self._producer(), mine)
        for partition, state in held.items():
            self._core.restore(partition, {k: v for k, v in state.pairs if v is not None})
            self.positions[partition] = state.position
        self.recovery_seconds = time.monotonic() - started
        self.ready = True
        keys = sum(len(state.pairs) for state in held.values())
        log.info("partitions assigned", partitions=mine, keys=keys, seconds=round(self.recovery_seconds, 3))

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Forget partitions that may be another worker's by now."""
        for tp in partitions:
            if tp.topic == self._source and self.positions.pop(tp.partition, None) is not None:
                self._core.drop(tp.partition)
                self._changelog.close(tp.partition)


class FlowSpec(NamedTuple):
    """A topic that is taken, the core that takes it, where its state goes, and who hears what it says."""

    source: str
    core: Core
    changelog: str  # a topic of as many partitions as the source
    publisher: Publisher
    metrics: FlowMetrics


class Flows:
    """The keepers of all flows as one. One consumer feeds them all, so they are settled together."""

    def __init__(self, keepers: Sequence[Flow]) -> None:
        self._keepers = keepers

    @property
    def ready(self) -> bool:
        """Are all of them members of the group?"""
        return all(owner.ready for owner in self._keepers)

    @property
    def recovery_seconds(self) -> float:
        """How long the last reading back took, all in all."""
        return sum(owner.recovery_seconds for owner in self._keepers)

    async def settle(self) -> None:
        """Bring outputs, then state, of all that was folded so far into the broker."""
        for owner in self._keepers:
            await owner.settle()

    def position(self, tp: TP) -> int | None:
        """The offset up to which a partition has been taken; None where it is not held."""
        return next((at for owner in self._keepers if (at := owner.position(tp)) is not None), None)

    def resume(self, tp: TP, committed: int) -> None:
        """Reading goes on from here."""
        for owner in self._keepers:
            owner.resume(tp, committed)

    async def assigned(self, partitions: Iterable[TP]) -> None:
        """Read back the state of the partitions that are new here."""
        mine = list(partitions)
        for owner in self._keepers:
            await owner.assigned(mine)

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Forget partitions that may be another worker's by now."""
        gone = list(partitions)
        for owner in self._keepers:
            owner.revoked(gone)
