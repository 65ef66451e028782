"""A worker: a Faust app on our transport around pure cores, and what keeps an eye on it."""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol, cast

import structlog
from faust import StreamT

from streams.runtime import health
from streams.runtime.assignor import Assignor
from streams.runtime.batch_fetcher import in_whole_batches
from streams.runtime.broker_monitor import BrokerMonitor, SetupError
from streams.runtime.changelog import Changelog
from streams.runtime.faust_credentials import credentials
from streams.runtime.flow import Flow, Flows, FlowSpec
from streams.runtime.kafka_settings import METADATA_MS
from streams.runtime.local_store import NoStore, RocksStore
from streams.runtime.settings import WorkerSettings
from streams.runtime.transport import App, Consumer, Fetch, Producer
from streams.runtime.watchdog import EXIT_STUCK, Position, Progress, start_watchdog

log = structlog.get_logger()

FETCH_BYTES = 16 << 20  # of a partition in one poll: with many sectors, few events of each come in one
BATCH_BYTES = 512 << 10  # of a batch on its way to the broker
FETCHES_WAITING = 2  # between consumer and agent: more would only be memory
YOUNG = 100_000  # objects; at Python's 700 a fifth of the time goes into looking for cycles in fetches

Pages = Mapping[str, Callable[[], health.Answer]]


class WorkerCrashedError(RuntimeError):
    """The app stopped by itself; the cause says why."""


class WorkerMetrics(Protocol):
    """A worker's metrics."""

    def lag(self, behind: Mapping[Position, int]) -> None: ...

    def storage(self, written: int, recovery_seconds: float) -> None: ...

    def page(self) -> bytes: ...


def faust_app(settings: WorkerSettings, group: str) -> App:
    """A Faust app on our transport, with everything of Faust's switched off that is not needed."""
    return App(
        settings.topic(group),
        broker=[f"surgewatch://{server}" for server in settings.kafka.bootstrap],
        broker_credentials=credentials(settings.kafka.security),
        consumer_metadata_max_age_ms=METADATA_MS,
        datadir=str(settings.state_dir / "faust"),
        consumer_group_instance_id=settings.instance or None,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=FETCH_BYTES,
        producer_max_batch_size=BATCH_BYTES,
        producer_max_request_size=BATCH_BYTES * 4,
        broker_max_poll_records=settings.batch_events,
        broker_commit_interval=settings.commit_seconds,
        broker_session_timeout=settings.session_seconds,
        broker_rebalance_timeout=settings.session_seconds * 6,
        broker_heartbeat_interval=settings.session_seconds / 4,
        broker_request_timeout=settings.session_seconds * 2,
        stream_buffer_maxsize=FETCHES_WAITING,
        stream_wait_empty=False,  # what was fetched and not folded is read again by whoever holds it then
        PartitionAssignor=Assignor,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )


@asynccontextmanager
async def served(settings: WorkerSettings, pages: Pages) -> AsyncIterator[None]:
    """Metrics and health on a port of their own."""
    server = health.serve(settings.metrics_host, settings.metrics_port, dict(pages))
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)


