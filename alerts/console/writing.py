"""What clients write: controls, dead letters that are sent again, and requests of other systems.

A body is read, understood and allowed before anything is published; each refusal has its HTTP status.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from aiokafka.errors import KafkaError

from alerts.console.access import answer_json, refusal, refused
from alerts.console.backend import Backend, Hook
from alerts.console.guard import denied, require, who
from alerts.console.requests import check_nothing, control_of, submitted
from alerts.console.roles import Role
from alerts.languages.language import gettext_noop
from alerts.notices.effects import effect
from streams.contract.sentences import FaultsError

log = structlog.get_logger()

T = TypeVar("T")

BODY_SECONDS: Final = 10.0  # for a body to arrive
PUBLISH_SECONDS: Final = 10.0  # for the broker to have a control


def writing(backend: Backend) -> Iterator[web.RouteDef]:
    """Yield the routes by which clients write."""
    yield web.post("/api/controls", _set_control(backend))
    yield web.post("/api/dead/{letter:.+}/resend", _send_again(backend))
    for path, hook in backend.hooks.items():
        yield web.post(path, _hook(hook))


def _set_control(backend: Backend) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        body, principal = await _body(request), who(request)
        with _understood():
            sent = submitted(body)
        require(principal, sent.role)
        with _understood():
            now = dt.datetime.fromtimestamp(backend.now(), dt.UTC)
            wanted = control_of(sent, now, backend.names(), principal.name)
        if not principal.may_in(sent.role, backend.board.places(backend.border_of).borders(wanted)):
            raise denied(
                principal,
                sent.role,
                gettext_noop("{person} may not {deed} in all borders that this touches"),
            )
        await _within(PUBLISH_SECONDS, backend.publish(wanted), *_BUSY)
        return answer_json(
            {"status": "accepted", "key": wanted.key, "effect": effect(wanted, backend.language)},
            status=202,
        )

    return answer


def _send_again(backend: Backend) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        principal, letter = who(request), request.match_info["letter"]
        if not principal.may_in(Role.OPERATE, None):
            raise denied(principal, Role.OPERATE, gettext_noop("{person} may not {deed} in all borders"))
        body = await _body(request)
        with _understood():
            check_nothing(body)
        found = await _within(PUBLISH_SECONDS, backend.send_again(letter), *_BUSY)
        if not found:
            raise refusal(web.HTTPNotFound, "no such dead letter")
        log.info("dead letter sent again", letter=letter, by=principal.name)
        return answer_json({"status": "accepted"}, status=202)

    return answer


def _hook(hook: Hook) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        status, deed = await _within(PUBLISH_SECONDS, hook(request.headers, body), *_BUSY)
        return answer_json({"status" if status < 400 else "error": deed}, status=status)

    return answer


async def _body(request: web.Request) -> bytes:
    return await _within(
        BODY_SECONDS, request.read(), web.HTTPRequestTimeout, gettext_noop("the body did not arrive")
    )


@contextmanager
def _understood() -> Iterator[None]:
    """Answer 422 where a body is no such request."""
    try:
        yield
    except FaultsError as error:
        raise refused(web.HTTPUnprocessableEntity, *error.sentences) from error


_BUSY: Final = (web.HTTPServiceUnavailable, gettext_noop("the broker does not answer: try again"))


async def _within(seconds: float, work: Awaitable[T], late: type[web.HTTPError], text: str) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise refusal(late, text) from error
    except KafkaError as error:
        log.error("the broker takes no write", error=repr(error))
        raise refusal(web.HTTPServiceUnavailable, gettext_noop("the broker refuses it")) from error
