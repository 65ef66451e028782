"""What the console needs of the worker: its board, and functions that read, publish and send again."""

import datetime as dt
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from alerts.console.alert_history import DeliveredNotice
from alerts.console.board import Board
from alerts.console.identity import Identity
from alerts.console.sign_in import SignIn
from alerts.languages.language import ENGLISH, Language
from streams.contract.controls import Control, Names

Hook = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, str]]]  # headers, body: status, what it did
Page = Callable[[], tuple[int, str, bytes]]  # status, content type, body; called in a thread


async def no_notices(alert_id: str, since: dt.datetime | None) -> list[DeliveredNotice]:
    """Return that nothing was sent about an alert."""
    return []


@dataclass(frozen=True, kw_only=True)
class Backend:
    """What the console needs of the worker. Its functions are called in the console's loop.

    `sent` gives what was sent about an alert, since its onset where that is known, and raises TimeoutError;
    `publish` puts a control on its topic; `send_again` sends a dead letter again and returns whether there is
    one of that id; `names` are what a control may refer to; `border_of` is the border of each sector that the
    registry knows. `now` is the broker's time (epoch seconds). `hooks`, by path, take the signed requests of
    other systems.
    """

    board: Board
    publish: Callable[[Control], Awaitable[None]]
    send_again: Callable[[str], Awaitable[bool]]
    names: Callable[[], Names]
    now: Callable[[], float] = time.time
    sent: Callable[[str, dt.datetime | None], Awaitable[list[DeliveredNotice]]] = no_notices
    identity: Identity = field(default_factory=Identity)
    border_of: Mapping[str, str] = field(default_factory=dict)
    sign_in: SignIn | None = None
    hosts: Collection[str] = ()
    language: Language = ENGLISH
    pages: Mapping[str, Page] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
