"""What the console needs of the worker, as its thread may use it."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

from alerts.console.board import Board
from alerts.console.site import Backend
from alerts.worker.console_server import from_loop
from alerts.worker.settings import Settings
from streams.contract.controls import Control, Names
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question
from streams.runtime.worker import Pages


def control_names(registry: Registry, board: Board, sinks: Collection[str]) -> Callable[[], Names]:
    """Return what a control may refer to, as it is when asked."""
    known = frozenset(registry.by_id).union(sector.border for sector in registry.sector)

    def names() -> Names:
        return Names(
            sectors=known | board.sectors(),
            questions=frozenset(question.value for question in Question),
            sinks=frozenset(sinks),
            alerts=frozenset(alert.alert_id for alert in board.alerts()),
            keys=board.control_keys(),
        )

    return names


def console_backend(
    settings: Settings,
    board: Board,
    *,
    names: Callable[[], Names],
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
        token=settings.console_token,
        hosts=[host.strip() for host in hosts if host],
        pages=pages,
        hooks={path: from_loop(loop, hook) for path, hook in hooks.items()},
    )
