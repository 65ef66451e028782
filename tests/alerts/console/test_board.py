"""The board shows what stands now, and never more than its limits."""

import datetime as dt
import json
import threading

import pytest

from alerts.console.board import Board
from alerts.console.rows import BoardLimits
from alerts.console.sector_history import POINTS
from alerts.lifecycle.alert import Alert, Severity, State
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.controls import Acknowledge, Silence
from streams.contract.verdicts import Verdict
from tests import console_story as story

ROXHAM = story.PLACES[0]
WHO = {"by": "anna", "reason": "drill", "at": story.NOW}


@pytest.fixture(scope="module")
def days() -> list[Verdict]:
    return story.days_of(ROXHAM)


def rows(board: Board, kind: str) -> list[dict]:
    return board.snapshot().as_json()[kind]


def alert_of(number: int, severity: Severity, state: State = State.FIRING) -> Alert:
    place = story.Place(f"sector-{number}", "northern", 5)
    return story.raised(story.days_of(place)[-1], severity, 1, state=state)


def test_a_sector_shows_its_newest_period_whatever_the_order_of_arrival(days):
    forward, backward = Board(), Board()
    for verdict in days:
        forward.observe(verdict)
    for verdict in reversed(days):
        backward.observe(verdict)
    assert rows(forward, "sectors") == rows(backward, "sectors")
    assert rows(forward, "sectors")[0]["observed"] == days[-1].evidence.observed


def test_a_line_keeps_no_more_than_its_points(days):
    board = Board()
    for shift in range(3):
        for verdict in days:
            later = verdict.period + dt.timedelta(days=shift * story.DAYS)
            board.observe(story.judged(ROXHAM, later, 5, 5, (1, 9)))
    line = rows(board, "sectors")[0]["line"]
    assert [len(column) for column in line] == [POINTS] * 5
    assert line[0] == sorted(line[0])


def test_a_first_verdict_brings_its_recent_periods_along_without_ranges(days):
    board = Board()
    board.observe(story.judged_as(days[-1], days[-1].question, recent=(1, 2, 3), recent_expected=(2, 2, 2)))
    _, observed, expected, lower, _ = rows(board, "sectors")[0]["line"]
    assert observed == [1, 2, days[-1].evidence.observed]
    assert expected[:2] == [2, 2]
    assert lower[:2] == [None, None]


def test_a_sector_shows_its_last_period_alone_where_a_longer_window_was_judged(days):
    board = Board()
    week = {"observed": 99, "expected": 40, "window": 7, "period_lower": 2, "period_upper": 11}
    board.observe(
        story.judged_as(days[-1], days[-1].question, **week, recent=(9, 8, 21), recent_expected=(6, 6, 5))
    )
    (sector,) = rows(board, "sectors")
    assert [sector[name] for name in ("observed", "expected", "lower", "upper")] == [21, 5, 2, 11]
    assert [column[-1] for column in sector["line"][1:]] == [21, 5, 2, 11]


def test_a_sector_has_the_gravest_firing_severity_and_is_calm_when_all_are_resolved(days):
    board = Board()
    board.observe(days[-1])
    state = lambda: rows(board, "sectors")[0]["state"]  # noqa: E731
    assert state() == "calm"
    grave = story.raised(days[-1], Severity.CRITICAL, 9)
    slight = grave.model_copy(
        update={"question_key": "another", "alert_id": "another", "severity": Severity.INFO}
    )
    board.alert(slight.model_copy(update={"state": State.PENDING}))
    assert state() == "pending"
    board.alert(grave)
    board.alert(slight)
    assert state() == "critical"
    for alert in (grave, slight):
        board.alert(alert.model_copy(update={"state": State.RESOLVED}))
    assert state() == "calm"


