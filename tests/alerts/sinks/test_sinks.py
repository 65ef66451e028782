"""Sinks: what is sent, and what the answer means."""

import datetime as dt
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from alerts.lifecycle.alert import Notice
from alerts.notices.links import NOWHERE, Links
from alerts.sinks import Delivered, Outcome, Refused, Request, Retry, http_outcome
from alerts.sinks.alertmanager import AlertmanagerSink, labels
from alerts.sinks.pagerduty import PagerDutySink, page
from alerts.sinks.slack.block_kit import HEADER, LINES, SECTION, digest, message
from alerts.sinks.slack.webhook import SlackSink
from alerts.sinks.webhook import WebhookSink
from streams.contract.verdicts import Contribution
from streams.runtime.settings import LONGEST_URL
from surgewatch.harness.webhook_receiver import SECRET
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink

NOW = 1_800_000_000.0
NOON, LATER = "Thu, 01 Jan 2026 12:00:00 GMT", "Thu, 01 Jan 2026 12:01:30 GMT"
RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules" / "surges.yml"
MANAGER = AlertmanagerSink("am", "http://127.0.0.1:9093")


def notice(days: int = 1, **evidence: object) -> Notice:
    """The notice of an alert that has been in breach for a day, or is over after three calm ones."""
    desk, sent = OneSink(), []
    for day in range(days):
        sent += desk.judge(verdict(day, breach=day < 1, **evidence))  # type: ignore[arg-type]
    return sent[-1]


FIRST, RESOLVED = notice(1), notice(4)


def moment(epoch: float) -> str:
    return dt.datetime.fromtimestamp(epoch, dt.UTC).isoformat()


def _entries(request: Request) -> list[dict[str, Any]]:
    return list(json.loads(request.body))


def test_a_webhook_is_signed_so_that_the_standards_own_library_believes_it() -> None:
    sink = WebhookSink("hook", SecretStr("https://example.org/h"), SecretStr(SECRET))
    request = sink.request(FIRST, time.time())  # the library refuses what is five minutes old
    assert Notice.model_validate_json(request.body) == FIRST
    Webhook(SECRET).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)


def test_a_webhook_keeps_its_id_over_retries() -> None:
    sink = WebhookSink("hook", SecretStr("https://example.org/h"), SecretStr(SECRET))
    one, other = sink.request(FIRST, NOW), sink.request(FIRST, NOW + 60)
    assert one.headers["webhook-id"] == other.headers["webhook-id"] == FIRST.notice_id
    assert one.headers["webhook-timestamp"] != other.headers["webhook-timestamp"]


def test_no_secret_shows_in_a_sink_or_a_request() -> None:
    sinks = (
        WebhookSink("hook", SecretStr("https://example.org/secret-path"), SecretStr(SECRET)),
        SlackSink("slack", SecretStr("https://hooks.slack.com/secret-path")),
        PagerDutySink("duty", SecretStr("secret-key")),
    )
    shown = repr(sinks) + repr([sink.request(FIRST, NOW) for sink in sinks])
    assert "secret" not in shown.replace("secret=SecretStr", "")
    assert SECRET.removeprefix("whsec_") not in shown


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (204, {}, Delivered()),
        (301, {"Location": "http://10.0.0.1"}, Refused("redirect")),
        (400, {}, Refused("http_400")),
        (410, {}, Refused("gone", gone=True)),
        (429, {"Retry-After": "7"}, Retry("http_429", 7.0)),
        (500, {}, Retry("http_500")),
        (502, {}, Retry("http_502")),
        (504, {}, Retry("http_504", unanswered=True)),
        (429, {"Retry-After": "NaN"}, Retry("http_429")),
        (503, {"Retry-After": "soon"}, Retry("http_503")),
        (503, {"Retry-After": "9" * 400}, Retry("http_503", 86_400.0)),
        (503, {"Retry-After": "²"}, Retry("http_503")),
        (503, {"Retry-After": "0"}, Retry("http_503")),
        (503, {"Retry-After": "-5"}, Retry("http_503")),
        (503, {"Retry-After": LATER, "Date": NOON}, Retry("http_503", 90.0)),
        (503, {"Retry-After": NOON, "Date": LATER}, Retry("http_503")),
        (503, {"Retry-After": LATER}, Retry("http_503")),
        (503, {"Retry-After": LATER, "Date": "Thu, 01 Jan 2026 12:00:00 -0000"}, Retry("http_503")),
    ],
)
def test_an_answer_is_read_by_its_http_status(status: int, headers: dict[str, str], outcome: Outcome) -> None:
    assert http_outcome(status, headers) == outcome


def test_a_slack_message_holds_what_was_seen_expected_and_since_when() -> None:
    payload = json.dumps(message(FIRST))
    for part in ("Surge at Swanton", "90", "30 (15 to 50)", "2023-01-01", "by chance once in", "Haiti"):
        assert part in payload
    assert message(FIRST)["text"].startswith(FIRST.headline)


def test_a_slack_message_repeats_nothing_and_shows_its_state_in_the_first_line() -> None:
    blocks = [json.dumps(block, ensure_ascii=False) for block in message(FIRST)["blocks"]]
    assert [sum(what in block for block in blocks) for what in ("by chance", "2022-12-31", "█")] == [1, 1, 1]
    assert [message(one)["blocks"][0]["text"]["text"].split()[0] for one in (FIRST, RESOLVED)] == [
        ":red_circle:",
        ":white_check_mark:",
    ]


