"""The console over real HTTP: reading needs a known host, writing needs the token, and nothing leaks it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from aiokafka.errors import TopicAuthorizationFailedError

from alerts.console.files import KINDS
from alerts.lifecycle.alert import Severity
from tests import console_story as story
from tests.alerts.console.served import TOKEN, ServedConsole, opened

ACKNOWLEDGE = {"kind": "acknowledge", "alert_id": "", "by": "j.okafor", "reason": "known convoy"}


@pytest.fixture
async def served() -> AsyncIterator[ServedConsole]:
    async with opened() as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def post(http, served, body, *, token=TOKEN, path="/api/controls", **more):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **more}
    async with http.post(served.url + path, data=json.dumps(body), headers=headers) as answer:
        return answer.status, await answer.json()


def first_alert(served: ServedConsole) -> dict:
    """Acknowledge an alert that goes on; the board lists all in no order."""
    alerts = served.board.snapshot().as_json()["alerts"]
    return ACKNOWLEDGE | {"alert_id": next(one["id"] for one in alerts if one["state"] == "firing")}


async def test_a_control_that_the_broker_does_not_take_is_answered_503(served, http):
    """An ACL is missing, or the topic was deleted: the page has no part in that."""
    served.refusal = TopicAuthorizationFailedError("controls")
    status, answer = await post(http, served, first_alert(served))
    assert (status, answer["error"]) == (503, "the broker refuses it")
    served.refusal = None
    assert (await post(http, served, first_alert(served)))[0] == 202


async def test_what_is_asked_with_the_token_is_published(served, http):
    status, answer = await post(http, served, first_alert(served))
    assert (status, answer["status"]) == (202, "accepted")
    assert [control.by for control in served.controls] == ["j.okafor"]


@pytest.mark.parametrize("token", ["", "wrong", "correct-horse-batterz", "é"])
@pytest.mark.parametrize("path", ["/api/controls", "/api/dead/any/resend", "/api/nothing", "/"])
async def test_authentication_comes_first_for_whatever_is_written(served, http, token, path):
    status, answer = await post(http, served, first_alert(served), token=token, path=path)
    assert (status, served.controls, served.letters) == (401, [], [])
    assert TOKEN not in answer["error"]


async def test_a_form_of_another_site_cannot_write(served, http):
    text = {"Content-Type": "text/plain"}
    assert (await post(http, served, first_alert(served), **text))[0] == 415
    async with http.post(served.url + "/api/controls", data=first_alert(served)) as answer:
        assert answer.status == 401
    assert served.controls == []


async def test_without_a_token_in_the_settings_writing_is_off(http):
    async with opened(token=None) as served:
        status, answer = await post(http, served, first_alert(served), token="None")
    assert (status, answer["error"]) == (403, "writing is off: SURGEWATCH_CONSOLE_TOKEN is not set")


async def test_a_request_that_makes_no_sense_is_refused_with_a_sentence(served, http):
    silence = {"kind": "silence", "sector": "swantn", "hours": 8, "by": "anna", "reason": "drill"}
    status, answer = await post(http, served, silence)
    assert (status, answer["error"]) == (422, "unknown sector 'swantn'; nearest known: swanton")
    assert served.controls == []


async def test_a_silence_lasts_by_the_brokers_time_whatever_the_clock_of_this_machine_shows(served, http):
    served.now = lambda: 1_900_000_000.0
    silence = {"kind": "silence", "sector": "swanton", "hours": 8, "by": "anna", "reason": "drill"}
    assert (await post(http, served, silence))[0] == 202
    (control,) = served.controls
    assert (control.at.timestamp(), control.until.timestamp()) == (1_900_000_000, 1_900_000_000 + 8 * 3600)


async def test_a_body_that_is_too_long_is_refused(served, http):
    status, _ = await _status_of(http, served, "x" * 20_000)
    assert status == 413


async def _status_of(http, served, text):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    async with http.post(served.url + "/api/controls", data=text, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_dead_letter_is_sent_again_by_its_id(served, http):
    (letter,) = served.board.snapshot().as_json()["dead"]
    path = f"/api/dead/{letter['id'].replace('/', '%2F')}/resend"
    assert (await post(http, served, {}, path=path))[0] == 202
    assert (await post(http, served, {}, path="/api/dead/nothing/resend"))[0] == 404
    assert served.letters == [letter["id"], "nothing"]


async def test_a_stream_gives_the_whole_board_and_then_what_changes(served, http):
    async with http.get(served.url + "/api/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert (await news_of(stream))["whole"]
        alert = story.raised(story.days_of(story.PLACES[2])[-1], Severity.CRITICAL, 1)
        served.board.alert(alert)
        news = await asyncio.wait_for(news_of(stream), 10)
    assert [item["id"] for item in news["alerts"]] == [alert.alert_id]
    assert not news["whole"]


async def test_two_streams_that_began_at_different_versions_end_at_the_same(served, http):
    async with http.get(served.url + "/api/events") as first:
        await news_of(first)
        served.board.alert(story.raised(story.days_of(story.PLACES[2])[-1], Severity.CRITICAL, 1))
        async with http.get(served.url + "/api/events") as second:
            version = (await news_of(second))["version"]
            assert (await asyncio.wait_for(news_of(first), 10))["version"] == version


async def news_of(stream):
    async for line in stream.content:
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    raise AssertionError("the stream ended")


async def test_every_answer_forbids_foreign_content_and_has_no_secret(served, http):
    files = ["/", *(f"/console/{name}" for name in KINDS if name != "index.html")]
    for path in (*files, "/api/board", "/api/alerts", "/api/forms", "/metrics"):
        async with http.get(served.url + path) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert TOKEN not in await answer.text()


async def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script(served, http):
    async with http.get(served.url + "/") as answer:
        page = await answer.text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    for forbidden in ("https://", "<script>", " style=", " onclick="):
        assert forbidden not in page


async def test_an_alert_is_found_by_a_unique_beginning_of_its_id(served, http):
    alert = next(story.alerts())
    for prefix in (alert.alert_id, alert.alert_id[:8]):
        async with http.get(f"{served.url}/api/alerts/{prefix}") as answer:
            assert (await answer.json())["alert_id"] == alert.alert_id
    async with http.get(f"{served.url}/api/alerts/nothing") as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "no alert 'nothing'"})


async def test_all_alerts_of_the_board_are_listed(served, http):
    async with http.get(f"{served.url}/api/alerts") as answer:
        listed = {alert["alert_id"] for alert in await answer.json()}
    assert listed == {alert.alert_id for alert in story.alerts()}


@pytest.mark.parametrize("path", ["/", "/api/board", "/api/alerts", "/metrics", "/console/console.js"])
async def test_under_a_foreign_host_name_nothing_is_read(served, http, path):
    hosts = {
        "evil.example": 421,
        "[::1": 421,
        "": 421,
        "evil.example@localhost": 421,
        "localhost/evil.example": 421,
        "localhost#evil.example": 421,
        "localhost?evil.example": 421,
        "localhost:evil": 421,
        "[fe80::1%25evil]": 421,
        "console.example": 200,
        "CONSOLE.example:80": 200,
        "localhost:9102": 200,
        "10.1.2.3:9102": 200,
        "[::1]:9102": 200,
    }
    for host, status in hosts.items():
        async with http.get(served.url + path, headers={"Host": host}) as answer:
            assert answer.status == status, host


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/readyz/worker"])
async def test_probes_are_answered_under_any_host(served, http, path):
    async with http.get(served.url + path, headers={"Host": "pod-7.any"}) as answer:
        assert answer.status == 200


async def test_the_forms_list_what_may_be_asked_and_the_names_to_choose_from(served, http):
    async with http.get(served.url + "/api/forms") as answer:
        described = await answer.json()
    kinds = ["acknowledge", "silence", "policy", "capacity", "sensitivity", "route", "withdraw"]
    assert [form["kind"] for form in described["forms"]] == kinds
    assert "swanton" in described["names"]["sectors"]
