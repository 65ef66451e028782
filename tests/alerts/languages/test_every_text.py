"""Every text of every notice, in every sink, goes through the catalogue: none has words of its own."""

import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from pydantic import SecretStr

from alerts.languages.language import Code, language
from alerts.lifecycle.alert import Alert, Assessment, Notice, Reason, Severity, State
from alerts.notices.backlog import Summary
from alerts.notices.clauses import WITH_FIGURES, WITHOUT_FIGURES, clause
from alerts.notices.links import Links
from alerts.notices.messages import Message, View
from alerts.notices.notices import compose, summary_line
from alerts.notices.trial import trial_notices
from alerts.sinks import Digests, Mail, MailServer, Posting, Push, Request, Sink
from alerts.sinks.alertmanager import AlertmanagerSink
from alerts.sinks.apprise import AppriseSink
from alerts.sinks.mail.sink import MailSink
from alerts.sinks.pagerduty import PagerDutySink
from alerts.sinks.slack.app import SlackApp, SlackAppSink
from alerts.sinks.slack.clicks import refusal
from alerts.sinks.slack.webhook import SlackSink
from alerts.sinks.teams import FALLBACK, TeamsSink
from streams.contract.sectors import registry
from streams.contract.verdicts import Contribution, Question, Verdict
from tests.alerts.languages.pseudo import PSEUDO, readable
from tests.alerts.made import FIRST_DAY, verdict

REGISTRY = registry()
NOW = FIRST_DAY.timestamp()
DATA = {
    *("swanton", "northern", "citizenship", "haiti", "anna", "utc", "est", "edt", "tucson", "del", "rio"),
    *("customs", "yuma", "laredo", "surgewatch", "test", "and"),  # Babel puts the "and" into lists
}
CLAUSES = (
    "level times 1.80 for 30 days",
    "12 in the hour to 14:00, where 3.5 are expected",
    "highest before: 31",
    "5 fewer here, 6 more at del-rio and yuma",
    "upstream del-rio led by 9 days",
    "together: del-rio, yuma",
    "more family units and unaccompanied minors among them",
    "regression over 700 days",
    "regression over 700 days, steps at 2 dates",
    "prior of 3 like sectors",
    "prior of 3 like sectors and 40 days",
)
EVIDENCE: tuple[dict[str, Any], ...] = (
    {"share_reported": 0.5, "last_as_high": FIRST_DAY},
    {"record": True, "capacity": 8, "full_at": FIRST_DAY},
    {"capacity": 500, "no_data_since": FIRST_DAY - dt.timedelta(days=5)},
    {"no_data_since": FIRST_DAY - dt.timedelta(hours=5), "source": "customs"},
    {
        "neighbours": tuple(
            Contribution(name=name, observed=9, expected=2)
            for name in ("tucson", "del-rio", "yuma", "laredo")
        )
    },
)
LINKS = Links("https://console.example/", "https://grafana.example")
URL = SecretStr("https://hooks.example/x")


def alert(question: Question, state: State, evidence: dict[str, Any]) -> Alert:
    found: Verdict = verdict(1, breach=True, question=question, closed=False, **evidence)
    return Alert(
        alert_id="1" * 24,
        question_key="key",
        question=question,
        sector="swanton",
        border="northern",
        state=state,
        severity=Severity.CRITICAL,
        onset=FIRST_DAY,
        updated=FIRST_DAY,
        worst=found,
        latest=found,
        acknowledged_by="Anna",
    )


def messages() -> Iterator[Message]:
    """Every question, with each kind of evidence, for every reason and state."""
    for question, evidence, reason in itertools.product(Question, EVIDENCE, Reason):
        state = State.RESOLVED if reason is Reason.RESOLVED else State.FIRING
        about = alert(question, state, evidence)
        view = View(
            alert=about,
            severity=Severity.CRITICAL,
            acknowledged_by="Anna",
            silenced_by="Anna",
            silenced_until=NOW,
            unattended_since=NOW if reason is Reason.UNANSWERED else 0.0,
            assessment=Assessment.BAD_DATA if question is Question.SURGE else None,
        )
        for handed_over in (False, True):
            yield Message(reason=reason, handed_over=handed_over, before=about, view=view)


def notices() -> list[Notice]:
    return [compose(message, REGISTRY, PSEUDO) for message in messages()]


