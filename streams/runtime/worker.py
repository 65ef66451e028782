"""A worker: a Faust app on our transport around pure cores, and what keeps an eye on it."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from importlib.metadata import version
from typing import Any, cast

import structlog
from faust import StreamT

from streams.contract.partitioning import partition_of
from streams.contract.topics import TABLES, TOPICS
from streams.runtime import health
from streams.runtime.broker_monitor import BrokerMonitor, refuse_mismatch
from streams.runtime.changelog import Changelog
from streams.runtime.consistent_cut import ConsistentCut
from streams.runtime.ending import SIGNALS, done_before, failure_of
from streams.runtime.faust_app import faust_app
from streams.runtime.flow import Flow, Kafka
from streams.runtime.flow_spec import FlowSpec
from streams.runtime.flows import Flows
from streams.runtime.health import Pages
from streams.runtime.heartbeat import heartbeat_of
from streams.runtime.kafka_diagnosis import explained, unless_it_goes_away
from streams.runtime.local_store import NoStore, RocksStore
from streams.runtime.metrics import RuntimeMetrics
from streams.runtime.readiness import OUTSIDE, Position
from streams.runtime.refusals import Exit, Refusal, WorkerCrashedError
from streams.runtime.settings import WorkerSettings
from streams.runtime.supervision import Problems, Supervision
from streams.runtime.transport import Consumer, Fetch, Producer
from streams.runtime.watchdog import Progress, end_within, start_watchdog

log = structlog.get_logger()

STOP_SECONDS = 10.0  # for a last commit; what is not committed then is only read again
STAMP_SECONDS = 30.0  # after which a quiet worker asks the broker for its time


class Worker:
    """One worker; made inside a running event loop.

    `group` is its consumer group, `flows` what it reads, `needed` all topics that must be there.
    `on_control` applies a record of `controls`; `show` brings metrics up to date before they are read;
    `serve` puts pages on a port for as long as the worker lives; `beside` gives how far its own consumers
    have read, `problems` what else is wrong. `about`: what the first line of the log names besides.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        flows: Sequence[FlowSpec],
        metrics: RuntimeMetrics,
        *,
        group: str,
        needed: Sequence[str],
        on_control: Callable[[Any], None],
        show: Callable[[], None],
        serve: Callable[[WorkerSettings, Pages], AbstractAsyncContextManager[None]] = health.served,
        beside: Callable[[], Mapping[Position, int]] = dict,
        problems: Problems = dict,
        about: Mapping[str, object] = {},
    ) -> None:
        self._settings, self._metrics, self._about = settings, metrics, about
        self._topics = {settings.topic(topic.name): topic for topic in TOPICS if topic.name in needed}
        self._on_control, self._show, self._serve = on_control, show, serve
        self._heartbeat = heartbeat_of(
            settings, is_ready=lambda: not self._supervision.text(time.monotonic()), count=metrics.heartbeat
        )
        self._app = faust_app(settings, group)
        self._app.fail = self._fail
        self._failure: Exception | None = None
        self._monitor = BrokerMonitor(settings.kafka, settings.topic("controls"), settings.topic(group))
        self._progress = Progress(settings.watchdog_timeout_seconds, turned=time.monotonic())
        self._flows = [self._flow(spec) for spec in flows]
        self._supervision = Supervision(
            self._flows,
            self._monitor,
            metrics,
            topics=self._topics,
            progress=self._progress,
            settling=lambda now: self._owner.settling(now),
            rebalancing=lambda now: self._owner.rebalancing(now),
            beside=lambda: {**self._monitor.read, **beside()},
            further=problems,
        )
        self._owner = self._app.owner = Flows(self._flows, self._supervision.refuse_ahead)
        self._cuts: dict[str, ConsistentCut] = {}  # by source that is made of another topic
        self._behind: Mapping[str, int] = {}  # by source; nothing while the broker does not answer

    def _flow(self, spec: FlowSpec) -> Flow:
        """A flow, and the agent that feeds it."""
        settings = self._settings
        store = RocksStore(settings.state_dir / spec.changelog) if settings.store == "rocksdb" else NoStore()
        flow = Flow(
            spec._replace(
                source=settings.topic(spec.source), upstream=spec.upstream and settings.topic(spec.upstream)
            ),
            Changelog(settings.topic(spec.changelog), settings.kafka, store),
            Kafka(self._producer, self._consumer),
            worked=self._worked,
            unread=self._metrics.unread,
        )

        async def process(fetches: StreamT[Fetch]) -> None:
            async for fetch in fetches:
                try:
                    await flow.process(fetch)
                except Exception as error:
                    # Faust would acknowledge the fetch and go on. Its offsets must not be committed.
                    self._owner.fail(error)
                    await self._app.crash(error)
                    raise

        topic = self._app.topic(flow.source, key_serializer="raw", value_serializer="raw")
        self._app.agent(topic, name=spec.source, concurrency=1)(process)
        return flow

    def _worked(self, source: str) -> None:
        """Show the watchdog that a flow works, and which others wait until it has done a long fetch."""
        now = time.monotonic()
        self._progress.work(source, now)
        if any(flow.underway for flow in self._flows):
            self._progress.wait_behind([flow.source for flow in self._flows if flow.is_idle], now)

    def _producer(self) -> Producer:
        return cast("Producer", self._app.producer)

    def _consumer(self) -> Consumer:
        return cast("Consumer", self._app.consumer)

    def _fail(self, error: Exception) -> None:
        """End the worker: partitions were assigned whose state cannot be had."""
        self._owner.fail(error)
        self._failure = self._failure or error

    async def close(self) -> None:
        """Give back what a worker holds that was only made, and does not run."""
        await self._monitor.stop()

    async def run(self) -> None:
        """Work until a signal comes; raises Refusal, or WorkerCrashedError."""
        self._loop = asyncio.get_running_loop()
        ended = self._end_on_signals()
        tasks: list[asyncio.Task[None]] = []
        try:
            prepared = unless_it_goes_away(self._settings.kafka, self._prepare())
            if not await done_before(ended, prepared):
                return
            async with self._serve(self._settings, self._pages()):
                start_watchdog(self._progress)
                works = [self._turn, self._watch, self._tick, self._start]
                works += [self._heartbeat.run] if self._heartbeat else []
                tasks = [asyncio.create_task(work()) for work in works]
                await self._until_ended(ended, tasks)
                await self._app.stop()
        except Exception as error:
            self._failure = explained(error)
            self._owner.stop()
            raise self._failure from error.__cause__
        finally:
            for task in tasks:
                task.cancel()
            self._progress.timeout = math.inf  # nothing shows that the event loop turns any more
            end_within(STOP_SECONDS, self._status())
            await self._app.stop()
            await self._monitor.stop()

    def _end_on_signals(self) -> asyncio.Event:
        """An event that SIGTERM and SIGINT set. From then on there is little time, whatever hangs."""
        ended = asyncio.Event()

        def end() -> None:
            ended.set()
            self._owner.stop()
            end_within(STOP_SECONDS, self._status())

        for name in SIGNALS:
            self._loop.add_signal_handler(name, end)
        return ended

    async def _prepare(self) -> None:
        """Find the topics, and apply what operators asked for. Raises SetupError."""
        self._app.partitions = await self._monitor.start(self._topics)
        changelogs = {flow.source: flow.changelog for flow in self._flows}
        refuse_mismatch(self._app.partitions, {source: one.topic for source, one in changelogs.items()})
        await self._supervision.refuse_unfit()
        described = await self._monitor.described(self._topics)
        self._supervision.remember(described)
        for changelog in changelogs.values():
            there = described.get(changelog.topic)
            changelog.generation = there.id if there else ""
            changelog.partitions = self._app.partitions[changelog.topic]
        self._cuts = {
            flow.source: ConsistentCut(
                flow, [(topic, at) for at in sorted(self._app.partitions[topic])], self._monitor
            )
            for flow in self._flows
            if (topic := flow.spec.upstream)
        }
        await self._monitor.read_standing_controls(self._on_control)
        await self._supervision.first_lag(self._app.partitions)

    def now(self) -> float:
        """Return epoch seconds by the broker's clock, this machine's before it gives one; in any thread."""
        return self._app.clock.now()

    def home(self, topic: str, key: str) -> int:
        """The partition that a key of a topic belongs to; known once the worker runs."""
        return partition_of(key.encode(), len(self._app.partitions[self._settings.topic(topic)]))

    async def publish(self, topic: str, key: bytes, value: bytes) -> None:
        """Put one record beside the flows (a control, a dead letter); raises KafkaError."""
        await self._producer().put_beside(self._settings.topic(topic), key, value, TABLES.get(topic))

    def _status(self) -> Exit:
        """The exit status, as far as it is known."""
        if isinstance(self._failure, Refusal):
            return Exit.REFUSED
        return Exit.CRASHED if self._failure or self._app.crashed else Exit.STOPPED

    async def _until_ended(self, ended: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for a signal, or for a failure, which is raised."""
        while not (ended.is_set() or self._failure or self._app.crashed):
            self._failure = failure_of(tasks)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), timeout=0.2)
        if isinstance(self._failure, Refusal):
            raise self._failure
        if reason := self._failure or (self._app.crashed and self._app.crash_reason):
            raise WorkerCrashedError(repr(reason)) from reason

    async def _start(self) -> None:
        """Start the app. Faust returns from that only once partitions are assigned, if ever."""
        await self._app.start()
        log.info(
            "started",
            version=version("surgewatch"),
            port=self._settings.metrics_port,
            topic_prefix=self._settings.topic_prefix,
            **self._about,
        )

    async def _turn(self) -> None:
        """Show the watchdog that the event loop turns."""
        while True:
            self._progress.turn(time.monotonic())
            await asyncio.sleep(min(1.0, self._progress.timeout / 4))

    async def _watch(self) -> None:
        """Apply controls, and look at the worker from outside."""
        while True:
            await self._monitor.read_new_controls(self._on_control)
            self._behind = await self._supervision.look(self._app.partitions)
            for cut in self._cuts.values() if self._behind else ():
                await cut.look()

    async def _tick(self) -> None:
        """Let time pass, by the broker's clock: event time of a source moves with it where nothing waits."""
        stamped = 0.0
        while True:
            await asyncio.sleep(1)
            clock = self._app.clock
            self._metrics.clock_skew(clock.skew())
            if self._behind and min(clock.age(), time.monotonic() - stamped) > STAMP_SECONDS:
                stamped = time.monotonic()
                await self._owner.settle(stamp=True)
            for flow in self._flows:
                await flow.tick(clock.now(), partial(self._moves, flow))

    def _moves(self, flow: Flow) -> bool:
        """Return whether event time of a flow moves with the clock: see FlowSpec."""
        by_this_clock = flow.spec.on_any_clock or self._settings.clock == "wall"
        cut = self._cuts.get(flow.source)
        return by_this_clock and self._behind.get(flow.source) == 0 and (cut is None or cut.holds())

    def _pages(self) -> Pages:
        return {
            "/metrics": self._page,
            "/healthz": lambda: health.verdict(self._progress.stuck(time.monotonic())),
            "/readyz": lambda: health.verdict(self._supervision.text(time.monotonic())),
            "/readyz/worker": lambda: health.verdict(self._supervision.text(time.monotonic(), OUTSIDE)),
        }

    def _page(self) -> health.Answer:
        """Called in a thread of the server; the state is looked at in the event loop's."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._show_state(), self._loop).result(timeout=5)
        return 200, "text/plain; version=0.0.4; charset=utf-8", self._metrics.page()

    async def _show_state(self) -> None:
        self._show()
        self._supervision.refresh(time.monotonic())
        written = sum(flow.changelog.bytes_written for flow in self._flows)
        copy_lost = any(flow.changelog.copy_lost for flow in self._flows)
        self._metrics.storage(written, self._owner.recovery_seconds, copy_lost=copy_lost)
