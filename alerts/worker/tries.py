"""What becomes of each try to deliver: on the console, in metrics and in the log."""

import datetime as dt
import time
from collections.abc import Callable, Sequence

import structlog

from alerts.console.board import Board
from alerts.lifecycle.alert import Notice
from alerts.worker.metrics import Metrics
from alerts.worker.sink_states import SinkStates

log = structlog.get_logger()


class Tries:
    """Records tries to deliver. `now` is the broker's time (epoch seconds)."""

    def __init__(
        self, board: Board, metrics: Metrics, states: SinkStates, now: Callable[[], float] = time.time
    ) -> None:
        self._board, self._metrics, self._states, self._now = board, metrics, states, now

    def tried(
        self, sink: str, notices: Sequence[Notice], outcome: str, *, seconds: float, reason: str
    ) -> None:
        """Record one try to deliver."""
        self._metrics.attempt(sink, outcome, seconds=seconds, notices=max(len(notices), 1))
        now = dt.datetime.fromtimestamp(self._now(), dt.UTC)
        self._states.tried(sink, works=outcome == "delivered", reason=reason)
        if not notices:  # a post of what stands
            self._board.sink(sink, outcome, at=now, detail=reason)
        for notice in notices:
            self._board.delivery(sink, notice, outcome, at=now, detail=reason)
            if outcome in ("delivered", "dead"):
                self._metrics.notice(notice.reason)
            if outcome == "delivered" and notice.produced_at is not None:
                self._metrics.latency((now - notice.produced_at).total_seconds())
        if outcome != "delivered":
            ids = [notice.notice_id for notice in notices]
            log.warning("not delivered", sink=sink, notices=ids, outcome=outcome, reason=reason)
