"""The alerts worker: verdicts in, notices out, and people told."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr, ValidationError

from alerts import delivery
from alerts.alert import Notice
from alerts.board import Board, Buried, DeadLetter
from alerts.console import Ask, known_hosts
from alerts.console import routes as console_routes
from alerts.console.asked import control_of
from alerts.controls import CONTROL, Marks, Reroute
from alerts.delivery import Courier, Post
from alerts.herald import Herald, Outcome, counted
from alerts.metrics import Metrics
from alerts.policies import policies
from alerts.routes import Routes, RoutesError, routes
from alerts.routing import Route, Routing
from alerts.settings import Settings
from alerts.sinks import Sink
from alerts.sinks.slack import SlackSink
from alerts.sinks.webhook import WebhookSink
from streams import worker
from streams.controls import Control, Withdrawn
from streams.documents import DocumentError
from streams.flows import Flow
from streams.settings import WorkerSettings
from streams.transport import METADATA_MS, Producer
from streams.worker import Pages, Worker

log = structlog.get_logger()

NEEDED: Final = ("verdicts", "notices", "notices.dead", "alerts", "controls")
DEAD: Final = 100  # dead letters that are held, the newest
FETCH_MS: Final = 50  # a fetch waits so long where nothing comes; what comes is handed over at once


class Tells:
    """Brings notices to their topic, and lets the board see."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._topic = settings.topic("notices")
        self._board = board

    async def say(self, producer: Producer, outcome: Outcome) -> None:
        """Hand notices to the producer."""
        for verdict in outcome.verdicts:
            self._board.hear(verdict)
        for alert in outcome.alerts:
            self._board.alert(alert)
        if outcome.notices:
            await producer.put_keyed(
                self._topic,
                [
                    (
                        notice.alert.alert_id.encode(),
                        notice.model_dump_json().encode(),
                        [("produced_at", str(produced).encode())],
                    )
                    for notice, produced in outcome.notices
                ],
            )


