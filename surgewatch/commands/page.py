"""`surgewatch page --test SINK`: find out whether a sink reaches anybody."""

import asyncio
import datetime as dt
import sys

import click
from pydantic import ValidationError

from alerts.lifecycle.alert import Notice
from alerts.notices.trial import trial_notices
from alerts.sinks import Absent, AnyRequest, Delivered, Edits, Outcome, Refused, Retry, Sink
from alerts.worker.routes_document import RoutesError, configured
from alerts.worker.sender import Sender
from alerts.worker.settings import Settings
from alerts.worker.sink_network import Networks
from streams.runtime.refusals import faults

ADVICE = {
    "no_connection": "nothing answers at its address: check host, port and firewall",
    "no_proxy": "its proxy does not answer: check the proxy's host and port",
    "proxy_403": "its proxy does not allow this address",
    "proxy_407": "its proxy asks for credentials: http://USER:PASSWORD@HOST:PORT",
    "unknown_host": "its host name cannot be resolved: check the spelling and the DNS",
    "bad_certificate": "its certificate is not trusted: check the CA of this machine and the host name",
    "tls_failed": "the TLS connection failed: check that the address speaks https",
    "timeout": "it took the request and did not answer in time: it may or may not have it",
    "http_429": "it takes no more requests for now",
    "private_address": "its address is private: allow_private = true allows that",
    "redirect": "it leads to another address: check the URL",
    "no_service": "there is no such webhook: make a new one",
    "channel_is_archived": "the channel is archived",
    "not_taken": "the service did not take it: check its URL and credentials",
    "gone": "this address is gone for good: make a new webhook",
    "http_401": "it refuses the credentials",
    "http_403": "it refuses the credentials",
    "http_404": "there is nothing at this address: check the URL",
    "no_starttls": 'the server offers no STARTTLS: check the port, or set security = "tls"',
    "no_login": "the server takes no login: leave out username and password, or check the port",
    "smtp_535": "it refuses the credentials",
    "invalid_auth": "it refuses the token: install the app again, and check the token",
    "missing_scope": "the token lacks a scope: see the page on Slack, and install the app again",
    "channel_not_found": "the app sees no such channel: check its id, and invite the app",
    "not_in_channel": "the app is not in the channel: invite it",
    "is_archived": "the channel is archived",
    "invalid_event": "it refuses the event: check the routing key",
}


@click.command("page")
@click.option("--test", "name", required=True, metavar="SINK", help="The sink's name in the routes.")
def command(name: str) -> None:
    """Send a test notice through one sink, set up as the alerts worker has it, and then its end."""
    try:
        settings = Settings()
        every, _, networks = configured(settings)
    except ValidationError as error:
        raise click.UsageError(f"SURGEWATCH_*: {faults(error)}") from error
    except RoutesError as error:
        raise click.UsageError(str(error)) from error
    found = {sink.name: sink for sink in every}
    if name not in found:
        raise click.UsageError(f"no sink {name!r}; there are: {', '.join(sorted(found)) or 'none'}")
    notices = trial_notices(dt.datetime.now(dt.UTC).replace(microsecond=0), found[name].language)
    opened, *resolved = asyncio.run(_send(found[name], notices, networks))
    click.echo(f"{name}: {_words('the test notice', opened)}")
    for outcome in resolved:
        click.echo(f"{name}: {_words('its end', outcome)}")
    sys.exit(0 if all(isinstance(one, Delivered) for one in (opened, *resolved)) else 1)


async def _send(sink: Sink, notices: tuple[Notice, ...], ways: Networks) -> list[Outcome]:
    """Send the notices in order, until the sink lacks one. Where it may have it, it is sent the end too."""
    sender = Sender([sink], ways)
    outcomes: list[Outcome] = []
    try:
        for notice in notices:
            request = _request(sink, notice, outcomes[-1] if outcomes else None)
            outcomes.append(await sender.send(sink, request))
            match outcomes[-1]:
                case Delivered() | Retry(unanswered=True):
                    await asyncio.sleep(sink.spacing)
                case _:
                    break
        return outcomes
    finally:
        await sender.close()


def _request(sink: Sink, notice: Notice, before: Outcome | None) -> AnyRequest:
    if isinstance(sink, Edits) and before is not None:
        reference = before.reference if isinstance(before, Delivered) else ""
        return sink.posting(notice, reference=reference, unrecorded=not reference)
    return sink.request(notice, dt.datetime.now(dt.UTC).timestamp())


def _words(what: str, outcome: Outcome) -> str:
    match outcome:
        case Delivered():
            return f"{what} was delivered"
        case Absent():
            return f"{what} is not there"
        case Retry(reason, after):
            wait = f"; it asks to wait {after:.0f} s" if after is not None else ""
            return f"{what} was not delivered ({reason}): {ADVICE.get(reason, 'it may work later')}{wait}"
        case Refused(reason):
            return f"{what} was refused ({reason}): {ADVICE.get(reason, 'check address and credentials')}"
