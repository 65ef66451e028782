"""Hand mails to SMTP servers: always over TLS, in bounded time, no private addresses unless allowed."""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiohappyeyeballs import start_connection
from aiohttp.resolver import ThreadedResolver
from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from alerts.sinks import Mail, MailServer, Outcome, Refused, Retry, Sink
from streams.runtime.kafka_tls import ReloadingContext
from streams.runtime.public_addresses import PrivateAddressError, PublicResolver, is_private_host

log = structlog.get_logger()

SECONDS: Final = 30.0  # for a whole mail; servers look through it before they reply
QUIT_SECONDS: Final = 2.0


@dataclass
class _Progress:
    has_sent: bool = False  # the text of the mail: without a reply the server may have it


async def send_mail(sink: Sink, mail: Mail, *, seconds: float = SECONDS) -> Outcome:
    """Send a mail and return what came of it. Whatever goes wrong is an outcome."""
    if not sink.private and is_private_host(mail.server.host):
        return Refused("private_address")
    progress = _Progress()
    try:
        async with asyncio.timeout(seconds):
            return await _hand_over(sink, mail, progress)
    except TimeoutError:
        return Retry("timeout", unanswered=progress.has_sent)
    except PrivateAddressError:
        return Refused("private_address")
    except socket.gaierror:
        return Retry("unknown_host")
    except SMTPResponseException as error:
        return sink.outcome(error.code, {}, error.message.encode())
    except SMTPNotSupported as error:
        return Retry(error.message)
    except (SMTPException, OSError) as error:
        return Retry(_reason(error), unanswered=progress.has_sent)


async def _hand_over(sink: Sink, mail: Mail, progress: _Progress) -> Outcome:
    client = await _client(mail.server, private=sink.private)
    try:
        await client.connect()
        await _log_in(client, mail.server)
        await client.mail(mail.sender)
        refused = await _name_recipients(client, mail.recipients)
        if len(refused) == len(mail.recipients):
            worst = min(refused, key=lambda one: one.code)  # 4xx first: it may pass
            return sink.outcome(worst.code, {}, worst.message.encode())
        if refused:
            codes = [one.code for one in refused]
            log.warning("recipients refused", sink=sink.name, of=len(mail.recipients), codes=codes)
        progress.has_sent = True
        reply = await client.data(mail.message)
        # The reply is the answer, whatever becomes of the farewell.
        with suppress(SMTPException, OSError):
            async with asyncio.timeout(QUIT_SECONDS):
                await client.quit()
        return sink.outcome(reply.code, {}, reply.message.encode())
    finally:
        client.close()
        await asyncio.sleep(0)  # the socket is closed in the next turn of the loop


async def _log_in(client: SMTP, server: MailServer) -> None:
    """Begin TLS and log in; raises SMTPNotSupported with the label of what the server does not offer."""
    await client.ehlo()
    if server.security == "starttls":
        if not client.supports_extension("starttls"):
            raise SMTPNotSupported("no_starttls")
        await client.starttls()
        await client.ehlo()
    if server.username and server.password:
        if not client.supported_auth_methods:
            raise SMTPNotSupported("no_login")
        await client.login(server.username.get_secret_value(), server.password.get_secret_value())


async def _name_recipients(client: SMTP, recipients: tuple[str, ...]) -> list[SMTPRecipientRefused]:
    """Name the recipients to the server; return the refusals. The others get the mail all the same."""
    refused = []
    for recipient in recipients:
        try:
            await client.rcpt(recipient)
        except SMTPRecipientRefused as error:
            refused.append(error)
    return refused


async def _client(server: MailServer, *, private: bool) -> SMTP:
    tls = ReloadingContext.of(server.ca_file, None, None, None)
    return SMTP(
        hostname=server.host,  # the name in its certificate
        sock=await _connected(server.host, server.port, private=private),
        use_tls=server.security == "tls",
        start_tls=False,  # see _log_in
        tls_context=tls,
        timeout=None,  # the whole mail has one
    )


async def _connected(host: str, port: int, *, private: bool) -> socket.socket:
    """Connect to the address that was checked."""
    resolver = ThreadedResolver() if private else PublicResolver()
    found = await resolver.resolve(host, port, socket.AF_UNSPEC)
    return await start_connection(
        [(one["family"], socket.SOCK_STREAM, one["proto"], "", (one["host"], one["port"])) for one in found]
    )


def _reason(error: BaseException) -> str:
    """Return the label of an error, by what caused it."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
        return "bad_certificate"
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return "tls_failed"
    return "no_connection"
