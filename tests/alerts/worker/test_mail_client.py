"""The mail client against a real SMTP server: what each answer, and each absence of one, is taken for."""

import email
import socket
from pathlib import Path
from typing import Literal

import pytest
import trustme
from pydantic import SecretStr

from alerts.sinks import Delivered, MailServer, Outcome, Refused, Retry
from alerts.sinks.mail.sink import MailSink
from alerts.worker.mail_client import send_mail
from tests.alerts.sinks.test_sinks import FIRST, NOW
from tests.alerts.worker.smtp_server import USER, Mailbox, serving


async def sent(sink: MailSink, seconds: float = 10.0) -> Outcome:
    return await send_mail(sink, sink.request(FIRST, NOW), seconds=seconds)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_reaches_a_server_over_tls_by_a_private_ca_and_with_a_login(
    tmp_path: Path, security: Literal["tls", "starttls"]
) -> None:
    mailbox = Mailbox()
    async with serving(mailbox, tmp_path, security) as server:
        assert await sent(server.sink()) == Delivered()
    (envelope,) = mailbox.envelopes
    assert mailbox.users == [USER]
    assert envelope.mail_from == "surgewatch@example.org"
    assert envelope.rcpt_tos == ["shift@example.org", "lead@example.org"]
    assert isinstance(envelope.content, bytes)
    assert email.message_from_bytes(envelope.content)["Message-ID"] == f"<{FIRST.notice_id}@example.org>"


async def test_a_mail_reaches_a_server_that_has_an_ipv6_address_alone(tmp_path: Path) -> None:
    mailbox = Mailbox()
    async with serving(mailbox, tmp_path, address="::1") as server:
        assert await sent(server.sink(host="::1")) == Delivered()
    assert mailbox.envelopes


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("451 4.3.0 try again later", Retry("smtp_451")),
        ("552 5.2.3 too big", Refused("smtp_552 5.2.3 too big")),
    ],
)
async def test_a_mail_that_is_put_off_is_tried_again_and_one_that_is_refused_is_not(
    tmp_path: Path, reply: str, outcome: Outcome
) -> None:
    mailbox = Mailbox(reply=reply)
    async with serving(mailbox, tmp_path) as server:
        assert await sent(server.sink()) == outcome
    assert mailbox.envelopes == []


async def test_a_server_that_hangs_after_the_text_may_have_it(tmp_path: Path) -> None:
    async with serving(Mailbox(hang_seconds=30), tmp_path) as server:
        assert await sent(server.sink(), seconds=1.0) == Retry("timeout", unanswered=True)


async def test_a_server_that_hangs_before_it_has_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sink = MailSink(
            "list",
            MailServer("127.0.0.1", listener.getsockname()[1]),
            "a@example.org",
            ("b@example.org",),
            private=True,
        )
        assert await sent(sink, seconds=0.3) == Retry("timeout")


async def test_one_refused_recipient_keeps_the_mail_from_nobody_else(tmp_path: Path) -> None:
    mailbox = Mailbox(recipient_replies={"shift@example.org": "450 mailbox busy"})
    async with serving(mailbox, tmp_path) as server:
        assert await sent(server.sink()) == Delivered()
    assert [one.rcpt_tos for one in mailbox.envelopes] == [["lead@example.org"]]


@pytest.mark.parametrize(
    ("second", "outcome"),
    [("452 full", Retry("smtp_452")), ("550 unknown", Refused("smtp_550 unknown"))],
)
async def test_where_all_recipients_are_refused_it_is_tried_again_if_one_of_them_may_pass(
    tmp_path: Path, second: str, outcome: Outcome
) -> None:
    replies = {"shift@example.org": "550 unknown", "lead@example.org": second}
    async with serving(Mailbox(recipient_replies=replies), tmp_path) as server:
        assert await sent(server.sink()) == outcome


async def test_a_wrong_password_may_be_corrected(tmp_path: Path) -> None:
    async with serving(Mailbox(), tmp_path) as server:
        assert await sent(server.sink(password=SecretStr("wrong"))) == Retry("smtp_535")


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_nothing_is_sent_to_a_server_that_cannot_prove_its_name(
    tmp_path: Path, security: Literal["tls", "starttls"]
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    mailbox = Mailbox()
    async with serving(mailbox, tmp_path, security) as server:
        assert await sent(server.sink(ca_file=other)) == Retry("bad_certificate")
        assert await sent(server.sink(host="127.0.0.1")) == Retry("bad_certificate")
    assert mailbox.users == []


async def test_a_server_that_takes_no_login_is_named_as_such(tmp_path: Path) -> None:
    without = {"authenticator": None, "auth_required": False, "auth_exclude_mechanism": ["LOGIN", "PLAIN"]}
    async with serving(Mailbox(), tmp_path, **without) as server:
        assert await sent(server.sink()) == Retry("no_login")


async def test_neither_password_nor_mail_is_sent_without_tls(tmp_path: Path) -> None:
    mailbox = Mailbox()
    plain = {"tls_context": None, "require_starttls": False, "auth_require_tls": False}
    async with serving(mailbox, tmp_path, **plain) as server:
        assert await sent(server.sink()) == Retry("no_starttls")
    assert mailbox.users == []


async def test_a_private_address_is_refused_where_it_was_not_allowed(tmp_path: Path) -> None:
    mailbox = Mailbox()
    async with serving(mailbox, tmp_path) as server:
        for host in ("127.0.0.1", "localhost", "0x7f000001", "127.1"):
            assert await sent(server.sink(host=host, private=False)) == Refused("private_address")
    assert mailbox.users == []


async def test_where_nobody_is_it_was_not_sent() -> None:
    sink = MailSink("list", MailServer("127.0.0.1", 9), "a@example.org", ("b@example.org",), private=True)
    assert await sent(sink) == Retry("no_connection")
