"""Clicks in Slack, by the SDK's Socket Mode, against a stand-in: each is one control, and is acknowledged."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from alerts.console.board import Board
from alerts.lifecycle.alert import Alert, Assessment, State
from alerts.notices.controls import Acknowledge, Silence
from alerts.notices.controls_in_force import ControlsInForce
from alerts.sinks.slack.app import SlackApp, content
from alerts.worker.console_backend import control_names
from alerts.worker.slack_api import SlackApi
from alerts.worker.slack_clicks import SlackClicks
from streams.contract.controls import Control
from tests.alerts.made import outage, verdict
from tests.alerts.one_sink import REGISTRY, OneSink
from tests.slack_server import APP, BOT, USER, Fault, Message, SlackServer, slack_server

DESK = OneSink()
(FIRST,) = DESK.judge(verdict(0, breach=True))
MESSAGE: Message = {"text": "", **content(FIRST)}
AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
WHO = {"by": "Anna Roy (anna@example.org)", "at": AT, "reason": "button in Slack"}


@dataclass
class House:
    """What a worker has around the clicks: its alerts, the controls in force, and the topic."""

    server: SlackServer
    alerts: list[Alert] = field(default_factory=lambda: [FIRST.alert])
    controls: ControlsInForce = field(default_factory=ControlsInForce)
    published: list[Control] = field(default_factory=list)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.ready.set()

    async def publish(self, control: Control) -> None:
        await self.gate.wait()
        if self.broken:
            raise OSError("no broker")
        self.published.append(control)
        self.controls.apply(control)

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Take clicks, over a connection of its own."""
        api = SlackApi(SlackApp(SecretStr(BOT), SecretStr(APP), self.server.url))
        board = Board()
        for alert in self.alerts:
            board.alert(alert)
        clicks = SlackClicks(
            api,
            ready=self.ready.wait,
            alerts=lambda: self.alerts,
            names=control_names(REGISTRY, board, sinks=(), routes=frozenset),
            holds=self.controls.holds,
            publish=self.publish,
            count=lambda action, outcome: self.counted.update([(action, outcome)]),
            connected=nullcontext,
        )
        before = len(self.server.sockets)
        task = asyncio.create_task(clicks.follow())
        await until(lambda: len(self.server.sockets) > before)
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await api.close()

    async def click(self, action: str, *, times: int = 1) -> None:
        """Click, and wait until every delivery of it is acknowledged."""
        acknowledged = len(self.server.acknowledged)
        await self.server.click(MESSAGE, action, times=times, at=AT.timestamp())
        await until(lambda: len(self.server.acknowledged) == acknowledged + times)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with slack_server() as server:
        yield House(server)


@pytest.mark.parametrize(
    ("action", "control"),
    [
        ("take", Acknowledge(**WHO, alert_id=FIRST.alert.alert_id)),
        (
            "not_a_surge",
            Acknowledge(**WHO, alert_id=FIRST.alert.alert_id, assessment=Assessment.NOT_A_SURGE),
        ),
        ("bad_data", Acknowledge(**WHO, alert_id=FIRST.alert.alert_id, assessment=Assessment.BAD_DATA)),
        (
            "silence",
            Silence(
                **WHO,
                name="swanton-surge",
                sector="swanton",
                question="surge",
                until=AT + dt.timedelta(hours=8),
            ),
        ),
    ],
)
async def test_a_click_is_the_control_of_the_consoles_form_by_its_author(
    house: House, action: str, control: Control
) -> None:
    async with house.taking():
        await house.click(action)
    assert house.published == [control]
    assert house.counted == {(action, "accepted"): 1}


@pytest.mark.parametrize("connections", [1, 2])
async def test_a_click_that_is_sent_again_is_one_control(house: House, connections: int) -> None:
    async with house.taking():
        if connections == 1:
            await house.click("take", times=3)
        else:
            async with house.taking():
                await house.click("take")
                await house.click("take")
    assert len(house.published) == 1


@pytest.mark.parametrize(
    ("alerts", "sentence"),
    [
        ([], "This alert is no longer known. Nothing was changed."),
        (
            [FIRST.alert.model_copy(update={"state": State.RESOLVED})],
            "This alert is over. Nothing was changed.",
        ),
    ],
)
async def test_a_click_on_an_alert_that_is_over_or_unknown_is_answered_to_its_author_alone(
    house: House, alerts: list[Alert], sentence: str
) -> None:
    house.alerts = alerts
    async with house.taking():
        await house.click("take")
    assert house.published == []
    assert house.server.ephemerals == [(USER, sentence)]


async def test_a_click_is_acknowledged_though_the_broker_hangs_and_set_when_it_is_back(house: House) -> None:
    house.gate.clear()
    async with house.taking():
        await house.click("take")
        assert house.published == []
        house.gate.set()
        await until(lambda: len(house.published) == 1)


async def test_a_click_that_cannot_be_recorded_is_answered(house: House) -> None:
    house.broken = True
    async with house.taking():
        await house.click("take")
    assert house.server.ephemerals == [
        (USER, "The broker does not answer. Try again if the message does not change.")
    ]
    assert house.counted == {("take", "failed"): 1}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "view_submission"},
        {"type": "block_actions", "user": {"id": USER}, "channel": {"id": "C1"}, "actions": []},
        {
            "type": "block_actions",
            "user": {"id": USER},
            "channel": {"id": "C1"},
            "actions": [{"action_id": "open", "value": "", "action_ts": "1.0"}],
        },
        {
            "type": "block_actions",
            "user": {"id": USER},
            "channel": {"id": "C1"},
            "actions": [{"action_id": "take", "value": "x", "action_ts": "1e400"}],
        },
    ],
)
async def test_whatever_else_slack_sends_is_acknowledged_and_sets_nothing(
    house: House, payload: dict[str, object]
) -> None:
    async with house.taking():
        await house.server.interact(payload)
        await until(lambda: len(house.server.acknowledged) == 1)
        await house.click("take")
    assert len(house.published) == 1


async def test_a_connection_that_slack_takes_back_is_made_anew(house: House) -> None:
    async with house.taking():
        (before,) = house.server.sockets
        await house.server.disconnect()
        await until(lambda: bool(house.server.sockets) and house.server.sockets[0] is not before)
        await house.click("take")
    assert len(house.published) == 1


async def test_a_slack_that_is_away_at_first_is_connected_to_when_it_is_back(house: House) -> None:
    house.server.faults.extend([Fault.BROKEN, Fault.LOST])
    async with house.taking():
        await house.click("take")
    assert len(house.published) == 1


async def test_a_click_on_a_source_is_for_all_its_sectors_without_data_also_once_its_first_is_back() -> None:
    desk = OneSink()
    (first, *_) = desk.judge(*map(outage, ("blaine", "houlton", "swanton")))
    desk.judge(outage("blaine", 1, breach=False))
    alerts = desk.pipeline.all_alerts()
    async with slack_server() as server:
        house = House(server, alerts=alerts)
        async with house.taking():
            await server.click({"text": "", **content(first)}, "take", at=AT.timestamp())
            await until(lambda: len(house.published) == 2)
    dead = [one for one in alerts if one.sector != "blaine"]
    assert house.published == [Acknowledge(**WHO, alert_id=alert.alert_id) for alert in dead]
