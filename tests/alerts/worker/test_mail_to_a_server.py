"""Mails with the oddest data, as a real SMTP server receives them: whole, and with our headers alone."""

import email
import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from alerts.languages.language import language
from alerts.lifecycle.alert import Notice
from alerts.sinks import Delivered, Outcome, Refused, Retry
from alerts.worker.mail_client import send_mail
from tests.alerts.sinks.test_sinks import FIRST, NOW
from tests.alerts.worker.smtp_server import Mailbox, serving

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "In-Reply-To", "References"),
    *("Importance", "MIME-Version", "Content-Type"),
}
ODD = {
    "a line of 5,000": "x" * 5_000,
    "as long in French": "é" * 5_000,
    "dots that end a mail": ".\n..\n.\r\nRCPT TO:<evil@example.org>\r\n.QUIT",
    "control characters": "a\x00b\x07c\x1b[31m\x85\u2028d\x0bv",
    "bare returns": "a\rb\r\rc\nd",
    "another header": "x\r\nBcc: evil@example.org\r\n\r\nbody",
    "an encoded header": "=?utf-8?q?a?= =?us-ascii?q?=0d=0aBcc:evil@example.org?=",
    "an encoded body": "=?us-ascii?b?DQoNCmV2aWw=?=",
    "an encoded word in pieces": "=\x00?us-ascii?q?=0d=0aBcc:evil@example.org?=",
    "text from right to left": "\u202eevil\u202c \u200bzero",
    "pictures": "🛂" * 200,
    "a boundary": "--===============\r\n--",
    "nothing": "",
    "spaces": " " * 3_000,
}


def about(text: str) -> Notice:
    """A notice in which the data of a producer say this everywhere."""
    alert = FIRST.alert.model_copy(update={"sector": text, "subject": text, "border": text})
    return FIRST.model_copy(update={"alert": alert, "headline": text[:200], "text": text, "details": text})


def received(content: bytes | str | None) -> EmailMessage:
    assert isinstance(content, bytes)
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert content.isascii()
    message = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_whatever_the_data_are_the_mail_arrives_whole_and_has_our_headers_alone(
    tmp_path: Path, text: str, code: str
) -> None:
    mailbox = Mailbox()
    async with serving(mailbox, tmp_path) as server:
        sink = replace(server.sink(), language=language(code))
        for mail in (sink.request(about(text), NOW), sink.digest([about(text)] * 3, NOW, text)):
            assert await send_mail(sink, mail) == Delivered()
    one, digest = (received(envelope.content) for envelope in mailbox.envelopes)
    assert set(one.keys()) == HEADERS
    assert set(digest.keys()) == HEADERS - {"In-Reply-To", "References", "Importance"}
    for message, envelope in zip((one, digest), mailbox.envelopes, strict=True):
        plain = message.get_body(("plain",))
        assert plain is not None
        assert "".join(text.split())[:200] in "".join(str(plain.get_content()).split())
        assert len(str(message["Subject"]).splitlines()) == 1
        assert envelope.rcpt_tos == ["shift@example.org", "lead@example.org"]


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "551 user not local", "452 4.2.2 mailbox full"])
async def test_a_recipient_that_is_refused_keeps_the_mail_from_nobody_else(
    tmp_path: Path, reply: str
) -> None:
    mailbox = Mailbox(recipient_replies={"lead@example.org": reply})
    async with serving(mailbox, tmp_path) as server:
        sink = server.sink()
        assert await send_mail(sink, sink.request(FIRST, NOW)) == Delivered()
    assert [one.rcpt_tos for one in mailbox.envelopes] == [["shift@example.org"]]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("421 4.3.2 going down", Retry("smtp_421")),
        ("554-policy\r\n554 5.7.1 " + "x" * 300, Refused("smtp_554 policy 5.7.1 " + "x" * 87)),
    ],
)
async def test_a_reply_of_many_lines_is_one_line_of_the_dead_letter(
    tmp_path: Path, reply: str, outcome: Outcome
) -> None:
    mailbox = Mailbox(reply=reply)
    async with serving(mailbox, tmp_path) as server:
        sink = server.sink()
        assert await send_mail(sink, sink.request(FIRST, NOW)) == outcome
