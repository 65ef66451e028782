"""Which sinks take nothing, for the console of every worker: a record on `notices.dead` at each change.

The worker that delivers to a sink writes one when the sink has failed for a while, and one when it takes
something again: two an outage, however many tries it has. So a delivery costs no more than a look here.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import structlog

from alerts.console.board import Board
from alerts.notices.dead_letters import SinkState
from streams.contract.reading import appended_at

log = structlog.get_logger()

TOPIC: Final = "notices.dead"
PATIENCE: Final = 10.0  # seconds of failures and nothing else before other workers are notified
Publish = Callable[[str, bytes, bytes], Awaitable[None]]  # topic, key, value


class SinkStates:
    """The newest state of each sink, as it is on the topic; a sink without one works."""

    def __init__(
        self,
        sinks: Collection[str],
        board: Board,
        publish: Publish,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sinks, self._board, self._publish, self._steady = frozenset(sinks), board, publish, steady
        self._failing: set[str] = set()
        self._since: dict[str, float] = {}  # by sink: when its tries began to fail
        self._writes: set[asyncio.Task[None]] = set()

    def tried(self, sink: str, *, works: bool, reason: str) -> None:
        """Take note of a try of this worker, and write what other workers do not know."""
        if works:
            self._since.pop(sink, None)
            is_due = sink in self._failing
        else:
            since = self._since.setdefault(sink, self._steady())
            is_due = sink not in self._failing and self._steady() - since >= PATIENCE
        if is_due:
            self._note(sink, works=works)
            write = asyncio.create_task(self._write(SinkState(sink=sink, works=works, reason=reason)))
            self._writes.add(write)
            write.add_done_callback(self._writes.discard)

    def apply(self, state: SinkState, record: Any) -> None:
        """Take a state from the topic, of whichever worker: as of when the broker has had it."""
        if state.sink not in self._sinks:
            return
        self._note(state.sink, works=state.works)
        at = dt.datetime.fromtimestamp(appended_at(record) / 1000, dt.UTC)
        self._board.sink(state.sink, "delivered" if state.works else "retry", at=at, detail=state.reason)

    def _note(self, sink: str, *, works: bool) -> None:
        (self._failing.discard if works else self._failing.add)(sink)

    async def _write(self, state: SinkState) -> None:
        try:
            await self._publish(TOPIC, state.sink.encode(), state.model_dump_json().encode())
        except Exception as error:  # whatever it is: the sink goes on, and its next try writes it
            log.warning("state of a sink not written", sink=state.sink, error=repr(error))
            self._note(state.sink, works=not state.works)
