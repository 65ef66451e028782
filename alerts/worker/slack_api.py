"""Slack's Web API: the one message of each alert, the directory, and answers that one person sees.

A message carries the alert's id as metadata. So where a try was not answered, or a worker died before its
ledger was written, the message is looked for in the channel's history, and edited if it is there. If not, the
next try posts what the channel should know by then: of an alert that is over, nothing.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from alerts.sinks import Absent, Delivered, Outcome, Posting, Sink
from alerts.sinks.slack.app import CLOSED, UNAUTHORISED, UNEDITABLE, SlackApp, SlackAppSink
from alerts.worker.http_client import TIMEOUT, failed
from alerts.worker.routes_document import RoutesError
from alerts.worker.sink_network import DIRECT, Network, Networks
from streams.contract.controls import LONGEST_PERSON
from streams.runtime.kafka_tls import of_system

log = structlog.get_logger()

ALERT: Final = "surgewatch_alert"  # metadata of the message of an alert
CHANGE: Final = "surgewatch_change"  # metadata of a reply
PAGE: Final = 200  # messages of a channel's history in one request
PAGES: Final = 5  # how many of them are read
CHECK_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)  # of the check at start, which need not succeed
KNOWN_USERS: Final = 1_000
SCOPES: Final = (
    ("chat:write",),
    ("channels:history", "groups:history"),
    ("users:read",),
    ("users:read.email",),
)
# The SDK's log lines would have addresses with tickets in them; what matters is logged here.
QUIET: Final = logging.getLogger("surgewatch.slack_sdk")
QUIET.setLevel(logging.CRITICAL + 1)


class SlackApi:
    """The Web API of one app. Made inside the loop that it is used in."""

    def __init__(
        self, app: SlackApp, network: Network = DIRECT, timeout: aiohttp.ClientTimeout = TIMEOUT
    ) -> None:
        self.app = app
        self._session = aiohttp.ClientSession(timeout=timeout)
        self.client = AsyncWebClient(
            token=app.bot_token.get_secret_value(),
            base_url=app.url,
            ssl=network.tls or of_system(),
            proxy=network.proxy.get_secret_value() if network.proxy else None,
            session=self._session,
            logger=QUIET,
            retry_handlers=[],  # a post that is sent twice is two messages
        )
        self._authors: dict[str, str] = {}

    async def send(self, sink: SlackAppSink, posting: Posting) -> Outcome:
        """Make the alert's message show this. Whatever goes wrong is an outcome."""
        try:
            reference = await self._show(sink, posting)
            return Delivered(reference) if reference else Absent()
        except SlackApiError as error:
            code, status, headers = _answer(error)
            return sink.outcome(status, headers, code.encode())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return failed(error)

    async def _show(self, sink: SlackAppSink, posting: Posting) -> str:
        """Edit the message that there is, or post it; return its reference, empty where it is not there."""
        if posting.reference and await self._edit(posting.reference, sink, posting):
            return posting.reference if await self._has_replied(posting) else ""
        if posting.reference or posting.unrecorded:
            found = await self._find(sink, posting.alert_id)
            if found and await self._edit(found, sink, posting):
                return found
        if posting.unrecorded and not posting.reference:
            return ""
        posted = await self.client.chat_postMessage(
            channel=sink.channel,
            metadata=_metadata(sink, posting),
            unfurl_links=False,
            **posting.content,
        )
        return f"{posted['channel']}/{posted['ts']}"

    async def _has_replied(self, posting: Posting) -> bool:
        """Reply to the message, or look whether the reply is there that may be."""
        if posting.reply and posting.unrecorded:
            return await self._has_reply(posting)
        if posting.reply:
            await self._reply(posting)
        return True

    async def _edit(self, reference: str, sink: SlackAppSink, posting: Posting) -> bool:
        """Return whether the message could be edited; it may be in a channel that was the sink's before."""
        channel, _, ts = reference.partition("/")
        try:
            await self.client.chat_update(
                channel=channel,
                ts=ts,
                metadata=_metadata(sink, posting),
                text=posting.content["text"],
                blocks=posting.content["blocks"],
            )
        except SlackApiError as error:
            lost = UNEDITABLE if channel == sink.channel else UNEDITABLE | CLOSED
            if _answer(error)[0] not in lost:
                raise
            return False
        return True

    async def _reply(self, posting: Posting) -> None:
        channel, _, ts = posting.reference.partition("/")
        payload = {"alert": posting.alert_id, "notice": posting.notice_id}
        await self.client.chat_postMessage(
            channel=channel,
            thread_ts=ts,
            metadata={"event_type": CHANGE, "event_payload": payload},
            unfurl_links=False,
            **posting.reply,
        )

    async def _has_reply(self, posting: Posting) -> bool:
        channel, _, ts = posting.reference.partition("/")
        pages = _pages(
            await self.client.conversations_replies(
                channel=channel, ts=ts, include_all_metadata=True, limit=PAGE
            )
        )
        async for message in pages:
            if _payload(message, CHANGE).get("notice") == posting.notice_id:
                return True
        return False

    async def _find(self, sink: SlackAppSink, alert_id: str) -> str:
        """Return the reference of the newest message about an alert in the channel; empty without one."""
        wanted = {"alert": alert_id, "sink": sink.name}
        pages = _pages(
            await self.client.conversations_history(
                channel=sink.channel, include_all_metadata=True, limit=PAGE
            )
        )
        async for message in pages:
            if _payload(message, ALERT) == wanted:
                return f"{sink.channel}/{message['ts']}"
        return ""

    async def author(self, user: str) -> str:
        """Return a user as the directory has them: `Anna Roy (anna@example.org)`; where it fails, the id."""
        if user not in self._authors:
            try:
                author = _author((await self.client.users_info(user=user))["user"]["profile"])
            except Exception as error:  # whatever it is, the click counts
                log.warning("Slack's directory does not answer", user=user, error=describe(error))
                return user
            if len(self._authors) >= KNOWN_USERS:
                self._authors.clear()
            self._authors[user] = author or user
        return self._authors[user]

    async def show_ephemeral(self, channel: str, user: str, text: str) -> None:
        """Show a sentence to one person. It is not tried again."""
        try:
            await self.client.chat_postEphemeral(channel=channel, user=user, text=text)
        except Exception as error:  # whatever it is, nobody waits for this
            log.warning("answer to a click not shown", error=describe(error))

    async def token_faults(self) -> list[str]:
        """Return why the tokens cannot work. Where Slack gives no clear answer there is no fault."""
        faults = []
        scopes: str | None = None
        try:
            scopes = (await self.client.auth_test()).headers.get("x-oauth-scopes")
        except Exception as error:  # whatever it is, other sinks have to start
            faults += _fault("bot token", error)
        try:
            await self.client.apps_connections_open(app_token=self.app.app_token.get_secret_value())
        except Exception as error:
            faults += _fault("app token", error)
        if scopes is not None:
            granted = {scope.strip() for scope in scopes.split(",")}
            missing = [" or ".join(one) for one in SCOPES if not granted.intersection(one)]
            faults += [f"the bot token lacks the scopes {', '.join(missing)}"] if missing else []
        return faults

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


