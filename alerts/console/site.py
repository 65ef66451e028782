"""The site: the page, its API, and the worker's metrics and health, on one port."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Final, TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from alerts.console import openapi
from alerts.console.access import (
    HEADERS,
    answer_json,
    faults_as_json,
    known_hosts,
    plain_bodies,
    refusal,
    refused,
)
from alerts.console.alert_history import AlertHistory, alert_history, ended_at, last_seen
from alerts.console.backend import Backend, Page
from alerts.console.connections import Connections
from alerts.console.files import files
from alerts.console.guard import guarded, who
from alerts.console.requests import forms
from alerts.console.roles import Role
from alerts.console.streams import EventStreams, write_in_pieces
from alerts.console.writing import writing
from alerts.notices.controls import full_alert_id
from streams.contract.sentences import FaultsError

log = structlog.get_logger()

T = TypeVar("T")

LONGEST_BODY: Final = 16_384  # bytes; no request of ours is longer
ANSWER_SECONDS: Final = 30.0  # for a client to take a long answer


def site(backend: Backend, connections: Connections, streams: EventStreams | None = None) -> web.Application:
    """Make the site."""
    streams = streams or EventStreams(backend.board)
    made = web.Application(
        middlewares=[
            connections.middleware,
            faults_as_json(backend.language),
            known_hosts(backend.hosts),
            guarded(backend.identity, backend.hooks),
            plain_bodies,
        ],
        client_max_size=LONGEST_BODY,
    )
    if backend.sign_in is not None:
        made.add_routes(backend.sign_in.routes())
    made.add_routes(
        [*_files(backend), *_reading(backend, streams), *writing(backend), *_pages(backend.pages)]
    )

    async def follow(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(streams.follow())
        yield
        task.cancel()

    made.cleanup_ctx.append(follow)
    return made


def _files(backend: Backend) -> Iterator[web.RouteDef]:
    for name, (kind, body) in files(backend.language).items():
        answer = _file(body, kind)
        if name == "index.html":
            yield web.get("/", _signed_in_first(backend, answer))
        else:
            yield web.get(f"/console/{name}", answer)


def _file(body: bytes, kind: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    return answer


def _signed_in_first(backend: Backend, page: Handler) -> Handler:
    """Lead to the provider whom the page could show nothing."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if backend.sign_in is not None and backend.sign_in.is_offered():
            principal = backend.identity.identify(request)
            if not principal.name and not principal.may(Role.READ):
                return web.Response(status=302, headers={**HEADERS, "Location": "/auth/login"})
        return await page(request)

    return answer


def _reading(backend: Backend, streams: EventStreams) -> Iterator[web.RouteDef]:
    async def whole(request: web.Request) -> web.StreamResponse:
        return await _long_json(request, streams.whole())

    async def all_alerts(request: web.Request) -> web.StreamResponse:
        texts = [alert.model_dump_json().encode() for alert in backend.board.alerts()]
        return await _long_json(request, b"[%b]" % b",".join(texts))

    async def one_alert(request: web.Request) -> web.StreamResponse:
        by_id = {alert.alert_id: alert for alert in backend.board.alerts()}
        try:
            found = full_alert_id(request.match_info["alert"], by_id)
        except FaultsError as error:
            raise refused(web.HTTPNotFound, *error.sentences) from error
        return answer_json(by_id[found].model_dump(mode="json"))

    async def history(request: web.Request) -> web.StreamResponse:
        found = await _history(backend, request.match_info["alert"])
        return answer_json(found.model_dump(mode="json"))

    async def all_forms(request: web.Request) -> web.StreamResponse:
        where = "/auth/login" if backend.sign_in is not None and backend.sign_in.is_offered() else ""
        return answer_json(forms(backend.names(), who(request), backend.language, sign_in=where))

    async def description(_: web.Request) -> web.StreamResponse:
        return web.Response(text=openapi.text(), content_type="application/json", headers=HEADERS)

    yield web.get("/api/board", whole)
    yield web.get("/api/events", streams.serve, allow_head=False)
    yield web.get("/api/forms", all_forms)
    yield web.get("/api/openapi.json", description)
    yield web.get("/api/alerts", all_alerts)
    yield web.get("/api/alerts/{alert}", one_alert)
    yield web.get("/api/alerts/{alert}/history", history)


async def _history(backend: Backend, alert_id: str) -> AlertHistory:
    """Return the history of an alert, also of one that is no longer known otherwise."""
    by_id = {alert.alert_id: alert for alert in backend.board.alerts()}
    with suppress(FaultsError):
        alert_id = full_alert_id(alert_id, by_id)
    current = by_id.get(alert_id)
    try:
        taken = await backend.sent(alert_id, current.onset if current else None)
    except TimeoutError as error:
        raise refusal(
            web.HTTPServiceUnavailable, "the history could not be read in time: try again"
        ) from error
    alert = last_seen(current, taken)
    if alert is None:
        raise refusal(web.HTTPNotFound, "no alert {name}", name=repr(alert_id))
    controls = backend.board.controls_about(alert, ended_at(current, taken))
    return alert_history(alert, taken, controls, backend.language)


def _pages(pages: Mapping[str, Page]) -> Iterator[web.RouteDef]:
    for path, page in pages.items():
        yield web.get(path, _page(page))


def _page(page: Page) -> Handler:
    """Answer with a page of the worker. However many ask, it is made once at a time."""
    making: asyncio.Task[tuple[int, str, bytes]] | None = None

    async def answer(_: web.Request) -> web.StreamResponse:
        nonlocal making
        if making is None or making.done():
            making = asyncio.create_task(asyncio.to_thread(page))
        status, kind, body = await asyncio.shield(making)
        return web.Response(status=status, body=body, headers={**HEADERS, "Content-Type": kind})

    return answer


async def _long_json(request: web.Request, text: bytes) -> web.StreamResponse:
    """Answer with a text that may be long; a client that does not take it in time is cut off."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": "application/json"})
    response.content_length = len(text)
    await response.prepare(request)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            if request.method != "HEAD":
                await write_in_pieces(response, text)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionResetError:
        pass  # the client has gone
    return response
