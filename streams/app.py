"""The streams worker: a Faust app around the pure pipeline, and what keeps an eye on it."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import structlog
from faust import StreamT
from pydantic import TypeAdapter, ValidationError

from streams import health
from streams.baselines.dates import Calendar, CalendarError
from streams.controls import StreamControl
from streams.decode import Decoder
from streams.documents import DocumentError
from streams.judging import Judge
from streams.keeper import Keeper
from streams.metrics import Metrics
from streams.observer import Observer, SetupError
from streams.outputs import Outputs
from streams.pipeline import Pipeline
from streams.sectors import registry
from streams.settings import Settings
from streams.store import Changelog, NoShelf, RocksShelf
from streams.transport import App, Fetch, Producer
from streams.watchdog import Progress, stand_guard

log = structlog.get_logger()

OK, CRASHED, UNUSABLE = 0, 1, 2  # exit status
FETCH_BYTES = 4 << 20  # of a partition in one poll
BATCH_BYTES = 512 << 10  # of a batch on its way to the broker
FETCHES_WAITING = 2  # between consumer and agent: more would only be memory
NEEDED = ("encounters", "encounters.dead", "verdicts", "counts", "controls")
KINDS = (b"policy/", b"capacity/", b"sensitivity/")
CONTROL: TypeAdapter[StreamControl] = TypeAdapter(StreamControl)


class WorkerCrashedError(RuntimeError):
    """The app stopped by itself; the cause says why."""


def faust_app(settings: Settings) -> App:
    """A Faust app on our transport, with everything of Faust's switched off that is not needed."""
    return App(
        settings.group,
        broker=[f"surgewatch://{server.strip()}" for server in settings.brokers.split(",")],
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
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )


class Worker:
    """One streams worker; made inside a running event loop."""

    def __init__(self, settings: Settings, pipeline: Pipeline, metrics: Metrics) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._metrics = metrics
        self._source = settings.topic("encounters")
        self._app = faust_app(settings)
        self._observer = Observer(settings.brokers, settings.topic("controls"))
        self._progress = Progress(patience=settings.patience_seconds, beat=time.monotonic())
        shelf = RocksShelf(settings.state_dir / "counts") if settings.store == "rocksdb" else NoShelf()
        self._changelog = Changelog(settings.topic("counts"), settings.brokers, shelf)
        self._keeper = self._app.keeper = Keeper(
            self._source, pipeline, self._changelog, Outputs(settings), metrics, self._producer
        )
        source = self._app.topic(self._source, key_serializer="raw", value_serializer="raw")
        self._app.agent(source, name="encounters", concurrency=1)(self._encounters)

    def _producer(self) -> Producer:
        return cast("Producer", self._app.producer)

    async def _encounters(self, fetches: StreamT[Fetch]) -> None:
        async for fetch in fetches:
            try:
                await self._keeper.fold(fetch)
            except Exception as error:
                # Faust would acknowledge the fetch and go on without it. Its offsets must not be committed.
                self._keeper.fail()
                await self._app.crash(error)
                raise

    async def run(self) -> None:
        """Work until a signal comes; raises SetupError, or WorkerCrashedError."""
        await self._observer.start(map(self._settings.topic, NEEDED))
        await self._observer.first_controls(self._hear)
        self._loop = asyncio.get_running_loop()
        server = health.serve(self._settings.metrics_host, self._settings.metrics_port, self._routes())
        watch = asyncio.create_task(self._watch())
        try:
            await self._app.start()
            stand_guard(self._progress)
            await self._until_ended(watch)
        finally:
            watch.cancel()
            await self._app.stop()
            await self._observer.stop()
            await asyncio.to_thread(server.shutdown)

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
            await self._observer.next_controls(self._hear)
            behind = await self._measure()
            if behind == 0 and self._settings.clock == "wall":
                await self._keeper.tick(time.time())

    async def _measure(self) -> int | None:
        """How many records are not yet processed (None while the broker does not say)."""
        ends = await self._observer.ends(self._source, list(self._keeper.positions))
        if ends is None:
            return None
        processed = {(self._source, at): offset for at, offset in self._keeper.positions.items()}
        self._progress.saw(processed, ends, time.monotonic())
        behind = {at: max(0, end - processed.get((topic, at), end)) for (topic, at), end in ends.items()}
        self._metrics.lag(self._source, behind)
        return sum(behind.values())

    def _hear(self, record: Any) -> None:
        """Take one record of `controls`; kinds that are others' business are passed over."""
        if record.value is None or not (record.key or b"").startswith(
            (b"policy/", b"capacity/", b"sensitivity/")
        ):
            return
        try:
            self._pipeline.hear(CONTROL.validate_json(record.value))
        except ValidationError as error:
            log.warning("control not understood", key=str(record.key), faults=error.error_count())

    def _routes(self) -> dict[str, Callable[[], health.Answer]]:
        def ready() -> str | None:
            return None if self._keeper.ready else "not yet a member of its group"

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
        parts = {at: (part.event_time, part.counts.values()) for at, part in self._pipeline.parts.items()}
        self._metrics.state(parts, time.time())
        self._metrics.storage(self._changelog.bytes_written, self._keeper.recovery_seconds)


async def work(settings: Settings, pipeline: Pipeline, metrics: Metrics) -> None:
    """Run one worker until it is told to end."""
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot write to SURGEWATCH_STATE_DIR: {error}") from error
    await Worker(settings, pipeline, metrics).run()


def main() -> int:
    """Run one worker with the settings of the environment; the exit status."""
    speak()
    try:
        settings = Settings()
        sectors = registry(settings.registry)
        dates = Calendar.read(settings.calendar) if settings.calendar else Calendar()
        pipeline = Pipeline(
            sectors,
            Judge(sectors, dates, settings.false_alarms_per_month),
            Decoder(sectors, limit=settings.record_bytes),
            lateness=settings.lateness_seconds,
            dedup=(settings.dedup_ids, settings.dedup_hours),
        )
        asyncio.run(work(settings, pipeline, Metrics(sectors)))
    except (ValidationError, DocumentError, CalendarError, OSError, SetupError) as error:
        print(f"surgewatch: {error}", file=sys.stderr)
        return UNUSABLE
    except WorkerCrashedError as error:
        log.critical("worker crashed", reason=str(error))
        return CRASHED
    return OK


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