async def refuse_bad_tokens(sinks: Iterable[Sink], networks: Networks) -> None:
    """Raise RoutesError where Slack refuses the tokens of a sink, naming every reason."""
    faults = []
    for sink in sinks:
        if isinstance(sink, SlackAppSink):
            api = SlackApi(sink.app, networks.get(sink.name, DIRECT), CHECK_TIMEOUT)
            faults += [f"sink {sink.name}: {fault}" for fault in await api.token_faults()]
            await api.close()
    if faults:
        raise RoutesError("; ".join(faults))


def describe(error: Exception) -> str:
    """Return what went wrong, without anything that was sent."""
    code = _answer(error)[0] if isinstance(error, SlackApiError) else ""
    return code or type(error).__name__


def _fault(token: str, error: Exception) -> list[str]:
    if describe(error) in UNAUTHORISED:
        return [f"Slack refuses the {token} ({describe(error)})"]
    log.warning("tokens of Slack could not be checked", token=token, error=describe(error))
    return []


def _author(profile: Mapping[str, Any]) -> str:
    """Return name and address, as much of it as a control takes."""
    name = str(profile.get("real_name") or profile.get("display_name") or "").strip()
    address = str(profile.get("email") or "").strip()
    both = f"{name} ({address})" if name and address else name or address
    return both if len(both) <= LONGEST_PERSON else (address or name)[:LONGEST_PERSON]


def _metadata(sink: SlackAppSink, posting: Posting) -> dict[str, Any]:
    return {"event_type": ALERT, "event_payload": {"alert": posting.alert_id, "sink": sink.name}}


def _payload(message: Mapping[str, Any], event_type: str) -> dict[str, Any]:
    metadata = message.get("metadata") or {}
    return dict(metadata.get("event_payload") or {}) if metadata.get("event_type") == event_type else {}


async def _pages(first: AsyncSlackResponse) -> AsyncIterator[dict[str, Any]]:
    """Yield the messages of the first pages."""
    read = 0
    async for page in first:
        for message in page["messages"]:
            yield message
        read += 1
        if read == PAGES:
            return


def _answer(error: SlackApiError) -> tuple[str, int, dict[str, str]]:
    """Return the error, the HTTP status and the headers of an answer that is not `ok`."""
    answer = error.response
    data = getattr(answer, "data", None)
    status = getattr(answer, "status_code", None) or getattr(answer, "status", None) or 0
    return str(data.get("error", "")) if isinstance(data, dict) else "", int(status), dict(answer.headers)
