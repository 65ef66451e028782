"""What the console needs of the worker, as its thread may use it."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any
from urllib.parse import urlsplit

from alerts.console.board import Board
from alerts.console.identity import Identity
from alerts.console.site import Backend
from alerts.worker.console_server import from_loop
from alerts.worker.settings import Settings
from streams.contract.controls import Control, Names
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question
from streams.runtime.worker import Pages


def console_backend(
    settings: Settings,
    registry: Registry,
    board: Board,
    *,
    identity: Identity,
    sinks: Collection[str],
    pages: Pages,
    publish: Callable[[Control], Coroutine[Any, Any, None]],
    send_again: Callable[[str], Coroutine[Any, Any, bool]],
) -> Backend:
    """Return the backend. `publish` and `send_again` run in the loop that this is called in, the worker's."""
    loop = asyncio.get_running_loop()
    border_of = {
        **{sector.border: sector.border for sector in registry.sector},  # borders have alerts of their own
        **{sector.id: sector.border for sector in registry.sector},
    }
    hosts = urlsplit(settings.console_url).hostname, *settings.console_hosts.split(",")

    def names() -> Names:
        return Names(
            sectors=board.sectors().union(border_of),
            questions=frozenset(question.value for question in Question),
            sinks=frozenset(sinks),
            alerts=frozenset(alert.alert_id for alert in board.alerts()),
            keys=board.control_keys(),
        )

    return Backend(
        board=board,
        publish=from_loop(loop, publish),
        send_again=from_loop(loop, send_again),
        names=names,
        identity=identity,
        border_of=border_of,
        hosts=[host.strip() for host in hosts if host],
        pages=pages,
    )
