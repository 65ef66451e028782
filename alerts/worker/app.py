"""The alerts worker: verdicts in, notices out, and people told."""

import asyncio
import datetime as dt
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from pydantic import ValidationError

from alerts.console.board import Board
from alerts.lifecycle.alert import Alert, Notice, State
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline, counted
from alerts.notices.controls import CONTROL, Reroute
from alerts.notices.marks import Marks
from alerts.notices.routing import Routing
from alerts.sinks import Reminds, Sink
from alerts.worker import delivery
from alerts.worker.board_readers import board_readers
from alerts.worker.console_desk import console_desk
from alerts.worker.console_server import console_server
from alerts.worker.dead_letters import DeadLetters
from alerts.worker.delivery import Courier
from alerts.worker.http_client import Post
from alerts.worker.metrics import Metrics
from alerts.worker.outputs import NoticePublisher
from alerts.worker.routes_document import RoutesError, sinks
from alerts.worker.settings import Settings
from streams.contract.controls import Control, Withdrawn
from streams.contract.toml_documents import DocumentError
from streams.runtime.environment import refuse_unknown
from streams.runtime.flow_spec import FlowSpec
from streams.runtime.process import run
from streams.runtime.settings import WorkerSettings
from streams.runtime.worker import Pages, Worker

log = structlog.get_logger()

NEEDED: Final = ("verdicts", "notices", "notices.dead", "alerts", "controls")
FETCH_MS: Final = 50  # a fetch waits so long where nothing comes; what comes is handed over at once


