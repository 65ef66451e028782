"""The console over real HTTP: reading is open, writing needs the token, and nothing leaks it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr

from alerts.console import Ask, known_hosts, routes
from alerts.console.board import Board
from alerts.console.requests import (
    AskAcknowledge,
    AskCapacity,
    AskPolicy,
    AskRoute,
    AskSensitivity,
    AskSilence,
    AskWithdraw,
)
from alerts.lifecycle.alert import Severity
from tests import console_story as story

TOKEN = "correct-horse-battery"
WHO = {"by": "j.okafor", "reason": "known convoy"}
ASKS = [
    ({"kind": "acknowledge", "alert_id": "a1", **WHO}, AskAcknowledge),
    ({"kind": "silence", "sector": "rcmp-quebec", "hours": 12, **WHO}, AskSilence),
    ({"kind": "policy", "name": "STCA", "date": "2023-03-25", "sectors": ["rcmp-*"], **WHO}, AskPolicy),
    ({"kind": "capacity", "sector": "swanton", "people_per_day": 60, **WHO}, AskCapacity),
    ({"kind": "sensitivity", "sector": "*", "false_alarms_per_month": 0.5, **WHO}, AskSensitivity),
    ({"kind": "route", "name": "night", "sinks": ["duty"], "least": "critical", **WHO}, AskRoute),
    ({"kind": "withdraw", "key": "silence/swanton-all", **WHO}, AskWithdraw),
]


@dataclass
class Desk:
    """A console on a free port, and what was asked through it."""

    board: Board = field(default_factory=story.board)
    asked: list[Ask] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)
    url: str = ""

    async def control(self, ask: Ask) -> None:
        if isinstance(ask, AskSilence) and ask.sector == "atlantis":
            raise ValueError("unknown sector 'atlantis'")
        self.asked.append(ask)

    async def resend(self, letter_id: str) -> bool:
        self.resent.append(letter_id)
        return letter_id == self.board.snapshot()["dead"][0]["id"]


async def _open(token: SecretStr | None) -> tuple[Desk, web.AppRunner]:
    desk = Desk()
    app = web.Application(middlewares=[known_hosts(["console.example"])])
    app.add_routes(routes(desk.board, desk.control, desk.resend, token))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    desk.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return desk, runner


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk, runner = await _open(SecretStr(TOKEN))
    yield desk
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def _ask(http, desk, body, token=TOKEN, path="/api/ask", **more):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **more}
    async with http.post(desk.url + path, data=json.dumps(body), headers=headers) as answer:
        return answer.status, (await answer.json())["says"]


@pytest.mark.parametrize(("body", "kind"), ASKS)
async def test_what_is_asked_with_the_token_reaches_the_control(desk, http, body, kind):
    assert await _ask(http, desk, body) == (202, "accepted")
    assert [type(ask) for ask in desk.asked] == [kind]
    assert desk.asked[0].by == "j.okafor"


@pytest.mark.parametrize("token", ["", "wrong", "correct-horse-batterz", "é"])
async def test_nothing_is_written_without_the_token(desk, http, token):
    status, says = await _ask(http, desk, ASKS[0][0], token)
    assert (status, desk.asked) == (401, [])
    assert TOKEN not in says


async def test_a_form_of_another_site_cannot_write(desk, http):
    body = {"Content-Type": "text/plain"}
    assert (await _ask(http, desk, ASKS[0][0], **body))[0] == 415
    async with http.post(desk.url + "/api/ask", data=ASKS[0][0]) as answer:
        assert answer.status == 401
    assert desk.asked == []


async def test_without_a_token_in_the_settings_writing_is_off(http):
    desk, runner = await _open(None)
    status, says = await _ask(http, desk, ASKS[0][0], "None")
    await runner.cleanup()
    assert (status, says) == (403, "writing is off: no console token is set")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"reason": " "}, "reason"),
        ({"by": ""}, "by"),
        ({"hours": -1}, "hours"),
        ({"colour": "red"}, "colour"),
        ({"kind": "launch"}, "Input tag 'launch'"),
        ({"sector": "atlantis"}, "atlantis"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_with_its_fault(desk, http, change, fault):
    status, says = await _ask(http, desk, {**ASKS[1][0], **change})
    assert status == 422
    assert fault in says
    assert desk.asked == []


async def test_a_dead_letter_is_sent_again_by_its_id(desk, http):
    (letter,) = desk.board.snapshot()["dead"]
    path = f"/api/dead/{letter['id'].replace('/', '%2F')}/resend"
    assert (await _ask(http, desk, {}, path=path))[0] == 202
    assert (await _ask(http, desk, {}, path="/api/dead/nothing/resend"))[0] == 404
    assert desk.resent == [letter["id"], "nothing"]


async def test_a_new_alert_is_in_the_stream_within_a_second(desk, http):
    async with http.get(desk.url + "/api/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert (await _news(stream))["whole"]
        alert = story.raised(story.days_of(story.PLACES[2])[-1], Severity.CRITICAL, 1)
        began = time.monotonic()
        desk.board.alert(alert)
        news = await asyncio.wait_for(_news(stream), 1)
        assert time.monotonic() - began < 1
    assert [item["id"] for item in news["alerts"]] == [alert.alert_id]
    assert not news["whole"]


async def _news(stream):
    async for line in stream.content:
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    raise AssertionError("the stream ended")


async def test_every_answer_forbids_foreign_content_and_bears_no_secret(desk, http):
    for path in ("/", "/console/console.js", "/console/charts.js", "/console/console.css", "/api/board"):
        async with http.get(desk.url + path) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert TOKEN not in await answer.text()


async def test_the_page_asks_nothing_of_the_network(desk, http):
    async with http.get(desk.url + "/") as answer:
        page = await answer.text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "<script>" not in page
    assert " style=" not in page


@pytest.mark.parametrize("path", ["/", "/api/board", "/console/console.js"])
async def test_under_a_foreign_host_name_nothing_is_read(desk, http, path):
    for host, status in (("evil.example", 421), ("console.example", 200), ("localhost:9102", 200)):
        async with http.get(desk.url + path, headers={"Host": host}) as answer:
            assert answer.status == status, host
