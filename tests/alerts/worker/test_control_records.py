"""What the alerts worker does with records of `controls`."""

import datetime as dt

import pytest

from alerts.console.board import Board
from alerts.notices.controls import Reroute, Silence
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.routing import QuietHours, Route
from alerts.worker.control_records import ControlRecords
from streams.contract.controls import Withdrawn
from streams.contract.reading import Unusable
from surgewatch.harness.records import Record

NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
SILENCE = Silence(
    by="night@ops",
    at=NOW,
    reason="drill",
    name="drill",
    sector="swanton",
    question="*",
    until=NOW + dt.timedelta(hours=8),
)

NIGHT = QuietHours(start=dt.time(22), end=dt.time(6))
ROUTE = Reroute(by="day@ops", at=NOW, reason="drill", name="n", route=Route(sinks=("slack",), quiet=NIGHT))
# A time with an offset cannot be compared with one of a zone.
QUIET_BY_AN_OFFSET = ROUTE.model_dump_json().replace("22:00:00", "22:00:00Z").encode()


class Reader:
    """Control records with what they change."""

    def __init__(self) -> None:
        self.controls, self.board = ControlsInForce(), Board(clock=NOW.timestamp)
        self.unusable: list[tuple[str, Unusable]] = []
        self._records = ControlRecords(
            self.controls, self.board, ["slack"], on_unusable=lambda *found: self.unusable.append(found)
        )

    def apply(self, key: str, value: bytes | None, at: dt.datetime = NOW) -> None:
        timestamp = int(at.timestamp() * 1000)
        self._records.apply(Record(0, value, timestamp=timestamp, key=key.encode()))

    @property
    def shown(self) -> list[str]:
        """The keys of the controls that the console shows in force."""
        return [row["id"] for row in self.board.snapshot().as_json()["controls"]]


def test_a_silence_is_in_force_and_shown() -> None:
    reader = Reader()
    reader.apply(SILENCE.key, SILENCE.model_dump_json().encode())
    assert reader.controls.holds(SILENCE)
    assert reader.shown == [SILENCE.key]


@pytest.mark.parametrize("value", [b"{", b'{"kind": "silence"}', b"\xff\xfe", b"[]", QUIET_BY_AN_OFFSET])
def test_a_record_that_is_no_control_is_counted_and_changes_nothing(value: bytes) -> None:
    reader = Reader()
    reader.apply(SILENCE.key, SILENCE.model_dump_json().encode())
    reader.apply(SILENCE.key, value)
    assert reader.unusable == [("controls", Unusable.UNREADABLE)]
    assert reader.controls.holds(SILENCE)


def test_an_empty_record_and_a_withdrawal_end_a_silence() -> None:
    withdrawal = Withdrawn(by="day@ops", at=NOW, reason="drill is over", withdraws=SILENCE.key)
    for value in (None, withdrawal.model_dump_json().encode()):
        reader = Reader()
        reader.apply(SILENCE.key, SILENCE.model_dump_json().encode())
        reader.apply(SILENCE.key, value, NOW + dt.timedelta(hours=1))
        assert not reader.controls.holds(SILENCE)
        assert reader.shown == []


def test_a_control_set_by_a_clock_that_is_a_year_ahead_begins_when_its_record_was_appended() -> None:
    reader = Reader()
    ahead = SILENCE.model_copy(update={"at": NOW + dt.timedelta(days=365)})
    reader.apply(ahead.key, ahead.model_dump_json().encode())
    assert reader.controls.holds(ahead.model_copy(update={"at": NOW}))