SINKS: tuple[Sink, ...] = (
    AlertmanagerSink("s", "https://alertmanager.example", LINKS, language=PSEUDO),
    AppriseSink("s", SecretStr("ntfys://ntfy.example/x"), LINKS, language=PSEUDO),
    MailSink("s", MailServer("mail.example", 587), "a@b.example", ("c@d.example",), LINKS, language=PSEUDO),
    PagerDutySink("s", SecretStr("key"), links=LINKS, language=PSEUDO),
    SlackAppSink("s", SlackApp(SecretStr("xoxb-1"), SecretStr("xapp-1")), "C1", LINKS, language=PSEUDO),
    SlackSink("s", URL, LINKS, language=PSEUDO),
    TeamsSink("s", URL, LINKS, language=PSEUDO),
)
SHOWN = {"text", "title", "summary", "description", "fallbackText"}


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Yield the texts of a JSON value that people read."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item, key)
    elif isinstance(value, str) and key in SHOWN:
        yield re.sub(r":\w+:|<https?://[^|>]*\|", "", value)  # emoji, and the address of a link


def sent(request: object) -> Iterator[str]:
    """Yield what people read of a request."""
    match request:
        case Push(_, title, body):
            yield from (title, re.sub(r"https?://\S+", "", body))
        case Posting(content=content, reply=reply):
            yield from texts([content, reply])
        case Mail(message=message):
            mail = message_from_bytes(message, policy=SMTP)
            yield mail["Subject"]
            for kind in ("plain", "html"):
                part = mail.get_body((kind,))
                text = part.get_content() if part else ""
                yield re.sub(r"https?://\S+", "", re.sub(r"<[^>]*>|&\w+;", " ", text))
        case Request(body=body):
            yield from texts(json.loads(body))


def test_no_notice_has_words_that_the_catalogue_does_not_have() -> None:
    for notice in notices():
        found = "\n".join((notice.headline, notice.text, notice.details, notice.since, notice.as_of))
        assert readable(found, DATA) == set(), found


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: type(sink).__name__)
def test_no_sink_adds_words_that_the_catalogue_does_not_have(sink: Sink) -> None:
    for notice in notices()[::7]:
        for text in sent(sink.request(notice, NOW)):
            assert readable(text, DATA) == set(), text


@pytest.mark.parametrize(
    "sink", [one for one in SINKS if isinstance(one, Digests)], ids=lambda one: type(one).__name__
)
def test_no_digest_adds_words_that_the_catalogue_does_not_have(sink: Digests) -> None:
    summary = summary_line(Summary(2, FIRST_DAY, FIRST_DAY, until=NOW), NOW + 9e5, PSEUDO)
    for many in (notices()[:40], []):
        for text in sent(sink.digest(many, NOW, summary)):
            assert readable(text, DATA) == set(), text


def test_a_test_page_and_the_answers_to_clicks_are_in_the_catalogue() -> None:
    for notice in trial_notices(FIRST_DAY, PSEUDO):
        assert readable(f"{notice.headline} {notice.text} {notice.since}", DATA) == set()
    over = alert(Question.SURGE, State.RESOLVED, {})
    assert readable(refusal(None, PSEUDO) + refusal(over, PSEUDO), DATA) == set()


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: type(sink).__name__)
def test_a_test_page_is_marked_as_one_in_the_title_of_every_sink(sink: Sink) -> None:
    opened, _ = trial_notices(FIRST_DAY, PSEUDO)
    title, *_ = (text for text in sent(sink.request(opened, NOW)) if text != PSEUDO.gettext(FALLBACK))
    assert opened.label.strip() in title


@pytest.mark.parametrize("text", [*CLAUSES, *WITHOUT_FIGURES])
def test_a_clause_of_a_verdict_is_in_the_catalogue(text: str) -> None:
    assert readable(clause(text, PSEUDO), DATA) == set()


def test_every_form_of_a_clause_is_among_those_tested() -> None:
    for pattern in WITH_FIGURES:
        assert any(re.fullmatch(pattern, text) for text in CLAUSES), pattern


def test_a_clause_that_is_not_known_stays_as_it_is() -> None:
    assert clause("a clause of a newer version", PSEUDO) == "a clause of a newer version"


@pytest.mark.parametrize("code", ["fr", "es"])
def test_a_headline_fits_in_every_language(code: Code) -> None:
    for message in messages():
        assert len(compose(message, REGISTRY, language(code)).headline) < 200
