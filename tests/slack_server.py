"""A stand-in for Slack: the part of its Web API and of Socket Mode that an app of ours speaks, with faults.

It keeps Slack's rules (limits of Block Kit, metadata, threads, pages) and refuses what breaks them.
"""

import asyncio
import itertools
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.http_site import http_site

BOT, APP = "xoxb-secret-bot-token", "xapp-secret-app-token"
CHANNEL, USER = "C0123456789", "U0123456789"
SCOPES = "chat:write,channels:history,users:read,users:read.email"
PROFILE = {"real_name": "Anna Roy", "email": "anna@example.org"}

Message = dict[str, Any]


class Fault(StrEnum):
    """What happens to a request; any other text is an `error` of Slack's."""

    LIMITED = "429"
    BROKEN = "500"  # and nothing was done
    BROKEN_AFTER = "500 after"  # it was done
    LOST = "lost"  # no answer, and nothing was done
    LOST_AFTER = "lost after"  # no answer, and it was done
    HANG = "hang"  # no answer for ever, and nothing was done


class RefusalError(Exception):
    """An answer that is not `ok`."""


@dataclass
class SlackServer:
    """One workspace with one channel. `faults` befall the next requests, whatever their method."""

    scopes: str = SCOPES
    bot_token: str = BOT
    users: dict[str, Mapping[str, str] | list[str]] = field(default_factory=lambda: {USER: PROFILE})
    messages: dict[str, Message] = field(default_factory=dict)  # by ts; replies have a thread_ts
    ephemerals: list[tuple[str, str]] = field(default_factory=list)  # user, text
    faults: deque[str] = field(default_factory=deque)
    calls: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # envelopes
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    port: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    def parents(self) -> list[Message]:
        """Return the messages of the channel that are no replies."""
        return [message for message in self.messages.values() if "thread_ts" not in message]

    def replies(self, ts: str) -> list[Message]:
        """Return the replies in a thread."""
        return [message for message in self.messages.values() if message.get("thread_ts") == ts]

    async def click(
        self, message: Message, action: str, *, user: str = USER, times: int = 1, at: float = 0.0
    ) -> str:
        """Send a click, `times` over, each to the next connection in turn; return its envelope's id."""
        (value,) = {button.get("value", "") for button in buttons(message) if button["action_id"] == action}
        return await self.interact(
            {
                "type": "block_actions",
                "user": {"id": user, "username": "anna"},
                "channel": {"id": CHANNEL, "name": "watch"},
                "message": message,
                "actions": [{"action_id": action, "value": value, "action_ts": f"{at or time.time():.6f}"}],
            },
            times=times,
        )

    async def interact(self, payload: Mapping[str, Any], *, times: int = 1) -> str:
        """Send an interaction."""
        envelope = f"envelope-{next(self._numbers)}"
        for _ in range(times):
            self.sockets.append(self.sockets.pop(0))
            await self.sockets[0].send_json(
                {
                    "type": "interactive",
                    "envelope_id": envelope,
                    "payload": payload,
                    "accepts_response_payload": True,
                }
            )
        return envelope

    async def disconnect(self) -> None:
        """Ask every connection to come back, as Slack does every few hours."""
        for socket in list(self.sockets):
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})

    def routes(self) -> list[web.RouteDef]:
        """Return the Web API and the sockets of Socket Mode."""
        return [web.route("*", "/api/{method}", self._answer), web.get("/socket", self._socket)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        fault = self.faults.popleft() if self.faults else ""
        if fault == Fault.HANG:
            await asyncio.sleep(3600)
        if fault == Fault.LIMITED:
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "7"}
            )
        answer = {"ok": False, "error": fault}
        if fault in ("", Fault.BROKEN_AFTER, Fault.LOST_AFTER):
            answer = await self._perform(method, request)
        if fault in (Fault.LOST, Fault.LOST_AFTER) and request.transport is not None:
            request.transport.abort()
        if fault in (Fault.BROKEN, Fault.BROKEN_AFTER):
            return web.Response(text="<html>broken", status=500, content_type="text/html")
        return web.json_response(answer, headers={"x-oauth-scopes": self.scopes})

    async def _perform(self, method: str, request: web.Request) -> dict[str, Any]:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            return {"ok": False, "error": "not_authed"}
        if token != (APP if method == "apps.connections.open" else self.bot_token):
            return {"ok": False, "error": "invalid_auth"}
        is_json = request.content_type == "application/json"
        given = await request.json() if is_json else {**request.query, **await request.post()}
        try:
            return {"ok": True, **getattr(self, f"_{method.replace('.', '_')}")(given)}
        except RefusalError as error:
            return {"ok": False, "error": str(error)}

    def _auth_test(self, _: Message) -> Message:
        return {"user_id": "UBOT", "bot_id": "BBOT"}

    def _apps_connections_open(self, _: Message) -> Message:
        return {"url": f"ws://127.0.0.1:{self.port}/socket?ticket=secret-ticket"}

    def _users_info(self, given: Message) -> Message:
        if given["user"] not in self.users:
            raise RefusalError("user_not_found")
        return {"user": {"id": given["user"], "profile": self.users[given["user"]]}}

    def _chat_postMessage(self, given: Message) -> Message:  # noqa: N802 - Slack's name
        _check(given)
        if "thread_ts" in given and given["thread_ts"] not in self.messages:
            raise RefusalError("thread_not_found")
        ts = f"1700000000.{next(self._numbers):06d}"
        self.messages[ts] = {**given, "ts": ts}
        return {"channel": given["channel"], "ts": ts}

    def _chat_update(self, given: Message) -> Message:
        _check(given)
        if given.keys() - {"channel", "ts", "text", "blocks", "metadata"}:
            raise RefusalError("invalid_arguments")
        if given["ts"] not in self.messages:
            raise RefusalError("message_not_found")
        self.messages[given["ts"]] |= given
        return {"channel": given["channel"], "ts": given["ts"]}

    def _chat_postEphemeral(self, given: Message) -> Message:  # noqa: N802 - Slack's name
        self.ephemerals.append((given["user"], given["text"]))
        return {"message_ts": "1"}

    def _conversations_history(self, given: Message) -> Message:
        return self._page(sorted(self.parents(), key=lambda one: one["ts"], reverse=True), given)

    def _conversations_replies(self, given: Message) -> Message:
        if given["ts"] not in self.messages:
            raise RefusalError("thread_not_found")
        return self._page([self.messages[given["ts"]], *self.replies(given["ts"])], given)

    def _page(self, found: list[Message], given: Message) -> Message:
        if given["channel"] != CHANNEL:
            raise RefusalError("channel_not_found")
        first, size = int(given.get("cursor") or 0), int(given["limit"])
        shown = found[first : first + size]
        if given.get("include_all_metadata") not in ("1", "true", True):
            shown = [{name: one[name] for name in one if name != "metadata"} for one in shown]
        following = str(first + size) if first + size < len(found) else ""
        return {"messages": shown, "response_metadata": {"next_cursor": following}}

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1})
        self.sockets.append(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.acknowledged.append(message.json()["envelope_id"])
        finally:
            with suppress(ValueError):
                self.sockets.remove(socket)
        return socket


def buttons(message: Message) -> list[dict[str, Any]]:
    """Return the buttons of a message."""
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    return [button for row in rows for button in row]


def _check(given: Message) -> None:
    """Refuse what Slack refuses."""
    if given["channel"] != CHANNEL:
        raise RefusalError("channel_not_found")
    blocks = given.get("blocks", [])
    longest = {"header": 150, "section": 3_000}
    texts = [(block["type"], block["text"]["text"]) for block in blocks if "text" in block]
    actions = [button["action_id"] for button in buttons({"blocks": blocks})]
    is_right = (
        len(blocks) <= 50
        and all(1 <= len(text) <= longest[kind] for kind, text in texts)
        and all(len(block.get("fields", [])) <= 10 for block in blocks)
        and len(set(actions)) == len(actions)
        and all(len(button.get("value", "")) <= 2_000 for button in buttons({"blocks": blocks}))
    )
    if not is_right:
        raise RefusalError("invalid_blocks")
    if not given.get("text") or len(given["text"]) > 40_000:
        raise RefusalError("no_text")


@asynccontextmanager
async def slack_server(server: SlackServer | None = None) -> AsyncIterator[SlackServer]:
    """Serve while the block runs."""
    made = server or SlackServer()
    async with http_site(made.routes(), port=made.port) as made.port:
        try:
            yield made
        finally:
            for socket in list(made.sockets):
                await socket.close()


class ServerThread:
    """A server in a thread of its own while the block runs."""

    def __init__(self) -> None:
        self.server = SlackServer()
        self._loop = asyncio.new_event_loop()
        self._ready, self._ended = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with slack_server(self.server):
            self._ready.set()
            await self._ended.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the server's loop, and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
