"""Clicks in Slack, by Socket Mode: each becomes a control, as if it came from the console's form.

Every worker has a connection, and Slack sends a click to one of them. A click is acknowledged once its
control is in the broker, or shortly before Slack's three seconds are over. Where no worker acknowledges it,
Slack shows that to the person, who can click again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from alerts.console.requests import control_of, submitted
from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert
from alerts.notices.feeds import on_same_source
from alerts.sinks import Sink
from alerts.sinks.slack.app import SlackApp, SlackAppSink
from alerts.sinks.slack.clicks import Click, click, refusal, request
from alerts.worker.overdue import Overdue
from alerts.worker.slack_api import QUIET, SlackApi, describe
from streams.contract.controls import Control, Names

log = structlog.get_logger()

ACKNOWLEDGE_SECONDS: Final = 2.0  # Slack waits for three
PUBLISH_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 15.0
RECONNECT_SECONDS: Final = 2.0
UNTAKEN_SECONDS: Final = 30.0
DISCONNECTED_SECONDS: Final = 15.0  # after which a connection that does not come back is made anew
REMEMBERED: Final = 1_000  # clicks
NO_LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType({})  # all in English


class SlackClicks:
    """Takes the clicks on the messages of one app.

    `ready` waits until all alerts are known, and `alerts` gives them. `holds` returns whether a control is in
    force, and `publish` puts one on its topic. `count` counts a click by action and outcome. `connected` is
    entered for as long as there is a connection. `languages` are those of channels.
    """

    def __init__(
        self,
        api: SlackApi,
        *,
        ready: Callable[[], Awaitable[object]],
        alerts: Callable[[], list[Alert]],
        names: Callable[[], Names],
        holds: Callable[[Control], bool],
        publish: Callable[[Control], Awaitable[None]],
        count: Callable[[str, str], None],
        connected: Callable[[], AbstractContextManager[None]],
        languages: Mapping[str, Language] = NO_LANGUAGES,
    ) -> None:
        self._api, self._ready, self._alerts, self._names = api, ready, alerts, names
        self._holds, self._publish, self._count, self._connected = holds, publish, count, connected
        self._languages = languages
        self._taken: dict[str, asyncio.Task[None]] = {}  # by click
        self._cause = ""  # why there is no connection, as it was logged
        self.overdue = Overdue("clicks in Slack", UNTAKEN_SECONDS, outside=True)

    async def follow(self) -> None:
        """Take clicks until cancelled, over one connection after the other."""
        await self._ready()
        self.overdue.begin()
        while True:
            try:
                await self._follow_connection()
            except (SlackApiError, aiohttp.ClientError, OSError) as error:
                self.overdue.failed(describe(error))
                if describe(error) != self._cause:
                    self._cause = describe(error)
                    log.warning("clicks in Slack are not taken", error=self._cause)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow_connection(self) -> None:
        """Take clicks until the connection is lost for good; raises what it was lost by."""
        client = SocketModeClient(
            self._api.app.app_token.get_secret_value(),
            logger=QUIET,
            web_client=self._api.client,
            proxy=self._api.client.proxy,
        )
        client.socket_mode_request_listeners.append(self._receive)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                client.wss_uri = await client.issue_new_wss_url()
                await client.connect()  # type: ignore[no-untyped-call]
            log.info("clicks in Slack are taken")
            self._cause = ""
            with self._connected():
                await _until_lost(client, self.overdue.done)
        finally:
            await self._finish()
            await client.close()  # type: ignore[no-untyped-call]

    async def _finish(self) -> None:
        """Wait for the clicks that are being set, so that they are acknowledged."""
        if unset := [task for task in self._taken.values() if not task.done()]:
            await asyncio.wait(unset, timeout=ACKNOWLEDGE_SECONDS)
            await asyncio.sleep(0)

    async def _receive(self, client: AsyncBaseSocketModeClient, envelope: SocketModeRequest) -> None:
        found = click(envelope.payload) if envelope.type == "interactive" else None
        if found is not None:
            await asyncio.wait({self._task(found)}, timeout=ACKNOWLEDGE_SECONDS)
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=envelope.envelope_id))

    def _task(self, found: Click) -> asyncio.Task[None]:
        """Return the task of a click. One that is sent again has one already."""
        task = self._taken.get(found.click_id)
        if task is None:
            task = self._taken[found.click_id] = asyncio.create_task(self._apply(found))
            if len(self._taken) > REMEMBERED:
                self._taken.pop(next(iter(self._taken)))
        return task

    async def _apply(self, found: Click) -> None:
        outcome = "failed"
        try:
            sentence = await self._set(found)
            outcome = "refused" if sentence else "accepted"
        except Exception as error:  # whatever it is, the person has to see that nothing was set
            log.error("click not recorded", action=found.action, alert=found.alert_id, error=repr(error))
            sentence = self._language(found).gettext(
                "The broker does not answer. Try again if the message does not change."
            )
        self._count(found.action, outcome)
        if sentence:
            await self._api.show_ephemeral(found.channel, found.user, sentence)

    def _language(self, found: Click) -> Language:
        return self._languages.get(found.channel, ENGLISH)

    async def _set(self, found: Click) -> str:
        """Publish the controls of a click, one for each alert on a source; return why none can be set."""
        alerts = on_same_source(found.alert_id, self._alerts())
        if sentence := refusal(alerts[0] if alerts else None, self._language(found)):
            return sentence
        by = await self._api.author(found.user)
        bodies = [request(found, alert, by) for alert in alerts]
        try:
            controls = [control_of(submitted(body), found.at, self._names()) for body in bodies]
        except ValueError as error:
            return self._language(found).gettext("Nothing was changed: {error}.", error=error)
        async with asyncio.timeout(PUBLISH_SECONDS):
            for control in controls:
                if not self._holds(control):  # else another worker has taken it
                    await self._publish(control)
        return ""


def languages_of(app: SlackApp, sinks: Iterable[Sink]) -> dict[str, Language]:
    """Return the languages of the channels of an app."""
    own = [sink for sink in sinks if isinstance(sink, SlackAppSink) and sink.app == app]
    return {sink.channel: sink.language for sink in own}


async def _until_lost(client: SocketModeClient, connected: Callable[[], None]) -> None:
    """Return when the SDK's client has not come back by itself: it may be stuck with an old address."""
    connected_at = time.monotonic()
    while time.monotonic() - connected_at < DISCONNECTED_SECONDS:
        await asyncio.sleep(1)
        if await client.is_connected():
            connected_at = time.monotonic()
            connected()
    raise ConnectionError("the connection to Slack was lost")
