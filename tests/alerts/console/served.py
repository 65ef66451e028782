"""A console on a free port for tests, and what it passed on to its worker."""

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from alerts.console.alert_history import DeliveredNotice
from alerts.console.backend import Backend, Hook
from alerts.console.board import Board
from alerts.console.connections import ConnectionLimits, Connections
from alerts.console.identity import Identity
from alerts.console.sign_in import SignIn
from alerts.console.site import site
from alerts.console.streams import EventStreams
from alerts.languages.language import ENGLISH, Language
from alerts.notices.controls import over
from streams.contract.controls import Control, Names
from streams.contract.verdicts import Question
from tests import console_story as story

TOKEN = "correct-horse-battery"


@dataclass
class ServedConsole:
    """What reached the worker."""

    board: Board = field(default_factory=story.board)
    controls: list[Control] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    hooks: dict[str, Hook] = field(default_factory=dict)
    taken: list[DeliveredNotice] = field(default_factory=list)  # what is on the topic `notices`
    is_too_slow: bool = False  # to be read in time
    refusal: Exception | None = None  # of the broker, where it takes no control
    language: Language = ENGLISH
    url: str = ""
    port: int = 0
    now: Callable[[], float] = time.time  # the broker's

    async def publish(self, control: Control) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.controls.append(control)
        self.board.control(control)

    async def send_again(self, letter_id: str) -> bool:
        self.letters.append(letter_id)
        known = letter_id in [letter["id"] for letter in self.board.snapshot().as_json()["dead"]]
        self.board.remove_dead_letter(letter_id)
        return known

    async def sent(self, alert_id: str, since: dt.datetime | None) -> list[DeliveredNotice]:
        if self.is_too_slow:
            raise TimeoutError
        found = [one for one in self.taken if one.notice.alert.alert_id == alert_id]
        return [one for one in found if since is None or one.at >= since]

    def names(self) -> Names:
        return Names(
            sectors=frozenset(place.sector for place in story.PLACES),
            questions=frozenset(question.value for question in Question),
            sinks=frozenset(story.SINKS),
            alerts=frozenset(alert.alert_id for alert in self.board.alerts()),
            over=over(self.board.alerts()),
            keys=self.board.control_keys(),
        )

    def backend(
        self,
        token: str | None = TOKEN,
        identity: Identity | None = None,
        sign_in: SignIn | None = None,
    ) -> Backend:
        return Backend(
            board=self.board,
            publish=self.publish,
            send_again=self.send_again,
            names=self.names,
            now=lambda: self.now(),
            sent=self.sent,
            language=self.language,
            identity=identity or Identity(SecretStr(token) if token else None),
            sign_in=sign_in,
            border_of={place.sector: place.border for place in story.PLACES},
            hosts=["console.example"],
            hooks=self.hooks,
            pages={"/metrics": lambda: (200, "text/plain", b"surgewatch_alerts 1\n")}
            | {
                path: lambda: (200, "text/plain", b"ok\n")
                for path in ("/healthz", "/readyz", "/readyz/worker")
            },
        )


@asynccontextmanager
async def opened(
    token: str | None = TOKEN,
    limits: ConnectionLimits | None = None,
    identity: Identity | None = None,
    sign_in: SignIn | None = None,
    hooks: dict[str, Hook] | None = None,
    language: Language = ENGLISH,
    **streams: Any,
) -> AsyncIterator[ServedConsole]:
    """Serve a console for as long as the block runs."""
    served, connections = ServedConsole(hooks=hooks or {}, language=language), Connections(limits)
    made = site(served.backend(token, identity, sign_in), connections, EventStreams(served.board, **streams))
    runner = web.AppRunner(made, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    async with connections.server(runner, "127.0.0.1", 0) as served.port:
        served.url = f"http://127.0.0.1:{served.port}"
        yield served
    await runner.cleanup()