class Alerts:
    """What is around the herald: sinks and their couriers, console and API."""

    def __init__(self, settings: Settings, sinks: Sequence[Sink], routing: Routing) -> None:
        self.settings = settings
        self.sinks, self.routing = sinks, routing
        self.board = Board()
        self.metrics = Metrics()
        self.marks = Marks(routing)
        self.herald = Herald(policies(settings.policies), self.marks)
        self._dead: dict[str, tuple[DeadLetter, Notice]] = {}  # by letter id, for *send again*
        self._couriers: dict[str, Courier] = {}
        self.worker = Worker(
            settings,
            [Flow("verdicts", self.herald, "alerts", Tells(settings, self.board), self.metrics)],
            self.metrics,
            group="surgewatch-alerts",
            needed=NEEDED,
            hear=self.hear,
            show=lambda: self.metrics.standing(counted(self.herald.standing())),
            serve=self.serve,
        )

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
        self.marks.hear(control)
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
        runner = web.AppRunner(self._site(pages), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
        post = Post()
        tasks = [asyncio.create_task(self._courier(sink, post)) for sink in self.sinks]
        tasks.append(asyncio.create_task(self._follow_dead()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await post.close()
            await runner.cleanup()

    async def _courier(self, sink: Sink, post: Post) -> None:
        """Bring one sink its notices; starts again where the broker was away."""
        courier = Courier(sink, post, self.bury, self, self.settings.give_up_hours * 3600)
        self._couriers[sink.name] = courier
        self.metrics.waiting(sink.name, 0)
        while True:
            consumer = AIOKafkaConsumer(
                self.settings.topic("notices"),
                bootstrap_servers=self.settings.brokers,
                group_id=self.settings.topic(f"surgewatch-sink-{sink.name}"),
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                metadata_max_age_ms=METADATA_MS,
                fetch_max_wait_ms=FETCH_MS,
                max_poll_interval_ms=int(self.settings.give_up_hours * 3_600_000) * 2,
            )
            with suppress(Exception):
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
            log.warning("courier starts again", sink=sink.name)
            await asyncio.sleep(1)

    async def _follow_dead(self) -> None:
        """Show the dead letters of all workers, also of before a restart; starts again as couriers do."""
        while True:
            consumer = AIOKafkaConsumer(
                self.settings.topic("notices.dead"),
                bootstrap_servers=self.settings.brokers,
                metadata_max_age_ms=METADATA_MS,
            )
            with suppress(Exception):
                await consumer.start()
                try:
                    ends = await consumer.end_offsets(consumer.assignment())
                    for at, begins in (await consumer.beginning_offsets(list(ends))).items():
                        consumer.seek(at, max(begins, ends[at] - DEAD))
                    async for record in consumer:
                        self._hear_dead(record)
                finally:
                    await consumer.stop()
            log.warning("dead letters cannot be followed: trying again")
            await asyncio.sleep(1)

    def _hear_dead(self, record: Any) -> None:
        """Take one record of `notices.dead`: a letter with its notice, or without one when it was taken."""
        try:
            buried = Buried.model_validate_json(record.value)
        except ValidationError:
            log.error("dead letter not understood", offset=record.offset)
            return
        letter = buried.letter
        if buried.notice is None:
            self._dead.pop(letter.letter_id, None)
            self.board.buried(letter.letter_id)
            return
        self._dead[letter.letter_id] = (letter, buried.notice)
        while len(self._dead) > DEAD:
            self._dead.pop(next(iter(self._dead)))
        self.board.dead(letter)

    def tried(self, sink: str, notice: Notice, outcome: str, seconds: float, reason: str) -> None:
        """Hear of one try to deliver."""
        self.metrics.delivery(sink, outcome, seconds)
        self.board.delivery(sink, notice.notice_id, outcome, dt.datetime.now(dt.UTC), reason)
        if outcome != "delivered":
            log.warning("not delivered", sink=sink, notice=notice.notice_id, outcome=outcome, reason=reason)

    async def bury(self, sink: str, notice: Notice, reason: str) -> None:
        """A notice that will not be delivered goes to the dead letters."""
        letter = DeadLetter(
            sink=sink,
            notice_id=notice.notice_id,
            headline=notice.headline,
            reason=reason,
            at=dt.datetime.now(dt.UTC),
        )
        await self._publish_dead(Buried(letter=letter, notice=notice))

    async def _publish_dead(self, buried: Buried) -> None:
        key, value = buried.letter.letter_id, buried.model_dump_json()
        await self.worker.say("notices.dead", key.encode(), value.encode())

    async def control(self, ask: Ask) -> None:
        """Publish what a person asked for on the console."""
        await self.publish(control_of(ask, dt.datetime.now(dt.UTC)))

    async def publish(self, control: Control) -> None:
        """Put a control on its topic, from which every worker hears it."""
        await self.worker.say("controls", control.key.encode(), control.model_dump_json().encode())

    async def resend(self, letter_id: str) -> bool:
        """Try a dead letter once more, beside the queue; False: there is none of that id."""
        letter, notice = self._dead.get(letter_id, (None, None))
        if letter is None or notice is None or letter.sink not in self._couriers:
            return False
        courier = self._couriers[letter.sink]
        courier.gone = ""
        if await courier.deliver(notice):
            await self._publish_dead(Buried(letter=letter))
        return True

    def _site(self, pages: Pages) -> web.Application:
        further = urlsplit(self.settings.console_url).hostname, *self.settings.console_hosts.split(",")
        site = web.Application(middlewares=[known_hosts([name.strip() for name in further if name])])
        site.add_routes(console_routes(self.board, self.control, self.resend, self.settings.console_token))

        async def all_alerts(_: web.Request) -> web.Response:
            found = [alert.model_dump(mode="json") for alert in self.herald.standing()]
            return web.json_response(found)

        async def one_alert(request: web.Request) -> web.Response:
            alert = self.herald.find(request.match_info["alert"])
            if alert is None:
                raise web.HTTPNotFound(text="no such alert\n")
            return web.json_response(text=alert.model_dump_json())

        site.add_routes([web.get("/api/alerts", all_alerts), web.get("/api/alerts/{alert}", one_alert)])
        for path, page in pages.items():
            site.router.add_get(path, _page(page))
        return site


def _page(page: Any) -> Any:
    async def answer(_: web.Request) -> web.Response:
        status, kind, body = await asyncio.to_thread(page)
        return web.Response(status=status, body=body, headers={"Content-Type": kind})

    return answer


def sinks(settings: Settings) -> tuple[list[Sink], Routing]:
    """Every sink, and what goes to it; raises RoutesError."""
    way = routes(settings.routes) if settings.routes is not None else Routes()
    found = way.sinks(settings.console_url)
    if settings.webhook_url:
        if settings.webhook_secret is None:
            raise RoutesError("SURGEWATCH_WEBHOOK_URL needs SURGEWATCH_WEBHOOK_SECRET")
        url, secret = SecretStr(settings.webhook_url), settings.webhook_secret
        found.append(WebhookSink("webhook", url, secret, private=settings.allow_private))
    if settings.slack_url is not None:
        url = settings.slack_url
        found.append(SlackSink("slack", url, settings.console_url, private=settings.allow_private))
    own = [sink.name for sink in found[len(way.sink) :]]
    if taken := sorted(set(own) & way.sink.keys()):
        raise RoutesError(f"the environment and the routes both have a sink named {', '.join(taken)}")
    return found, Routing([*way.route, *(Route(name=name, sinks=(name,)) for name in own)])


@asynccontextmanager
async def alerts_worker() -> AsyncIterator[Worker]:
    """The worker as the environment wants it; raises what `main` calls unusable."""
    settings = Settings()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    yield Alerts(settings, *sinks(settings)).worker


def main() -> int:
    """Run one worker with the settings of the environment; the exit status."""
    return worker.run(alerts_worker, (ValidationError, DocumentError, RoutesError))
