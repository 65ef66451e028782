"""What the board has room for: the gravest first to stay."""

import datetime as dt

from alerts.console.board import Board
from alerts.console.rows import BoardLimits
from alerts.lifecycle.alert import Alert, Severity, State
from alerts.notices.controls import Acknowledge, Silence
from streams.contract.controls import PolicyDate
from tests import console_story as story
from tests.alerts.console.test_board import WHO, alert_of, rows


def test_a_standing_critical_alert_is_never_evicted_by_newer_ones_that_matter_less():
    board = Board(BoardLimits(alerts=3))
    grave = alert_of(0, Severity.CRITICAL)
    board.alert(grave)
    board.alert(alert_of(1, Severity.CRITICAL, State.RESOLVED))
    for number in range(2, 12):
        board.alert(alert_of(number, Severity.INFO))
    shown = rows(board, "alerts")
    assert grave.alert_id in [alert["id"] for alert in shown]
    assert {alert["state"] for alert in shown} == {"firing"}


def test_what_stands_is_counted_even_where_the_page_has_no_room_for_it():
    board = Board(BoardLimits(alerts=2))
    for number in range(5):
        board.alert(alert_of(number, Severity.INFO))
    assert board.snapshot().as_json()["standing"]["info"] == 5
    assert len(board.alerts()) == 5


def resolved(alert: Alert) -> Alert:
    return alert.model_copy(update={"state": State.RESOLVED})


def test_what_stands_comes_onto_the_page_once_others_are_over_or_gone():
    board = Board(BoardLimits(alerts=3))
    alerts = [alert_of(number, Severity.CRITICAL) for number in range(8)]
    for alert in alerts:
        board.alert(alert)
    copy = {row["id"] for row in rows(board, "alerts")}
    shown = [alert for alert in alerts if alert.alert_id in copy]
    seen = board.version
    for alert in shown[:2]:
        board.alert(resolved(alert))
    board.forget_alert(shown[2].question_key)
    news = board.changes(seen).as_json()
    copy -= {key for kind, key in news["gone"] if kind == "alerts"}
    copy |= {row["id"] for row in news["alerts"]}
    assert copy == {row["id"] for row in rows(board, "alerts")}
    assert [row["state"] for row in rows(board, "alerts")] == ["firing"] * 3


def test_acknowledgements_push_no_silence_or_policy_date_off_the_page_and_can_all_be_taken_back():
    board = Board(BoardLimits(controls=3), clock=story.NOW.timestamp)
    board.control(Silence(**WHO, name="q", until=story.NOW + dt.timedelta(hours=1)))
    board.control(PolicyDate(**WHO, name="p", date="2023-05-11", sectors=("*",)))
    taken = [alert_of(number, Severity.CRITICAL) for number in range(5)]
    for alert in taken:
        board.alert(alert)
        board.control(Acknowledge(**WHO, alert_id=alert.alert_id))
    shown = [row["id"] for row in rows(board, "controls")]
    assert {"silence/q", "policy/p"} <= set(shown)
    assert len(shown) == 3
    assert {f"ack/{alert.alert_id}" for alert in taken} <= board.control_keys()


def test_a_board_that_is_still_being_filled_is_not_complete():
    board = Board(complete=False)
    assert not board.snapshot().as_json()["complete"]
    seen = board.version
    board.complete()
    assert board.changes(seen).as_json()["complete"]
