"""What the console needs of the worker, as its thread may use it."""

import asyncio
import os
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from alerts.console.access_document import AccessFile
from alerts.console.backend import Backend
from alerts.console.board import Board
from alerts.console.identity import Identity
from alerts.console.notice_log import NoticeLog
from alerts.console.sessions import Sessions
from alerts.console.sign_in import SignIn
from alerts.languages.language import language
from alerts.notices.controls import over
from alerts.worker.console_server import from_loop
from alerts.worker.settings import Settings
from streams.contract.controls import Control, Names
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question
from streams.runtime.health import Pages
from streams.runtime.refusals import SetupError

SHORTEST_KEY: Final = 32  # characters


class People(NamedTuple):
    """How the console knows who sends a request."""

    identity: Identity
    sign_in: SignIn | None = None


def people(settings: Settings, registry: Registry) -> People:
    """Read the access document; raises DocumentError, or SetupError where sign-in cannot work."""
    if settings.console_access is None:
        return People(Identity(settings.console_token))
    access = AccessFile(settings.console_access, frozenset(registry.border_of.values())).current
    if oidc := access().oidc:
        if not settings.console_url:
            raise SetupError("oidc needs SURGEWATCH_CONSOLE_URL: the provider leads back to it")
        try:
            oidc.secret(os.environ)
        except ValueError as error:
            raise SetupError(str(error)) from error
    key = settings.console_session_key
    if key is not None and len(key.get_secret_value()) < SHORTEST_KEY:
        raise SetupError(f"SURGEWATCH_CONSOLE_SESSION_KEY needs {SHORTEST_KEY} characters or more")
    sessions = Sessions(key, secure=not settings.console_url.startswith("http:"))
    return People(
        Identity(settings.console_token, access, sessions), SignIn(access, sessions, settings.console_url)
    )


def control_names(
    registry: Registry, board: Board, *, sinks: Collection[str], routes: Callable[[], frozenset[str]]
) -> Callable[[], Names]:
    """Return what a control may refer to, as it is when asked."""

    def names() -> Names:
        alerts = board.alerts()
        return Names(
            sectors=board.sectors().union(registry.border_of),
            questions=frozenset(question.value for question in Question),
            sinks=frozenset(sinks),
            routes=routes(),
            alerts=frozenset(alert.alert_id for alert in alerts),
            over=over(alerts),
            keys=board.control_keys(),
            border_of=registry.border_of,
        )

    return names


def console_backend(
    settings: Settings,
    board: Board,
    *,
    people: People,
    names: Callable[[], Names],
    now: Callable[[], float],
    border_of: Mapping[str, str],
    pages: Pages,
    publish: Callable[[Control], Coroutine[Any, Any, None]],
    send_again: Callable[[str], Coroutine[Any, Any, bool]],
    hooks: Mapping[str, Callable[[Mapping[str, str], bytes], Coroutine[Any, Any, tuple[int, str]]]],
) -> Backend:
    """Return the backend. What it calls runs in the loop that this is called in, the worker's."""
    loop = asyncio.get_running_loop()
    hosts = urlsplit(settings.console_url).hostname, *settings.console_hosts.split(",")

    return Backend(
        board=board,
        publish=from_loop(loop, publish),
        send_again=from_loop(loop, send_again),
        names=names,
        now=now,
        sent=NoticeLog(settings.topic("notices"), settings.kafka).of,
        identity=people.identity,
        sign_in=people.sign_in,
        border_of=border_of,
        language=language(settings.console_language),
        hosts=[host.strip() for host in hosts if host],
        pages=pages,
        hooks={path: from_loop(loop, hook) for path, hook in hooks.items()},
    )
