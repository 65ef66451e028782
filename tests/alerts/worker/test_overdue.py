"""What is done beside the deliveries, again and again, makes a worker not ready where it is not done."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import pytest
from aiohttp import web
from pydantic import SecretStr

from alerts.console.board import Board
from alerts.console.topic_reader import PAUSE as READ_AGAIN
from alerts.notices.controls_in_force import ControlsInForce
from alerts.sinks.pagerduty import PagerDutySink
from alerts.sinks.slack.app import SlackApp
from alerts.worker import board_readers, pagerduty_answers, slack_clicks
from alerts.worker.board_readers import BoardReaders
from alerts.worker.http_client import HttpClient
from alerts.worker.overdue import Overdue
from alerts.worker.pagerduty_answers import PagerDutyAnswers
from alerts.worker.settings import Settings
from alerts.worker.slack_api import SlackApi
from alerts.worker.slack_clicks import SlackClicks
from alerts.worker.supervised import Supervisor
from streams.contract.controls import Names
from streams.runtime.readiness import OUTSIDE, NotReady
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink
from tests.alerts.pagerduty_stand_in import TOKEN, Api
from tests.alerts.worker.test_problems import Clock, Site
from tests.http_site import http_site
from tests.slack_server import APP, BOT, slack_server

PATIENCE = 0.05  # seconds, in place of half a minute


def test_what_has_not_been_done_for_long_is_named_with_its_cause() -> None:
    clock = Clock()
    one = Overdue("reader", 30, clock)
    clock.now += 1000
    assert one.problem() is None  # nothing was due
    one.begin()
    clock.now += 30
    assert one.problem() is None
    one.failed("no right to read")
    clock.now += 1
    assert one.problem() == "reader: not for 31 s (no right to read)"
    one.done()
    assert one.problem() is None
    clock.now += 31
    assert one.problem() == "reader: not for 31 s"


async def test_it_is_a_reason_not_to_be_ready() -> None:
    site = Site()
    one = Overdue("reader", 30, site.clock)
    one.begin()
    site.problems._beside = lambda: [one]
    assert site.problems.found()[NotReady.TASK_FAILING] is None
    site.clock.now += 31
    assert site.problems.found()[NotReady.TASK_FAILING] == "reader: not for 31 s"


async def test_what_a_service_outside_does_not_answer_holds_up_no_upgrade() -> None:
    site = Site()
    one = Overdue("clicks", 30, site.clock, outside=True)
    one.begin()
    site.problems._beside = lambda: [one]
    site.clock.now += 31
    assert {reason for reason, text in site.problems.found().items() if text} <= OUTSIDE
    assert "clicks: not for 31 s" in (site.problems.found()[NotReady.UNDELIVERED] or "")


async def ended(task: Callable[[Clock], Awaitable[None]], seconds: float) -> tuple[Supervisor, Clock]:
    """Run a task until it has been named as failing."""
    clock = Clock()
    supervisor = Supervisor(clock)

    async def work() -> None:
        clock.now += seconds
        await task(clock)

    running = asyncio.create_task(supervisor.run("poll", work))
    async with asyncio.timeout(20):
        while not supervisor.problem():
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return supervisor, clock


@pytest.mark.parametrize("seconds", [0, 30, 60])
async def test_a_task_that_fails_once_a_round_is_named_however_long_a_round_is(seconds: float) -> None:
    async def fail(clock: Clock) -> None:
        raise ValueError("no answer")

    supervisor, clock = await ended(fail, seconds)
    assert supervisor.problem() == "poll: ValueError('no answer')"
    clock.now += 15 + 2 * seconds
    assert supervisor.problem() is None


async def test_a_task_that_ends_by_itself_is_named() -> None:
    async def end(clock: Clock) -> None:
        return

    supervisor, _ = await ended(end, 1)
    assert supervisor.problem() == "poll: it ended by itself"


async def test_a_reader_of_the_console_that_reads_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_readers, "UNREAD_SECONDS", 2.5)
    with EmbeddedBroker() as broker:
        broker.touch("verdicts", "notices")
        working = BoardReaders(Settings(brokers=broker.servers), Board())
        failing = BoardReaders(Settings(brokers=f"127.0.0.1:{free_port()}"), Board())
        readers = [*working.readers(), *failing.readers()]
        tasks = [asyncio.ensure_future(read()) for read in readers]
        await asyncio.sleep(2.5 + 2 * READ_AGAIN)
        assert [one.problem() for one in working.overdue.values()] == [None, None]
        for topic, one in failing.overdue.items():
            problem = one.problem() or ""
            assert problem.startswith(f"console's reader of {topic}: not for ")
            assert "KafkaConnectionError" in problem
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def clicks(api: SlackApi) -> SlackClicks:
    async def ready() -> None:
        return

    async def publish(control: object) -> None:
        return

    return SlackClicks(
        api,
        ready=ready,
        alerts=list,
        names=lambda: Names(sectors=frozenset(), questions=frozenset()),
        holds=lambda _: False,
        publish=publish,
        count=lambda *_: None,
        connected=nullcontext,
    )


async def test_clicks_in_slack_that_are_not_taken_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_clicks, "UNTAKEN_SECONDS", 2.0)
    async with slack_server() as server:
        urls = (server.url, f"http://127.0.0.1:{free_port()}/")
        apis = [SlackApi(SlackApp(SecretStr(BOT), SecretStr(APP), url)) for url in urls]
        working, failing = map(clicks, apis)
        tasks = [asyncio.create_task(one.follow()) for one in (working, failing)]
        await asyncio.sleep(3.5)
        assert working.overdue.problem() is None
        problem = failing.overdue.problem() or ""
        assert problem.startswith("clicks in Slack: not for ")
        assert "ClientConnectorError" in problem
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for api in apis:
            await api.close()


class Asked:
    """A worker whose sink asks PagerDuty's API about one alert."""

    def __init__(self, port: int) -> None:
        self.desk = OneSink()
        self.desk.judge(verdict(0, breach=True, observed=500))
        url = f"http://127.0.0.1:{port}"
        self.sink = PagerDutySink(
            "duty", SecretStr("key"), private=True, api_token=SecretStr(TOKEN), api_url=url
        )
        self.controls = ControlsInForce()
        self.published: list[object] = []
        self.answers = PagerDutyAnswers(
            [self.sink],
            self.controls,
            ready=asyncio.Event().wait,
            alerts=self.desk.pipeline.all_alerts,
            unanswered=lambda _: self.desk.pipeline.all_alerts(),
            publish=self.publish,
            count=lambda _: None,
        )

    async def publish(self, control: object) -> None:
        self.published.append(control)

    async def ask(self) -> str | None:
        client = HttpClient()
        await self.answers.ask(self.sink, client)
        await client.close()
        return self.answers.overdue["duty"].problem()


async def test_an_api_of_pagerduty_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagerduty_answers, "UNANSWERED_SECONDS", PATIENCE)
    api = Api()
    async with http_site([web.get("/incidents", api.answer)]) as port:
        asked = Asked(port)
        assert await asked.ask() is None
        api.status = 503
        await asyncio.sleep(2 * PATIENCE)
        assert "API of PagerDuty for duty: not for 0 s (http_503)" in (await asked.ask() or "")
        api.status = 200
        assert await asked.ask() is None