class Alerts:
    """What is around the pipeline: sinks and their couriers, console and API."""

    def __init__(self, settings: Settings, sinks: Sequence[Sink], routing: Routing) -> None:
        self.settings = settings
        self.sinks, self.routing = sinks, routing
        alert_policies = policies(settings.policies)
        self.board = Board(policies=alert_policies, sinks=[sink.name for sink in sinks])
        self.metrics = Metrics()
        self.marks = Marks(routing)
        self.pipeline = AlertPipeline(alert_policies, self.marks)
        self._couriers: dict[str, Courier] = {}
        self.worker = Worker(
            settings,
            [FlowSpec("verdicts", self.pipeline, "alerts", NoticePublisher(settings), self.metrics)],
            self.metrics.runtime,
            group="surgewatch-alerts",
            needed=NEEDED,
            on_control=self.hear,
            show=lambda: self.metrics.standing(counted(self.pipeline.standing())),
            serve=self.serve,
            about={"sinks": [sink.name for sink in sinks]},
        )
        self.dead = DeadLetters(settings, self.board, self.worker.publish)

    def hear(self, record: Any) -> None:
        """Take one record of `controls`."""
        key = (record.key or b"").decode(errors="replace")
        if not record.value:
            self.marks.withdraw(key)
            self.board.withdrawn(key)
            return
        try:
            control = CONTROL.validate_json(record.value)
        except ValidationError as error:
            log.warning("control not understood", key=key, faults=error.error_count())
            return
        log.info("control", key=key, by=control.by, reason=control.reason, at=control.at.isoformat())
        self.marks.apply(control)
        if isinstance(control, Withdrawn):
            self.board.withdrawn(control.key)
        else:
            self.board.control(control)
        if isinstance(control, Reroute) and control.route:
            unknown = sorted(set(control.route.sinks) - {sink.name for sink in self.sinks})
            if unknown:
                log.warning("route leads nowhere", route=control.name, unknown_sinks=unknown)

    @asynccontextmanager
    async def serve(self, settings: WorkerSettings, pages: Pages) -> AsyncIterator[None]:
        """Console, API, metrics and health on one port, and a courier for each sink."""
        post = Post()
        tasks = [asyncio.create_task(work) for work in self._works(post)]
        desk = console_desk(self.settings, self.sinks, self.board, pages, self.publish, self.resend)
        readers = board_readers(self.settings, self.board)
        try:
            async with console_server(desk, settings.metrics_host, settings.metrics_port, readers=readers):
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await post.close()

    def _works(self, post: Post) -> Iterator[Coroutine[Any, Any, None]]:
        """All that goes on beside the flow."""
        yield lasting("dead letters", self.dead.follow)
        for sink in self.sinks:
            courier = Courier(sink, post, self.dead.bury, self, self.settings.give_up_hours * 3600)
            self._couriers[sink.name] = courier
            self.metrics.waiting(sink.name, 0)
            yield lasting(f"courier of {sink.name}", partial(self._carry, sink, courier))
            if isinstance(sink, Reminds):
                yield lasting(f"reminder of {sink.name}", partial(self._remind, sink, post))

    async def _carry(self, sink: Sink, courier: Courier) -> None:
        """Bring one sink its notices, for as long as the broker is there."""
        consumer = AIOKafkaConsumer(
            self.settings.topic("notices"),
            **self.settings.kafka.aiokafka,
            group_id=self.settings.topic(f"surgewatch-sink-{sink.name}"),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_MS,
            max_poll_interval_ms=int(self.settings.give_up_hours * 3_600_000) * 2,
        )
        await consumer.start()
        try:
            await delivery.serve(
                consumer,
                courier,
                lambda notice: self.routing.takes(sink.name, notice, time.time()),
                lambda produced: self.metrics.told(time.time() - produced / 1000),
                lambda notices: self.metrics.waiting(sink.name, notices),
            )
        finally:
            await consumer.stop()

    async def _remind(self, sink: Reminds, post: Post) -> None:
        """Keep alive at a sink what it was told of and still stands."""

        def standing() -> list[Alert]:
            return [
                alert
                for alert in self.pipeline.standing()
                if alert.state is State.FIRING
                and alert.told
                and not alert.silenced_by
                and self.routing.covers(sink.name, alert)
            ]

        def tried(outcome: str, seconds: float, reason: str) -> None:
            self.metrics.delivery(sink.name, outcome, seconds)
            if outcome != "delivered":
                log.warning("not said again", sink=sink.name, outcome=outcome, reason=reason)

        await delivery.remind(sink, post, standing, tried)

    def tried(self, sink: str, notice: Notice, outcome: str, seconds: float, reason: str) -> None:
        """Hear of one try to deliver."""
        self.metrics.delivery(sink, outcome, seconds)
        self.board.delivery(sink, notice, outcome, at=dt.datetime.now(dt.UTC), detail=reason)
        if outcome != "delivered":
            log.warning("not delivered", sink=sink, notice=notice.notice_id, outcome=outcome, reason=reason)

    async def publish(self, control: Control) -> None:
        """Put a control on its topic, from which every worker hears it."""
        await self.worker.publish("controls", control.key.encode(), control.model_dump_json().encode())

    async def resend(self, letter_id: str) -> bool:
        """Try a dead letter once more, beside the queue; False: there is none of that id."""
        letter, notice = self.dead.find(letter_id)
        if letter is None or notice is None or letter.sink not in self._couriers:
            return False
        courier = self._couriers[letter.sink]
        courier.gone = ""
        if await courier.deliver(notice):
            await self.dead.taken(letter)
        return True


async def lasting(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Work that is begun anew where it fails (the broker was away); it ends when it is cancelled."""
    while True:
        try:
            await work()
        except Exception as error:  # whatever it is, people have to be told on
            log.warning("starts again", work=name, error=repr(error))
        await asyncio.sleep(1)


@asynccontextmanager
async def alerts_worker() -> AsyncIterator[Worker]:
    """The worker as the environment wants it; raises what `main` calls unusable."""
    refuse_unknown(os.environ, Settings)
    settings = Settings()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    yield Alerts(settings, *sinks(settings)).worker


def main() -> int:
    """Run one worker with the settings of the environment; the exit status."""
    return run(alerts_worker, (ValidationError, DocumentError, RoutesError))
