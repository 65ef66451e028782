"""The message of a Slack app: what it shows of an alert, its buttons, and the replies."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle.alert import Assessment, Notice, Reason
from alerts.notices.links import Links
from alerts.sinks.slack.app import content, reply
from alerts.sinks.slack.clicks import click
from streams.contract.questions import Question
from streams.contract.verdicts import Contribution
from tests.alerts.made import FIRST_DAY, verdict
from tests.alerts.one_sink import OneSink
from tests.slack_server import buttons

LINKS = Links("https://console.example/", "https://grafana.example")


def notice(**evidence: object) -> Notice:
    """The first notice of an alert."""
    (sent,) = OneSink().judge(verdict(0, breach=True, **evidence))  # type: ignore[arg-type]
    return sent


FIRST = notice()


def marked(**marks: object) -> Notice:
    """A later edit of the message, with marks on the alert."""
    return FIRST.model_copy(update={"reason": Reason.UPDATED, "alert": FIRST.alert.model_copy(update=marks)})


def test_a_standing_alert_has_buttons_and_one_that_is_over_can_be_opened() -> None:
    over = FIRST.model_copy(update={"reason": Reason.RESOLVED})
    assert [one["action_id"] for one in buttons(content(FIRST, LINKS))] == [
        "take",
        "silence",
        "not_a_surge",
        "bad_data",
        "open",
    ]
    (left,) = buttons(content(over, LINKS))
    assert left["url"] == LINKS.alert(FIRST.alert)
    assert buttons(content(over)) == []


def test_where_data_are_missing_nobody_is_asked_what_they_show() -> None:
    silence = notice(question=Question.SILENCE, source="customs", no_data_since=FIRST_DAY)
    assert [one["action_id"] for one in buttons(content(silence))] == ["take", "silence"]


@pytest.mark.parametrize(
    ("marks", "shown"),
    [
        ({"acknowledged_by": "anna"}, "anna takes care of it."),
        (
            {"acknowledged_by": "anna", "assessment": Assessment.BAD_DATA},
            "anna marked it as bad data.",
        ),
        (
            {"acknowledged_by": "anna", "assessment": Assessment.NOT_A_SURGE},
            "anna marked it as not a surge.",
        ),
        ({"silenced_by": "boris"}, "Silenced by boris."),
    ],
)
def test_the_message_shows_who_has_acknowledged_or_silenced_it(marks: dict[str, object], shown: str) -> None:
    texts = json.dumps(content(marked(**marks)))
    assert shown in texts
    assert (":eyes:" in texts) == ("acknowledged_by" in marks)


HOSTILE = "<!channel> <https://evil.example|Open> & *bold* _it_ ~gone~ `code`"


def test_data_can_neither_mention_a_channel_nor_link_nor_format() -> None:
    bad = notice(slices=(Contribution(name=f"citizenship={HOSTILE}", observed=40, expected=10),))
    bad = bad.model_copy(update={"alert": bad.alert.model_copy(update={"silenced_by": HOSTILE})})
    for payload in (content(bad, LINKS), reply(bad.model_copy(update={"details": HOSTILE}))):
        assert "<!" not in json.dumps(payload)
        assert "<https://evil" not in json.dumps(payload)


NAMES = st.sampled_from(("type", "user", "channel", "id", "actions", "action_id", "value", "action_ts"))
LEAVES = st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(("block_actions", "take"))
PAYLOADS = st.recursive(LEAVES, lambda one: st.lists(one, max_size=2) | st.dictionaries(NAMES, one))


@given(PAYLOADS)
def test_whatever_slack_sends_is_read_or_passed_over(payload: Any) -> None:
    found = click(payload)
    assert found is None or found == click(payload)
