"""A real SMTP server (aiosmtpd) for tests, with TLS by a private CA and faults on demand."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from alerts.sinks import MailServer
from alerts.sinks.mail.sink import MailSink
from tests.plain_authority import PlainAuthority

USER, PASSWORD = "surgewatch", "correct-horse"


@dataclass
class Mailbox:
    """What the server has taken, and how it answers."""

    recipient_replies: dict[str, str] = field(default_factory=dict)
    reply: str = "250 OK"
    hang_seconds: float = 0.0
    envelopes: list[Envelope] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.recipient_replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.hang_seconds)
        if self.reply.startswith("250"):
            self.envelopes.append(envelope)
        return self.reply

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        if is_right:
            self.users.append(data.login.decode())
        return AuthResult(success=is_right, handled=False)


@dataclass
class Served:
    """A server that runs."""

    port: int
    ca_file: Path
    security: Literal["tls", "starttls"]

    def sink(self, *, host: str = "localhost", private: bool = True, **server: Any) -> MailSink:
        given: dict[str, Any] = {
            "security": self.security,
            "username": SecretStr(USER),
            "password": SecretStr(PASSWORD),
            "ca_file": self.ca_file,
            **server,
        }
        recipients = ("shift@example.org", "lead@example.org")
        return MailSink(
            "list",
            MailServer(host, self.port, **given),
            "surgewatch@example.org",
            recipients,
            private=private,
        )


@asynccontextmanager
async def serving(
    mailbox: Mailbox,
    folder: Path,
    security: Literal["tls", "starttls"] = "starttls",
    *,
    plain: bool = False,
    address: str = "127.0.0.1",
    **options: Any,
) -> AsyncIterator[Served]:
    """Serve while the block runs."""
    ca_file = folder / "ca.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if plain:
        PlainAuthority(folder).configure_cert(context)
    else:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(ca_file))
        ca.issue_cert("localhost", "::1").configure_cert(context)
    is_tls = security == "tls"
    given: dict[str, Any] = {
        "tls_context": None if is_tls else context,
        "require_starttls": not is_tls,
        "auth_required": True,
        "auth_require_tls": not is_tls,
        "authenticator": mailbox.authenticate,
        **options,
    }

    def connection() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for a login without STARTTLS, as TLS is there already
            return SMTP(mailbox, **given)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, address, 0, ssl=context if is_tls else None)
    try:
        yield Served(server.sockets[0].getsockname()[1], ca_file, security)
    finally:
        server.close()
