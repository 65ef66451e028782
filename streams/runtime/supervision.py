"""Look at a worker from outside, once a second: what waits, what is wrong, and whether it moves.

It asks the broker over connections of its own (`BrokerMonitor`), and keeps the watchdog's `Progress`, the
reasons of `/readyz` and the metrics of the runtime up to date.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from streams.contract.topics import Topic, unfit
from streams.runtime.broker_monitor import BrokerMonitor, Described, Ends
from streams.runtime.flow import Flow
from streams.runtime.metrics import RuntimeMetrics
from streams.runtime.partition_reader import fingerprint
from streams.runtime.readiness import (
    NotReady,
    Position,
    Readiness,
    ahead_of_topic,
    held_back,
    joining,
    replicas_missing,
    unanswered,
    unowned,
    unseen,
    unwritten,
)
from streams.runtime.refusals import SetupError, StateError
from streams.runtime.watchdog import Progress

log = structlog.get_logger()

STANDING = 15.0  # seconds without progress after which a worker is not ready (the watchdog waits longer)
AHEAD = 10.0  # seconds that state may seem ahead of its topic: a broker just restarted may lag behind itself
NOWHERE = Ends({}, {})
GROUP = 10.0  # seconds between two looks at who owns the partitions, and at the topics themselves
REMEDY = (
    "The topic was made anew, or its broker lost records. Stop all workers. To keep the state and go on with "
    "what the topic has, run `surgewatch topics --accept-loss`. To begin anew, delete the changelog topics "
    "and the consumer groups, run `surgewatch topics`, and replay the events from the producer's archive"
)
AGAIN = "Start this worker again: it holds what was on the topic before"
SET_RIGHT = "Run `surgewatch topics`: it sets what can be set, and names the rest"

Problems = Callable[[], Mapping[NotReady, str | None]]


class Supervision:
    """What is known of a worker's flows from outside.

    `topics` are all that the worker needs, by their names in the broker. `settling` gives for how many
    seconds a commit has been under way at a moment, `rebalancing` for how many a rebalance. `beside` gives
    how far the consumers beside the flows have read, `further` reasons of the worker's own, for which it is
    not ready.
    """

    def __init__(
        self,
        flows: Sequence[Flow],
        monitor: BrokerMonitor,
        metrics: RuntimeMetrics,
        *,
        topics: Mapping[str, Topic],
        progress: Progress,
        settling: Callable[[float], float],
        rebalancing: Callable[[float], float],
        beside: Callable[[], Mapping[Position, int]],
        further: Problems,
    ) -> None:
        self._flows, self._monitor, self._metrics = flows, monitor, metrics
        self._topics, self._settling, self._rebalancing = topics, settling, rebalancing
        self._progress, self._beside, self._further = progress, beside, further
        self.readiness = Readiness()
        self._ahead_since: float | None = None
        self._looked_at = time.monotonic()
        self._looked_at_group = 0.0
        self._group_look: asyncio.Task[None] | None = None
        self._generations: dict[str, str] = {}  # of the topics, as they were at first

    async def first_lag(self, partitions: Mapping[str, set[int]]) -> None:
        """Show the lag of every partition, owned or not: before this worker is a member of its group."""
        every = [(flow.source, at) for flow in self._flows for at in sorted(partitions[flow.source])]
        ends, committed = await self._monitor.ends(every), await self._monitor.committed(every)
        if ends is not None:
            self._looked_at = time.monotonic()
            self._metrics.lag({at: end - min(committed.get(at, 0), end) for at, end in ends.high.items()})
        self._show()

    async def look(self, partitions: Mapping[str, set[int]]) -> Mapping[str, int]:
        """By source, how many records are not yet processed (nothing while the broker does not answer).

        Raises StateError where state is ahead of its topic, or of a topic that is gone.
        """
        behind = await self._look(partitions)
        self._looked_at = time.monotonic()
        return behind

    def text(self, now: float, without: Collection[NotReady] = ()) -> str | None:
        """Return all that is wrong, and whether anybody still looks. May be called from another thread.

        `without` these reasons.
        """
        blind = unseen(now - self._looked_at)
        lines = [self.readiness.text(without), blind and f"{NotReady.NO_PROGRESS}: {blind}"]
        return "\n".join(filter(None, lines)) or None

    def refresh(self, now: float) -> None:
        """Bring the metric up to date where nobody looks any more."""
        if problem := unseen(now - self._looked_at):
            self.readiness.set(NotReady.NO_PROGRESS, problem)
            self._metrics.not_ready(self.readiness.by_reason())

    def remember(self, topics: Mapping[str, Described | None]) -> None:
        """Remember which topics these are: another one of the same name has not what was processed."""
        for name, topic in topics.items():
            if topic:
                self._generations.setdefault(name, topic.id)

    async def _look(self, partitions: Mapping[str, set[int]]) -> Mapping[str, int]:
        processed = self._processed()
        ends = await self._monitor.ends(processed)
        if ends is None:
            self._unreachable()
            return {}
        beside = self._beside()
        others = await self._monitor.ends(beside) or NOWHERE  # one that was deleted is a reason of its own
        now = time.monotonic()
        self._progress.observe({**processed, **beside}, {**ends.stable, **others.stable}, now)
        behind = {at: max(0, end - processed[at]) for at, end in ends.high.items()}
        if all(flow.ready for flow in self._flows):
            self._metrics.lag(behind)
        self._judge(processed, ends, now)
        self._look_at_group(partitions, now)
        self._show()
        return {
            flow.source: sum(records for (topic, _), records in behind.items() if topic == flow.source)
            for flow in self._flows
        }

    async def refuse_ahead(self) -> None:
        """Raise StateError where state just read back is ahead of its topic, and stays so for a while."""
        deadline = time.monotonic() + AHEAD
        processed = self._processed()
        while (ends := await self._monitor.ends(processed)) is not None:
            problem = ahead_of_topic(processed, ends.high)
            if problem is None:
                await self._refuse_another_topic()
                return
            self.readiness.set(NotReady.STATE_REFUSED, problem)
            if time.monotonic() > deadline:
                raise StateError(f"state refused: {problem}. {REMEDY}")
            await asyncio.sleep(1)

    async def refuse_unfit(self) -> None:
        """Raise SetupError where topics have settings that the worker cannot work with."""
        if problem := unfit(self._topics, await self._monitor.settings(self._topics)):
            raise SetupError(f"topics do not fit: {problem}. {SET_RIGHT}")
        if hidden := self._monitor.hidden_settings():
            log.warning(
                "settings of topics are not checked, an ACL is missing: DESCRIBE_CONFIGS", topics=hidden
            )

    def _look_at_group(self, partitions: Mapping[str, set[int]], now: float) -> None:
        """Look at topics and owners beside the rest, as answers may take seconds. Raises StateError."""
        if self._group_look is not None and self._group_look.done():
            done, self._group_look = self._group_look, None
            done.result()
        if self._group_look is None and now - self._looked_at_group >= GROUP:
            self._looked_at_group = now
            self._group_look = asyncio.create_task(self._look_around(partitions))
        waited = now - self._looked_at_group if self._group_look is not None else 0.0
        self.readiness.set(NotReady.BROKER_UNREACHABLE, unanswered(waited))

    async def _look_around(self, partitions: Mapping[str, set[int]]) -> None:
        await self._look_at_topics()
        await self._look_for_owners(partitions)

    async def _look_at_topics(self) -> None:
        """Raise StateError where a topic is another one than at first, however far that one reaches."""
        settings = await self._monitor.settings(self._topics)
        problem = unfit(self._topics, settings)
        self.readiness.set(NotReady.TOPIC_SETTINGS, problem and f"{problem}. {SET_RIGHT}")
        found = await self._monitor.described(self._topics)
        in_sync = {topic: one.in_sync for topic, one in found.items() if one}
        self.readiness.set(NotReady.REPLICAS_MISSING, replicas_missing(in_sync, settings))
        gone = sorted(topic for topic, one in found.items() if one is None)
        problem = f"deleted: {', '.join(gone)}: make them with `surgewatch topics`" if gone else None
        self.readiness.set(NotReady.TOPIC_MISSING, problem)
        self.remember(found)
        anew = sorted(topic for topic, one in found.items() if one and self._generations[topic] != one.id)
        if anew:
            counted = {topic for flow in self._flows for topic in (flow.source, flow.changelog.topic)}
            remedy = REMEDY if counted.intersection(anew) else AGAIN
            raise StateError(f"state refused: {', '.join(anew)} was made anew. {remedy}")

    async def _refuse_another_topic(self) -> None:
        """Raise StateError where another record stands in place of the one that was counted last."""
        last = {
            (flow.source, partition): known
            for flow in self._flows
            for partition, known in flow.last().items()
            if known
        }
        found = await self._monitor.records_at(
            {at: int(known.partition(b":")[0]) for at, known in last.items()}
        )
        others = [
            f"{topic}[{partition}] has another record at offset {record.offset} than was processed"
            for (topic, partition), record in sorted(found.items())
            if fingerprint(record) != last[topic, partition]
        ]
        if others:
            raise StateError(f"state refused: {'; '.join(others)}. {REMEDY}")

    def _processed(self) -> dict[Position, int]:
        return {(flow.source, at): offset for flow in self._flows for at, offset in flow.positions.items()}

    def _unreachable(self) -> None:
        if NotReady.BROKER_UNREACHABLE not in self.readiness.problems:
            log.warning("broker does not answer")
        self.readiness.set(NotReady.BROKER_UNREACHABLE, "the broker does not answer")
        self.readiness.set(NotReady.UNWRITTEN, None)  # for the same reason
        self._progress.excuse(time.monotonic())
        self._show()

    def _judge(self, processed: Mapping[Position, int], ends: Ends, now: float) -> None:
        is_member = all(flow.ready for flow in self._flows)
        problem = joining(is_member=is_member, rebalancing=self._rebalancing(now))
        self.readiness.set(NotReady.JOINING, problem)
        self.readiness.set(NotReady.NO_PROGRESS, self._progress.standing(STANDING))
        self.readiness.set(NotReady.UNWRITTEN, unwritten(self._settling(now)))
        self.readiness.set(NotReady.TRANSACTION_OPEN, held_back(processed, ends.stable, ends.high))
        ahead = ahead_of_topic(processed, ends.high)
        self.readiness.set(NotReady.STATE_REFUSED, ahead)
        self._ahead_since = None if ahead is None else self._ahead_since or now
        if self._ahead_since is not None and now - self._ahead_since > AHEAD:
            raise StateError(f"state refused: {ahead}. {REMEDY}")

    async def _look_for_owners(self, partitions: Mapping[str, set[int]]) -> None:
        owned = await self._monitor.owned()
        if owned is not None:
            wanted = {flow.source: partitions[flow.source] for flow in self._flows}
            self.readiness.set(NotReady.UNOWNED_PARTITION, unowned(wanted, owned))

    def _show(self) -> None:
        for reason, problem in self._further().items():
            self.readiness.set(reason, problem)
        self._metrics.not_ready(self.readiness.by_reason())
        now = time.monotonic()
        self._metrics.source_age({flow.source: now - flow.processed_at for flow in self._flows})