def test_a_slack_message_keeps_slacks_limits_whatever_its_text() -> None:
    long = notice(1, remark="<!channel> & " * 400)
    payload = message(long, Links("https://console.example", "https://grafana.example"))
    blocks = payload["blocks"]
    assert len(blocks) <= 50
    assert len(blocks[0]["text"]["text"]) <= HEADER
    assert all(
        len(block["text"]["text"]) <= SECTION
        for block in blocks
        if block["type"] == "section" and "text" in block
    )
    assert "<!channel>" not in json.dumps(payload)


HOSTILE = "<!channel> <https://evil.example|Open the console> & *bold* _it_ ~gone~ `code`"


def test_data_can_neither_mention_a_channel_nor_link_nor_format() -> None:
    hostile = notice(1, slices=(Contribution(name=f"citizenship={HOSTILE}", observed=40, expected=10),))
    for payload in (
        message(hostile),
        digest([hostile.model_copy(update={"headline": HOSTILE})], NOWHERE, HOSTILE),
    ):
        shown = json.dumps(payload)
        assert "<!" not in shown
        assert "<https://evil" not in shown
        assert payload["mrkdwn"] is False
        marked = [text for text in _texts(payload) if text["type"] == "mrkdwn"]
        assert not any(sign in text["text"] for text in marked for sign in ("*bold", "_it", "~gone", "`code"))
        assert all(text["verbatim"] for text in marked), "a bare address would become a link"


def _texts(part: Any) -> Iterator[dict[str, Any]]:
    """Every text object of a payload."""
    if isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "plain_text"):
            yield part
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)


def test_a_success_is_delivered_whatever_its_body_is() -> None:
    slack = SlackSink("slack", SecretStr("https://hooks.slack.com/x"))
    for sink in (slack, PagerDutySink("duty", SecretStr("key"))):
        for body in (b"channel_is_archived", b"", b"{", bytes(range(256))):
            assert sink.outcome(200, {}, body) == Delivered()


def test_a_page_is_resolved_under_the_key_it_was_triggered_with() -> None:
    sink = PagerDutySink("duty", SecretStr("key"))
    events = [json.loads(sink.request(one, NOW).body) for one in (FIRST, RESOLVED)]
    assert [event["event_action"] for event in events] == ["trigger", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1
    assert len(events[0]["payload"]["summary"]) <= 1024


def test_alertmanager_has_an_alert_under_the_labels_of_the_rules_and_is_sent_its_end() -> None:
    begun, over = (_entries(MANAGER.request(notice, NOW)) for notice in (FIRST, RESOLVED))
    rule = next(
        rule
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
        if rule.get("alert") == begun[0]["labels"]["alertname"]
    )
    shown = {"sector", "border", "question", "severity"}  # by `surgewatch:alerts:firing`
    assert begun[0]["labels"].keys() == {"alertname", *shown, *rule["labels"]}
    assert rule["labels"].items() <= begun[0]["labels"].items()
    assert begun[0]["labels"] == over[0]["labels"]
    assert begun[0]["endsAt"] == moment(NOW + 900)
    assert over[0]["endsAt"] == moment(NOW)


def test_alertmanager_is_sent_the_end_of_the_lesser_alert_when_it_got_worse() -> None:
    worse, *ended = _entries(MANAGER.request(notice(1, observed=500), NOW))
    assert worse["labels"]["severity"] == "critical"
    assert [entry["labels"]["severity"] for entry in ended] == ["info", "warning"]
    assert {entry["endsAt"] for entry in ended} == {moment(NOW)}


def test_each_post_keeps_an_alert_at_alertmanager_for_a_quarter_of_an_hour_more() -> None:
    later = NOW + 60
    (entry,) = _entries(MANAGER.standing([FIRST], later))
    assert entry["labels"] == labels(FIRST.alert)
    assert entry["endsAt"] == moment(later + 900)


def test_links_lead_to_the_console_the_dashboard_and_what_to_do() -> None:
    links = Links("https://console.example/", "https://grafana.example")
    alert = FIRST.alert
    assert [link.url for link in links.of(alert)] == [
        f"https://console.example/#alert-{alert.alert_id}",
        "https://grafana.example/d/surgewatch-sector?var-sector=swanton",
        "https://grafana.example/d/runbook-surge",
    ]
    assert "https://grafana.example/d/runbook-surge|what to do" in json.dumps(message(FIRST, links))
    assert page(FIRST, links)["links"][1]["text"] == "dashboard"
    assert list(NOWHERE.of(alert)) == []


def test_a_digest_has_a_line_for_each_alert_gravest_first_and_what_is_over_last() -> None:
    grave = notice(1, observed=500)
    payload = digest([_other(grave, "b"), RESOLVED, _other(grave, "c")], Links("https://console.example"))
    texts = [block["text"]["text"] for block in payload["blocks"] if "text" in block]
    assert texts[0] == "3 alerts: 2 critical, 1 over"
    lines = texts[1].splitlines()
    assert [line.split()[0] for line in lines] == [":red_circle:", ":red_circle:", ":white_check_mark:"]
    assert "<https://console.example#alert-b|Surge at Swanton: 500" in lines[0]


def test_a_digest_of_any_length_stays_within_what_slack_takes() -> None:
    notices = [notice(1).model_copy(update={"headline": "&" * 198 + f"{at:02x}"}) for at in range(200)]
    storm = [_other(one, f"{at:024x}") for at, one in enumerate(notices)]
    payload = digest(storm, Links("https://console.example.org/".ljust(LONGEST_URL, "c")))
    assert len(payload["text"]) <= SECTION
    assert len(payload["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= SECTION for block in payload["blocks"] if "text" in block)
    assert f"and {200 - LINES} more" in json.dumps(payload)


def _other(first: Notice, alert_id: str) -> Notice:
    return first.model_copy(update={"alert": first.alert.model_copy(update={"alert_id": alert_id})})