def test_changes_since_a_version_bring_a_copy_to_the_same_state_as_the_snapshot():
    board = story.board(BoardLimits(sectors=3, alerts=2, deliveries=2, dead=1))
    copy, seen = {}, -1
    for place, alert in zip(story.PLACES, story.alerts(), strict=False):
        board.observe(story.days_of(place)[-1])
        board.alert(alert)
        board.delivery("slack", story.notice_of(alert), "delivered", at=story.LAST)
        seen = _apply(copy, board.changes(seen).as_json())
    whole = {}
    _apply(whole, board.snapshot().as_json())
    assert copy == whole
    limited = {kind: len(copy[kind]) for kind in ("sectors", "alerts", "deliveries", "dead")}
    assert limited == {"sectors": 3, "alerts": 2, "deliveries": 2, "dead": 1}


def _apply(copy, news):
    if news["whole"]:
        copy.clear()
    for kind, key in news["gone"]:
        copy.get(kind, {}).pop(key, None)
    for kind in ("sectors", "alerts", "controls", "sinks", "deliveries", "dead"):
        for item in news[kind]:
            copy.setdefault(kind, {})[item["id"]] = item
    return news["version"]


def test_a_page_that_is_up_to_date_gets_nothing_new():
    board = story.board()
    news = board.changes(board.snapshot().version).as_json()
    assert not any(news[kind] for kind in ("sectors", "alerts", "deliveries", "dead", "gone"))


def test_a_page_of_before_the_worker_restarted_gets_everything():
    board = story.board()
    assert board.changes(board.version + 5).whole


def test_a_page_that_missed_removals_gets_everything():
    board = Board(BoardLimits(deliveries=1))
    notice = story.notice_of(next(story.alerts()))
    for number in range(1_500):
        other = notice.model_copy(update={"notice_id": str(number)})
        board.delivery("slack", other, "delivered", at=story.LAST)
    assert board.changes(1).whole
    assert not board.changes(board.version - 1).whole


def test_a_dead_letter_that_is_taken_at_last_leaves_the_board():
    board = story.board()
    (letter,) = rows(board, "dead")
    seen = board.version
    notice = story.notice_of(next(story.alerts())).model_copy(update={"notice_id": letter["notice_id"]})
    board.delivery(letter["sink"], notice, "delivered", at=story.LAST)
    assert rows(board, "dead") == []
    assert ("dead", letter["id"]) in board.changes(seen).gone


def test_an_alert_that_is_no_longer_remembered_is_no_ghost():
    board = story.board()
    alert = next(story.alerts())
    board.forget_alert(alert.question_key)
    board.forget_alert(alert.question_key)
    assert alert.alert_id not in [row["id"] for row in rows(board, "alerts")]
    assert next(row for row in rows(board, "sectors") if row["id"] == alert.sector)["state"] == "calm"


def test_a_new_alert_on_a_question_takes_the_place_of_the_last_one(days):
    board = Board()
    first, second = (story.raised(days[-1], Severity.INFO, length) for length in (9, 2))
    board.alert(first.model_copy(update={"state": State.RESOLVED}))
    board.alert(second)
    assert [row["id"] for row in rows(board, "alerts")] == [second.alert_id]


def test_a_silence_is_shown_while_it_is_in_force_and_gone_when_it_is_over():
    now = story.NOW
    board = Board(clock=lambda: now.timestamp())
    board.alert(next(story.alerts()))
    board.control(Silence(**WHO, name="q", sector="rcmp-*", until=now + dt.timedelta(hours=1)))
    assert [row["id"] for row in rows(board, "controls")] == ["silence/q"]
    assert rows(board, "alerts")[0]["silenced_by"] == "anna"
    seen = board.version
    now += dt.timedelta(hours=2)
    board.expire()
    assert ("controls", "silence/q") in board.changes(seen).gone
    assert rows(board, "alerts")[0]["silenced_by"] == ""


