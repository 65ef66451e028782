"""The pages of the alerts worker on one port: console, API, metrics and health."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from alerts.console import Control, Resend, known_hosts
from alerts.console import routes as console_routes
from alerts.console.board import Board
from alerts.lifecycle.alert import Alert
from alerts.notices.controls import full_alert_id
from alerts.worker.settings import Settings
from streams.runtime.worker import Pages


def site(
    settings: Settings,
    pages: Pages,
    *,
    board: Board,
    alerts: Callable[[], Iterable[Alert]],
    control: Control,
    resend: Resend,
) -> web.Application:
    """Make the site; `alerts` returns every alert as of now."""
    further = urlsplit(settings.console_url).hostname, *settings.console_hosts.split(",")
    made = web.Application(middlewares=[known_hosts([name.strip() for name in further if name])])
    made.add_routes(console_routes(board, control, resend, settings.console_token))

    async def all_alerts(_: web.Request) -> web.Response:
        return web.json_response([alert.model_dump(mode="json") for alert in alerts()])

    async def one_alert(request: web.Request) -> web.Response:
        known = {alert.alert_id: alert for alert in alerts()}
        try:
            found = full_alert_id(request.match_info["alert"], known)
        except ValueError as error:
            raise web.HTTPNotFound(text=f"{error}\n") from error
        return web.json_response(text=known[found].model_dump_json())

    made.add_routes([web.get("/api/alerts", all_alerts), web.get("/api/alerts/{alert}", one_alert)])
    for path, page in pages.items():
        made.router.add_get(path, _page(page))
    return made


def _page(page: Any) -> Any:
    async def answer(_: web.Request) -> web.Response:
        status, kind, body = await asyncio.to_thread(page)
        return web.Response(status=status, body=body, headers={"Content-Type": kind})

    return answer
