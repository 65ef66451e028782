"""The console over real HTTP: reading needs a known host, writing needs the token, and nothing leaks it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from alerts.console.files import KINDS
from alerts.lifecycle.alert import Severity
from tests import console_story as story
from tests.alerts.console.served import TOKEN, Asked, opened

ACKNOWLEDGE = {"kind": "acknowledge", "alert_id": "", "by": "j.okafor", "reason": "known convoy"}


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    async with opened() as asked:
        yield asked


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def ask(http, asked, body, *, token=TOKEN, path="/api/ask", **more):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **more}
    async with http.post(asked.url + path, data=json.dumps(body), headers=headers) as answer:
        return answer.status, await answer.json()


def first_alert(asked: Asked) -> dict:
    return ACKNOWLEDGE | {"alert_id": asked.board.snapshot().as_json()["alerts"][0]["id"]}


async def test_what_is_asked_with_the_token_is_published(asked, http):
    status, answer = await ask(http, asked, first_alert(asked))
    assert (status, answer["status"]) == (202, "accepted")
    assert [control.by for control in asked.controls] == ["j.okafor"]


@pytest.mark.parametrize("token", ["", "wrong", "correct-horse-batterz", "é"])
@pytest.mark.parametrize("path", ["/api/ask", "/api/dead/any/resend", "/api/nothing", "/"])
async def test_authentication_comes_first_for_whatever_is_written(asked, http, token, path):
    status, answer = await ask(http, asked, first_alert(asked), token=token, path=path)
    assert (status, asked.controls, asked.letters) == (401, [], [])
    assert TOKEN not in answer["error"]


async def test_a_form_of_another_site_cannot_write(asked, http):
    text = {"Content-Type": "text/plain"}
    assert (await ask(http, asked, first_alert(asked), **text))[0] == 415
    async with http.post(asked.url + "/api/ask", data=first_alert(asked)) as answer:
        assert answer.status == 401
    assert asked.controls == []


async def test_without_a_token_in_the_settings_writing_is_off(http):
    async with opened(token=None) as asked:
        status, answer = await ask(http, asked, first_alert(asked), token="None")
    assert (status, answer["error"]) == (403, "writing is off: SURGEWATCH_CONSOLE_TOKEN is not set")


async def test_a_request_that_makes_no_sense_is_refused_with_a_sentence(asked, http):
    silence = {"kind": "silence", "sector": "swantn", "hours": 8, "by": "anna", "reason": "drill"}
    status, answer = await ask(http, asked, silence)
    assert (status, answer["error"]) == (422, "unknown sector 'swantn'; nearest known: swanton")
    assert asked.controls == []


async def test_a_body_that_is_too_long_is_refused(asked, http):
    status, _ = await _status_of(http, asked, "x" * 20_000)
    assert status == 413


async def _status_of(http, asked, text):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    async with http.post(asked.url + "/api/ask", data=text, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_dead_letter_is_sent_again_by_its_id(asked, http):
    (letter,) = asked.board.snapshot().as_json()["dead"]
    path = f"/api/dead/{letter['id'].replace('/', '%2F')}/resend"
    assert (await ask(http, asked, {}, path=path))[0] == 202
    assert (await ask(http, asked, {}, path="/api/dead/nothing/resend"))[0] == 404
    assert asked.letters == [letter["id"], "nothing"]


async def test_a_stream_gives_the_whole_board_and_then_what_changes(asked, http):
    async with http.get(asked.url + "/api/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert (await news_of(stream))["whole"]
        alert = story.raised(story.days_of(story.PLACES[2])[-1], Severity.CRITICAL, 1)
        asked.board.alert(alert)
        news = await asyncio.wait_for(news_of(stream), 10)
    assert [item["id"] for item in news["alerts"]] == [alert.alert_id]
    assert not news["whole"]


async def test_two_streams_that_began_at_different_versions_end_at_the_same(asked, http):
    async with http.get(asked.url + "/api/events") as first:
        await news_of(first)
        asked.board.alert(story.raised(story.days_of(story.PLACES[2])[-1], Severity.CRITICAL, 1))
        async with http.get(asked.url + "/api/events") as second:
            version = (await news_of(second))["version"]
            assert (await asyncio.wait_for(news_of(first), 10))["version"] == version


async def news_of(stream):
    async for line in stream.content:
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    raise AssertionError("the stream ended")


async def test_every_answer_forbids_foreign_content_and_has_no_secret(asked, http):
    files = ["/", *(f"/console/{name}" for name in KINDS if name != "index.html")]
    for path in (*files, "/api/board", "/api/alerts", "/api/forms", "/metrics"):
        async with http.get(asked.url + path) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert TOKEN not in await answer.text()


async def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script(asked, http):
    async with http.get(asked.url + "/") as answer:
        page = await answer.text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    for forbidden in ("https://", "<script>", " style=", " onclick="):
        assert forbidden not in page


async def test_an_alert_is_found_by_a_unique_beginning_of_its_id(asked, http):
    alert = next(story.alerts())
    for prefix in (alert.alert_id, alert.alert_id[:8]):
        async with http.get(f"{asked.url}/api/alerts/{prefix}") as answer:
            assert (await answer.json())["alert_id"] == alert.alert_id
    async with http.get(f"{asked.url}/api/alerts/nothing") as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "no alert 'nothing'"})


async def test_all_alerts_of_the_board_are_listed(asked, http):
    async with http.get(f"{asked.url}/api/alerts") as answer:
        listed = {alert["alert_id"] for alert in await answer.json()}
    assert listed == {alert.alert_id for alert in story.alerts()}


@pytest.mark.parametrize("path", ["/", "/api/board", "/api/alerts", "/metrics", "/console/console.js"])
async def test_under_a_foreign_host_name_nothing_is_read(asked, http, path):
    hosts = {
        "evil.example": 421,
        "[::1": 421,
        "": 421,
        "console.example": 200,
        "CONSOLE.example:80": 200,
        "localhost:9102": 200,
        "10.1.2.3:9102": 200,
        "[::1]:9102": 200,
    }
    for host, status in hosts.items():
        async with http.get(asked.url + path, headers={"Host": host}) as answer:
            assert answer.status == status, host


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_are_answered_under_any_host(asked, http, path):
    async with http.get(asked.url + path, headers={"Host": "pod-7.any"}) as answer:
        assert answer.status == 200


async def test_the_forms_list_what_may_be_asked_and_the_names_to_choose_from(asked, http):
    async with http.get(asked.url + "/api/forms") as answer:
        described = await answer.json()
    kinds = ["acknowledge", "silence", "policy", "capacity", "sensitivity", "route", "withdraw"]
    assert [form["kind"] for form in described["forms"]] == kinds
    assert "swanton" in described["names"]["sectors"]
