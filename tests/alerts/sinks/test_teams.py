"""Teams: cards of the documented shape, with data as plain text, within the size that Teams takes."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from alerts.notices.links import Links
from alerts.sinks import Delivered, Outcome, Refused, Request, Retry
from alerts.sinks.teams import LINES, SIZE, TeamsSink
from streams.contract.verdicts import Contribution
from tests.alerts.sinks.test_sinks import FIRST, NOW, RESOLVED, notice

LINKS = Links("https://console.example/", "https://grafana.example")
SINK = TeamsSink("teams", SecretStr("https://example.org/workflows/secret"), LINKS)
HOSTILE = "**bold** [link](https://evil.example) <at>all</at> {{DATE(2023-01-01T00:00:00Z)}} ${x} # `code`"

# The elements of Adaptive Cards 1.4 that are used, as adaptivecards.io/explorer documents them.
ACTION = {
    "type": "object",
    "required": ["type", "url"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "Action.OpenUrl"},
        "title": {"type": "string"},
        "url": {"type": "string", "pattern": "^https://"},
    },
}
TEXT_RUN = {
    "type": "object",
    "required": ["type", "text"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "TextRun"},
        "text": {"type": "string"},
        "weight": {"enum": ["Default", "Lighter", "Bolder"]},
        "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
        "isSubtle": {"type": "boolean"},
        "selectAction": ACTION,
    },
}
RICH_TEXT = {
    "type": "object",
    "required": ["type", "inlines"],
    "additionalProperties": False,
    "properties": {"type": {"const": "RichTextBlock"}, "inlines": {"type": "array", "items": TEXT_RUN}},
}
CONTAINER = {
    "type": "object",
    "required": ["type", "items"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "Container"},
        "style": {"enum": ["default", "emphasis", "good", "attention", "warning", "accent"]},
        "bleed": {"type": "boolean"},
        "items": {"type": "array", "items": RICH_TEXT},
    },
}
CARD = {
    "type": "object",
    "required": ["type", "version", "body"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
        "type": {"const": "AdaptiveCard"},
        "version": {"const": "1.4"},
        "fallbackText": {"type": "string"},
        "msteams": {"const": {"width": "Full"}},
        "body": {"type": "array", "items": {"oneOf": [CONTAINER, RICH_TEXT]}},
        "actions": {"type": "array", "items": ACTION, "maxItems": 6},
    },
}
MESSAGE = {
    "type": "object",
    "required": ["type", "attachments"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["contentType", "contentUrl", "content"],
                "additionalProperties": False,
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": CARD,
                },
            },
        },
    },
}


def card_of(request: Request) -> dict[str, Any]:
    """The card of a message that has the documented shape and size."""
    message = json.loads(request.body)
    jsonschema.validate(message, MESSAGE)
    assert len(request.body) <= SIZE
    return dict(message["attachments"][0]["content"])


def texts(part: Any) -> Iterator[str]:
    """Every text run."""
    if isinstance(part, dict):
        if part.get("type") == "TextRun":
            yield part["text"]
        for value in part.values():
            yield from texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)


def test_a_card_holds_what_was_seen_expected_and_since_when_and_its_actions_open_the_console() -> None:
    made = card_of(SINK.request(FIRST, NOW))
    shown = "\n".join(texts(made))
    for part in (FIRST.headline, "30 (15 to 50)", FIRST.since, "by chance once in", "Haiti"):
        assert part in shown
    assert [action["title"] for action in made["actions"]] == ["console", "dashboard", "what to do"]
    assert made["actions"][0]["url"] == f"https://console.example/#alert-{FIRST.alert.alert_id}"
    assert made["body"][0]["style"] == "attention"
    assert card_of(SINK.request(RESOLVED, NOW))["body"][0]["style"] == "good"


def test_data_is_in_text_runs_alone_and_calls_no_function() -> None:
    hostile = notice(1, slices=(Contribution(name=f"citizenship={HOSTILE}", observed=40, expected=10),))
    hostile = hostile.model_copy(update={"headline": HOSTILE})
    for request in (SINK.request(hostile, NOW), SINK.digest([hostile], NOW, HOSTILE)):
        made = card_of(request)
        assert "{{" not in json.dumps(made)
        assert any("**bold**" in text for text in texts(made))
        without = json.dumps({name: value for name, value in made.items() if name != "body"})
        assert "bold" not in without


@pytest.mark.parametrize(
    "text", ["x" * 9_000, "🛂" * 9_000, '"\\\n' * 9_000], ids=["long", "wide", "escaped"]
)
def test_a_card_is_never_larger_than_teams_takes(text: str) -> None:
    large = notice(1, remark=text).model_copy(update={"headline": text[:200]})
    card_of(SINK.request(large, NOW))
    made = card_of(SINK.digest([large] * 200, NOW, text))
    assert len(made["body"]) > LINES // 2


def test_a_digest_has_a_line_for_each_alert_that_opens_it_gravest_first() -> None:
    grave, light = notice(1, observed=500), notice(1, observed=50)
    made = card_of(SINK.digest([RESOLVED, light, grave] * 10, NOW, "3 alerts were over"))
    lines = list(texts(made))
    assert lines[0] == "30 alerts: 10 critical, 10 warning, 10 over"
    assert lines[1:12] == [f"critical · {grave.headline}"] * 10 + [f"warning · {light.headline}"]
    assert lines[-2:] == [f"and {30 - LINES} more", "3 alerts were over"]
    target = made["body"][1]["inlines"][0]["selectAction"]["url"]
    assert target == f"https://console.example/#alert-{grave.alert.alert_id}"


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (202, {}, Delivered()),
        (404, {}, Refused("gone", gone=True)),
        (413, {}, Refused("http_413")),
        (429, {"Retry-After": "17"}, Retry("http_429", 17.0)),
        (502, {}, Retry("http_502")),
    ],
)
def test_an_answer_is_read_by_its_status(status: int, headers: dict[str, str], outcome: Outcome) -> None:
    assert SINK.outcome(status, headers, b"") == outcome


def test_the_webhooks_address_is_not_shown() -> None:
    assert "secret" not in repr(SINK).replace("SecretStr", "") + repr(SINK.request(FIRST, NOW))
