"""Mails: what is in them, and what cannot get into them."""

import email
import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest

from alerts.languages.language import language
from alerts.lifecycle.alert import Notice
from alerts.notices.links import Links
from alerts.sinks import Delivered, Mail, MailServer, Outcome, Refused, Retry
from alerts.sinks.mail.sink import MailSink, subject
from streams.contract.verdicts import Contribution
from tests.alerts.sinks.test_sinks import FIRST, NOW, RESOLVED, notice

SINK = MailSink(
    "list",
    MailServer("smtp.example.org", 587),
    "surgewatch@example.org",
    ("shift@example.org", "lead@example.org"),
    Links("https://console.example/", "https://grafana.example"),
)
HOSTILE = "x\r\nBcc: evil@example.org\r\n\r\n<script>alert(1)</script><img src=x onerror=y>&\u2028z"


def parsed(mail: Mail) -> EmailMessage:
    message = email.message_from_bytes(mail.message, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


class Page(HTMLParser):
    """The tags of a page, its links and its bars; raises on a tag that is closed out of order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.bars: list[int] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        given = dict(attrs)
        if "bgcolor" in given:
            self.bars.append(int(given["height"] or 0))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_mail_has_a_plain_and_an_html_part_with_what_was_seen_and_expected() -> None:
    message = parsed(SINK.request(FIRST, NOW))
    assert message.get_content_type() == "multipart/alternative"
    plain, page = part(message, "plain"), Page(part(message, "html"))
    for text in (plain, page.text):
        assert FIRST.headline in text
        assert "15 to 50" in text
    assert "https://grafana.example/d/runbook-surge" in plain
    assert message["To"] == "shift@example.org, lead@example.org"
    assert message["From"] == "Surgewatch <surgewatch@example.org>"


def test_the_chart_has_a_bar_for_each_period_as_high_as_its_count() -> None:
    page = Page(part(parsed(SINK.request(FIRST, NOW)), "html"))
    assert page.bars == [16] * 27 + [48]  # 30 people a day, then 90
    assert "img" not in page.tags
    assert "svg" not in page.tags


def test_all_mails_about_an_alert_are_one_thread_and_each_keeps_its_id_over_retries() -> None:
    first, again, over = (
        parsed(SINK.request(one, at)) for one, at in ((FIRST, NOW), (FIRST, NOW + 60), (RESOLVED, NOW + 99))
    )
    assert first["References"] == over["References"] == f"<{FIRST.alert.alert_id}@example.org>"
    assert first["Subject"] == over["Subject"] == "Surgewatch: Surge at Swanton, since 2023-01-01 00:00 UTC"
    assert first["Message-ID"] == again["Message-ID"] == f"<{FIRST.notice_id}@example.org>"
    assert first["Message-ID"] != over["Message-ID"]
    assert first["Date"] != again["Date"]


def hostile() -> Notice:
    made = notice(1, slices=(Contribution(name=f"citizenship={HOSTILE}", observed=40, expected=10),))
    update: dict[str, Any] = {"sector": HOSTILE, "subject": HOSTILE, "border": HOSTILE}
    return made.model_copy(update={"alert": made.alert.model_copy(update=update), "headline": HOSTILE})


@pytest.mark.parametrize("is_digest", [False, True])
def test_data_can_neither_add_a_header_nor_markup(is_digest: bool) -> None:
    made = SINK.digest([hostile()] * 2, NOW, HOSTILE) if is_digest else SINK.request(hostile(), NOW)
    message = parsed(made)
    assert "Bcc" not in message
    assert message.defects == []
    assert made.recipients == SINK.recipients
    page = Page(part(message, "html"))
    assert not {"script", "img"} & set(page.tags)
    assert "<script>" in page.text


def test_the_subject_is_one_line_whatever_the_data_are() -> None:
    header = SINK.request(hostile(), NOW).message.split(b"\r\n\r\n")[0].decode()
    assert not re.search(r"^Bcc", header, re.MULTILINE)
    assert "\u2028" in subject(hostile().alert)  # it was there, and is no longer
    assert "\u2028" not in parsed(SINK.request(hostile(), NOW))["Subject"]


@pytest.mark.parametrize("is_digest", [False, True])
def test_a_mail_in_any_language_is_ascii_so_that_every_server_takes_it(is_digest: bool) -> None:
    french = replace(SINK, language=language("fr"))
    one = french.request(FIRST, NOW)
    mail = french.digest([FIRST, RESOLVED], NOW, "1 alerte terminée") if is_digest else one
    assert mail.message.isascii()
    assert not part(parsed(mail), "plain").isascii()


def test_a_digest_has_a_line_for_each_alert_and_the_same_id_over_retries() -> None:
    notices = [RESOLVED, notice(1, observed=50), FIRST]
    one, again = (parsed(SINK.digest(notices, at, "2 alerts were over")) for at in (NOW, NOW + 60))
    assert one["Subject"] == "Surgewatch: 3 alerts: 1 critical, 1 warning, 1 over"
    assert one["Message-ID"] == again["Message-ID"]
    lines = part(one, "plain").splitlines()
    shown = [f"critical · {FIRST.headline}", f"warning · {notices[1].headline}", RESOLVED.headline]
    assert lines[2:6] == [*shown, "2 alerts were over"]
    assert all(line in part(one, "html") for line in shown)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (250, Delivered()),
        (421, Retry("smtp_421")),
        (450, Retry("smtp_450")),
        (535, Retry("smtp_535")),
        (550, Refused("smtp_550 no such user")),
    ],
)
def test_a_reply_is_read_by_its_code(code: int, outcome: Outcome) -> None:
    assert SINK.outcome(code, {}, b"no such\r\nuser") == outcome
