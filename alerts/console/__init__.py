"""The console: one page over the board, live by server-sent events. Writing needs the bearer token."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, Iterator
from importlib import resources
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr, ValidationError

from alerts.console.board import Board
from alerts.console.requests import ASK, Ask

__all__ = ["Ask", "Control", "Resend", "known_hosts", "routes"]

Control = Callable[[Ask], Awaitable[None]]  # publishes what was asked on `controls`; ValueError: it cannot be
Resend = Callable[[str], Awaitable[bool]]  # sends a dead letter again; False: there is none of that id

_GLANCE = 0.2  # seconds between looks at the board: a burst becomes one message, an alert shows within 1 s
_HEARTBEAT = 15.0  # seconds of quiet after which the stream says that it is alive
_BODY = 16_384  # bytes; no request of ours is longer
_FILES = {
    "index.html": "text/html",
    "console.css": "text/css",
    "console.js": "text/javascript",
    "charts.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "vendor/uPlot.iife.min.js": "text/javascript",
    "vendor/uPlot.min.css": "text/css",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def routes(board: Board, control: Control, resend: Resend, token: SecretStr | None) -> list[web.RouteDef]:
    """The page, `/api/board`, `/api/events`, and the two POSTs. Without a token nothing can be written."""
    return [*_page(), *_reading(board), *_writing(control, resend, token)]


def known_hosts(names: Collection[str]) -> Middleware:
    """Refuse page and API under a host name that is not ours.

    Else a foreign page whose name is made to resolve to the loopback could read them (DNS rebinding).
    """
    known = {"localhost", "127.0.0.1", "::1", *names}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        ours = request.path == "/" or request.path.startswith(("/console/", "/api/"))
        if ours and urlsplit(f"//{request.host}").hostname not in known:
            raise _refusal(web.HTTPMisdirectedRequest, "unknown host: see SURGEWATCH_CONSOLE_HOSTS")
        return await handler(request)

    return guard


def _page() -> Iterator[web.RouteDef]:
    for name, kind in _FILES.items():
        path = "/" if name == "index.html" else f"/console/{name}"
        yield web.get(path, _file(resources.files(__name__).joinpath(name).read_bytes(), kind))


def _file(body: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    return answer


def _reading(board: Board) -> Iterator[web.RouteDef]:
    async def whole(_: web.Request) -> web.StreamResponse:
        return web.json_response(board.snapshot(), headers=HEADERS)

    async def events(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        seen, quiet = -1, 0.0  # a page that comes back after a pause starts anew: the board is small
        try:
            while request.transport is not None and not request.transport.is_closing():
                if board.version != seen:
                    news = board.changes(seen)
                    seen, quiet = board.version, 0.0
                    await stream.write(f"id: {seen}\ndata: {json.dumps(news)}\n\n".encode())
                elif quiet >= _HEARTBEAT:
                    quiet = 0.0
                    await stream.write(b": still here\n\n")
                await asyncio.sleep(_GLANCE)
                quiet += _GLANCE
        except ConnectionResetError:
            pass  # the page was closed
        return stream

    yield web.get("/api/board", whole)
    yield web.get("/api/events", events)


def _writing(control: Control, resend: Resend, token: SecretStr | None) -> Iterator[web.RouteDef]:
    async def ask(request: web.Request) -> web.StreamResponse:
        body = await _admitted(request, token)
        try:
            await control(ASK.validate_json(body))
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, f['loc'][1:]))}: {f['msg']}".lstrip(": ") for f in error.errors()]
            return _says(422, "; ".join(faults))
        except ValueError as error:
            return _says(422, str(error))
        return _says(202, "accepted")

    async def again(request: web.Request) -> web.StreamResponse:
        await _admitted(request, token)
        found = await resend(request.match_info["letter"])
        return _says(202, "accepted") if found else _says(404, "no such dead letter")

    yield web.post("/api/ask", ask)
    yield web.post("/api/dead/{letter:.+}/resend", again)


async def _admitted(request: web.Request, token: SecretStr | None) -> bytes:
    """The body of a request that may write; raises the HTTP error that says why it may not.

    The token travels in a header that no foreign form can set, so there is nothing for CSRF to ride on.
    """
    if token is None:
        raise _refusal(web.HTTPForbidden, "writing is off: no console token is set")
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
        raise _refusal(web.HTTPUnauthorized, "that is not the console's token")
    if request.content_type != "application/json":
        raise _refusal(web.HTTPUnsupportedMediaType, "send JSON")
    body = await request.read()  # no longer than the application's client_max_size
    if len(body) > _BODY:
        raise _refusal(web.HTTPUnprocessableEntity, "too long")
    return body


def _refusal(kind: type[web.HTTPError], text: str) -> web.HTTPError:
    return kind(text=json.dumps({"says": text}), content_type="application/json", headers=HEADERS)


def _says(status: int, text: str) -> web.Response:
    return web.json_response({"says": text}, status=status, headers=HEADERS)