def test_many_controls_at_once_cost_as_much_as_the_last_one_for_each_alert():
    """A worker reads thousands of them: what they mean for every alert is seen by the next reader."""
    board = Board(clock=story.NOW.timestamp)
    for number in range(50):
        board.alert(alert_of(number, Severity.INFO))
    before = board.version
    for _ in range(20):
        board.control(Silence(**WHO, name="q", until=story.NOW + dt.timedelta(hours=1)))
        board.withdrawn("silence/q")
    assert board.version - before <= 4 * 20
    board.control(Silence(**WHO, name="q", until=story.NOW + dt.timedelta(hours=1)))
    assert {alert.silenced_by for alert in board.alerts()} == {"anna"}
    assert {row["silenced_by"] for row in rows(board, "alerts")} == {"anna"}


def test_an_acknowledgement_that_expires_is_no_longer_shown():
    now = story.NOW
    expiring = Policies(default=Policy(acknowledgement_hours=8))
    board = Board(policies=expiring, clock=lambda: now.timestamp())
    board.alert(alert_of(1, Severity.INFO))
    board.control(Acknowledge(alert_id=board.alerts()[0].alert_id, **WHO))
    assert rows(board, "alerts")[0]["acknowledged_by"] == "anna"
    now += dt.timedelta(hours=8)
    assert rows(board, "alerts")[0]["acknowledged_by"] == ""


def test_a_silence_that_was_over_before_the_worker_started_is_not_shown():
    board = Board(clock=story.NOW.timestamp)
    board.control(Silence(**WHO, name="q", until=story.NOW - dt.timedelta(hours=1)))
    assert rows(board, "controls") == []


def test_an_acknowledgement_marks_its_alert_until_it_is_withdrawn():
    board = Board()
    alert = next(story.alerts())
    board.control(Acknowledge(**WHO, alert_id=alert.alert_id))
    board.alert(alert)
    assert rows(board, "alerts")[0]["acknowledged_by"] == "anna"
    board.withdrawn(f"ack/{alert.alert_id}")
    assert rows(board, "alerts")[0]["acknowledged_by"] == ""


def test_an_alert_that_is_cooling_down_says_how_far_it_is(days):
    board = story.board()
    (cooling,) = [row["cooling"] for row in rows(board, "alerts") if row["cooling"]]
    assert cooling == "2 of 7 calm days"


def test_a_sink_is_failing_from_its_first_failed_try_until_it_takes_something():
    board = Board(sinks=["slack"])
    notice = story.notice_of(next(story.alerts()))
    assert rows(board, "sinks")[0]["state"] == "idle"
    for minute in (1, 2):
        at = story.LAST + dt.timedelta(minutes=minute)
        board.delivery("slack", notice, "retry", at=at, detail="http_503")
    (sink,) = rows(board, "sinks")
    assert (sink["state"], sink["reason"]) == ("failing", "http_503")
    assert sink["failing_since"] == (story.LAST + dt.timedelta(minutes=1)).isoformat()
    board.delivery("slack", notice, "delivered", at=story.LAST)
    assert rows(board, "sinks")[0]["state"] == "failing"  # that was before: it is read back from the topic
    board.delivery("slack", notice, "delivered", at=story.NOW)
    assert rows(board, "sinks")[0]["state"] == "ok"


def test_two_threads_may_write_while_a_third_reads():
    board = Board(BoardLimits(alerts=5, deliveries=5, sectors=5))
    work = [
        lambda n: board.alert(alert_of(n % 7, Severity.INFO)),
        lambda n: board.observe(story.judged(story.PLACES[n % 9], story.LAST, n, 5, (1, 9))),
        lambda n: board.changes(board.version - 3),
    ]
    failures = []

    def repeat(one):
        try:
            for number in range(200):
                one(number)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_what_is_encoded_is_what_is_shown():
    """Rows are encoded once, and joined."""
    board = story.board()
    for news in (board.snapshot(), board.changes(board.version - 5), Board().snapshot()):
        assert json.loads(news.encode()) == json.loads(json.dumps(news.as_json()))
