"""A sink that takes nothing is shown by every console, also by those of workers that do not deliver to it."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from alerts.console.board import Board
from alerts.notices.ledger import LedgerRecord
from alerts.notices.outcomes import Delivered, Outcome, Retry
from alerts.worker.board_readers import show_delivery
from alerts.worker.waiting_sinks import SECONDS, WaitingSinks
from tests.alerts.made import verdict
from tests.alerts.one_sink import SINK, OneSink

FAILURES = (Retry("http_500"), Retry("timeout", unanswered=True))


class Elsewhere:
    """The console of a worker that does not deliver to the sink: it has topics alone."""

    def __init__(self) -> None:
        self.desk, self.board, self.steady = OneSink(), Board(sinks=[SINK]), 0.0
        self.waiting = WaitingSinks(self.board, lambda: self.steady)
        self._read: dict[str, LedgerRecord] = {}

    def answer(self, outcome: Outcome) -> None:
        """Let the sink answer so from now on, and the console read what was written."""
        self.desk.answer = outcome
        for notice in self.desk.wait(seconds=60):
            headers = [("sink", SINK.encode())]
            value, at = notice.model_dump_json().encode(), int(self.desk.now * 1000)
            show_delivery(self.board, SimpleNamespace(value=value, headers=headers, timestamp=at))
        for record in self._written():
            at = int(self.desk.now * 1000)
            self.waiting.apply(SimpleNamespace(key=record.key, value=record.encode(), timestamp=at))

    def _written(self) -> Iterator[LedgerRecord]:
        for alert_id, record in self.desk.ledger.items():
            if self._read.get(alert_id) is not record:
                self._read[alert_id] = record
                yield record

    def state_after(self, seconds: float) -> tuple[str, str]:
        """Return the state of the sink and the reason, so many seconds later."""
        self.steady += seconds
        self.waiting.show()
        (row,) = self.board.snapshot().as_json()["sinks"]
        return row["state"], row["reason"]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_sink_that_takes_nothing_is_failing_until_it_takes_something(failure: Outcome) -> None:
    console = Elsewhere()
    console.desk.answer = failure
    console.desk.judge(verdict(0, breach=True))
    console.answer(failure)
    assert console.state_after(SECONDS - 1) == ("idle", "")
    assert console.state_after(2) == ("failing", "its messages wait")
    console.answer(Delivered())
    assert console.state_after(SECONDS + 1) == ("ok", "")


def test_messages_that_are_taken_at_once_show_no_failure() -> None:
    console = Elsewhere()
    for day in range(3):
        console.desk.judge(verdict(day, breach=True, observed=45 * (day + 1)))
        console.answer(Delivered())
        assert console.state_after(SECONDS + 1)[0] != "failing"


def test_a_record_that_is_not_understood_shows_nothing() -> None:
    console = Elsewhere()
    for key, value in (
        (None, b"{}"),
        (b"sink/a", b"junk"),
        (b"sink", b"{}"),
        (b"sink/a", b"{}"),
        (b"\xff", b"x"),
    ):
        console.waiting.apply(SimpleNamespace(key=key, value=value, timestamp=2**62))
    assert console.state_after(SECONDS + 1) == ("idle", "")