class Worker:
    """One worker; made inside a running event loop.

    `group` is its consumer group, `flows` what it takes, `needed` all topics that must be there.
    `hear` takes a record of `controls`; `show` brings metrics up to date before they are read; `serve` puts
    pages on a port for as long as the worker lives.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        flows: Sequence[FlowSpec],
        metrics: WorkerMetrics,
        *,
        group: str,
        needed: Sequence[str],
        hear: Callable[[Any], None],
        show: Callable[[], None],
        serve: Callable[[WorkerSettings, Pages], AbstractAsyncContextManager[None]] = served,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._needed = needed
        self._hear, self._show, self._serve = hear, show, serve
        self._app = faust_app(settings, group)
        self._monitor = BrokerMonitor(settings.kafka, settings.topic("controls"))
        self._progress = Progress(patience=settings.watchdog_timeout_seconds, beat=time.monotonic())
        self._changelogs: list[Changelog] = []
        self._kept = {settings.topic(flow.source): self._start(flow) for flow in flows}  # by source
        self._keepers = self._app.owner = Flows(list(self._kept.values()))

    def _start(self, flow: FlowSpec) -> Flow:
        """The owner of a flow, and the agent that feeds it."""
        settings, source = self._settings, self._settings.topic(flow.source)
        local_store = (
            RocksStore(settings.state_dir / flow.changelog) if settings.store == "rocksdb" else NoStore()
        )
        changelog = Changelog(settings.topic(flow.changelog), settings.kafka, local_store)
        self._changelogs.append(changelog)
        owner = Flow(
            source, flow.core, changelog, flow.publisher, flow.metrics, self._producer, self._consumer
        )

        async def take(fetches: StreamT[Fetch]) -> None:
            async for fetch in fetches:
                try:
                    await owner.process(fetch)
                except Exception as error:
                    # Faust would acknowledge the fetch and go on. Its offsets must not be committed.
                    owner.fail()
                    await self._app.crash(error)
                    raise

        topic = self._app.topic(source, key_serializer="raw", value_serializer="raw")
        self._app.agent(topic, name=flow.source, concurrency=1)(take)
        return owner

    def _producer(self) -> Producer:
        return cast("Producer", self._app.producer)

    def _consumer(self) -> Consumer:
        return cast("Consumer", self._app.consumer)

    async def run(self) -> None:
        """Work until a signal comes; raises SetupError, or WorkerCrashedError."""
        self._app.partitions = await self._monitor.start(map(self._settings.topic, self._needed))
        await self._monitor.read_standing_controls(self._hear)
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(unless_without_memory)
        watch = asyncio.create_task(self._watch())
        try:
            async with self._serve(self._settings, self._pages()):
                await self._app.start()
                start_watchdog(self._progress)
                await self._until_ended(watch)
                await self._app.stop()
        finally:
            watch.cancel()
            await self._app.stop()
            await self._monitor.stop()

    async def say(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Put one record beside the flow (an operator's word), and wait until the broker has it."""
        await self._producer().put_keyed(self._settings.topic(topic), [(key, value, [])])
        await self._producer().settled()

    async def _until_ended(self, watch: asyncio.Task[None]) -> None:
        """Wait for SIGTERM or SIGINT, or for the app to crash."""
        told = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(name, told.set)
        while not (told.is_set() or self._app.crashed or watch.done()):
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), timeout=0.2)
        if self._app.crashed:
            raise WorkerCrashedError(repr(self._app.crash_reason)) from self._app.crash_reason
        if watch.done():
            watch.result()

    async def _watch(self) -> None:
        """Hear operators, measure lag, and let time pass where nothing comes."""
        while True:
            self._progress.beats(time.monotonic())
            await self._monitor.read_new_controls(self._hear)
            behind = await self._measure()
            for source, owner in self._kept.items():
                moves = self._settings.clock == "wall" and behind.get(source) == 0
                await owner.tick(time.time(), moves)

    async def _measure(self) -> Mapping[str, int]:
        """By source, how many records are not yet processed (nothing while the broker does not say)."""
        processed = {
            (source, at): offset
            for source, owner in self._kept.items()
            for at, offset in owner.positions.items()
        }
        ends = await self._monitor.ends(processed)
        if ends is None:
            return {}
        self._progress.saw(processed, ends, time.monotonic())
        behind = {at: max(0, end - processed[at]) for at, end in ends.items()}
        self._metrics.lag(behind)
        return {
            source: sum(records for (topic, _), records in behind.items() if topic == source)
            for source in self._kept
        }

    def _pages(self) -> Pages:
        def ready() -> str | None:
            return None if self._keepers.ready else "not yet a member of its group"

        return {
            "/metrics": self._page,
            "/healthz": lambda: health.verdict(self._progress.stuck(time.monotonic())),
            "/readyz": lambda: health.verdict(ready()),
        }

    def _page(self) -> health.Answer:
        """Called in a thread of the server; the state is looked at in the event loop's."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._show_state(), self._loop).result(timeout=5)
        return 200, "text/plain; version=0.0.4; charset=utf-8", self._metrics.page()

    async def _show_state(self) -> None:
        self._show()
        written = sum(changelog.bytes_written for changelog in self._changelogs)
        self._metrics.storage(written, self._keepers.recovery_seconds)


def unless_without_memory(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a task or a connection failed of; without memory they would go on failing, and nothing move."""
    if not isinstance(context.get("exception"), MemoryError):
        loop.default_exception_handler(context)
        return
    try:
        log.critical("no memory left, so this worker ends itself")
    finally:
        os._exit(EXIT_STUCK)


def run(
    start: Callable[[], AbstractAsyncContextManager[Worker]], unusable: tuple[type[Exception], ...]
) -> int:
    """Run the worker that `start` makes. Exit status: 0; 1 where it crashed; 2 where it cannot start."""
    speak()
    in_whole_batches()  # before there is any consumer
    gc.freeze()  # what was imported stays
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    refusals: tuple[type[Exception], ...] = (*unusable, OSError, SetupError)

    async def work() -> None:
        async with start() as worker:
            await worker.run()

    try:
        asyncio.run(work())
    except refusals as error:
        print(f"surgewatch: {error}", file=sys.stderr)
        return 2
    except WorkerCrashedError as error:
        log.critical("worker crashed", reason=str(error))
        return 1
    return 0


def speak() -> None:
    """Structured lines on standard error, ours and those that libraries find worth a warning."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
