"""The board shows the newest of everything, and never more than its limits."""

import datetime as dt

import pytest

from alerts.console.board import POINTS, Board, Limits
from alerts.lifecycle.alert import Severity, State
from tests import console_story as story

ROXHAM = story.PLACES[0]


@pytest.fixture(scope="module")
def days() -> list:
    return story.days_of(ROXHAM)


def test_a_sector_shows_its_newest_period_whatever_the_order_of_arrival(days):
    forward, backward = Board(), Board()
    for verdict in days:
        forward.observe(verdict)
    for verdict in reversed(days):
        backward.observe(verdict)
    assert forward.snapshot()["sectors"] == backward.snapshot()["sectors"]
    assert forward.snapshot()["sectors"][0]["observed"] == days[-1].evidence.observed


def test_a_line_keeps_no_more_than_its_points(days):
    board = Board()
    for shift in range(3):
        for verdict in days:
            later = verdict.period + dt.timedelta(days=shift * story.DAYS)
            board.observe(story.judged(ROXHAM, later, 5, 5, (1, 9)))
    line = board.snapshot()["sectors"][0]["line"]
    assert [len(column) for column in line] == [POINTS] * 5
    assert line[0] == sorted(line[0])


def test_a_first_verdict_brings_its_recent_periods_along_without_bands(days):
    board = Board()
    board.observe(story.told(days[-1], days[-1].question, recent=(1, 2, 3), recent_expected=(2, 2, 2)))
    _, observed, expected, lower, _ = board.snapshot()["sectors"][0]["line"]
    assert observed == [1, 2, days[-1].evidence.observed]
    assert expected[:2] == [2, 2]
    assert lower[:2] == [None, None]


def test_a_sector_shows_its_last_period_alone_where_a_longer_window_says_more(days):
    board = Board()
    week = {"observed": 99, "expected": 40, "window": 7, "period_lower": 2, "period_upper": 11}
    board.observe(
        story.told(days[-1], days[-1].question, **week, recent=(9, 8, 21), recent_expected=(6, 6, 5))
    )
    (sector,) = board.snapshot()["sectors"]
    assert [sector[name] for name in ("observed", "expected", "lower", "upper")] == [21, 5, 2, 11]
    assert [column[-1] for column in sector["line"][1:]] == [21, 5, 2, 11]


def test_a_sector_wears_the_gravest_firing_alert_and_is_calm_when_all_are_resolved(days):
    board = Board()
    board.observe(days[-1])
    state = lambda: board.snapshot()["sectors"][0]["state"]  # noqa: E731
    assert state() == "calm"
    grave = story.raised(days[-1], Severity.CRITICAL, 9)
    slight = story.raised(days[-1], Severity.INFO, 2)
    board.alert(slight.model_copy(update={"state": State.PENDING}))
    assert state() == "pending"
    board.alert(grave)
    board.alert(slight)
    assert state() == "critical"
    for alert in (grave, slight):
        board.alert(alert.model_copy(update={"state": State.RESOLVED}))
    assert state() == "calm"


def test_changes_since_a_version_bring_a_copy_to_the_same_state_as_the_snapshot():
    board = Board(Limits(sectors=3, alerts=2, deliveries=2, dead=1))
    copy, seen = {}, -1
    alerts = list(story.alerts())
    for place, alert in zip(story.PLACES, alerts, strict=False):
        board.observe(story.days_of(place)[-1])
        board.alert(alert)
        board.delivery("slack", alert.alert_id, "delivered", story.LAST)
        seen = _apply(copy, board.changes(seen))
    whole = {}
    _apply(whole, board.snapshot())
    assert copy == whole
    assert {kind: len(items) for kind, items in copy.items()} == {"sectors": 3, "alerts": 2, "deliveries": 2}


def _apply(copy, news):
    if news["whole"]:
        copy.clear()
    for kind, key in news["gone"]:
        copy.get(kind, {}).pop(key, None)
    for kind in ("sectors", "alerts", "deliveries", "dead"):
        for item in news[kind]:
            copy.setdefault(kind, {})[item["id"]] = item
    return news["version"]


def test_nothing_new_is_said_to_a_page_that_is_up_to_date():
    board = story.board()
    news = board.changes(board.version)
    assert not any(news[kind] for kind in ("sectors", "alerts", "deliveries", "dead", "gone"))


def test_a_page_from_another_life_of_the_worker_gets_everything():
    board = story.board()
    assert board.changes(board.version + 5)["whole"]


def test_a_page_that_missed_removals_gets_everything():
    board = Board(Limits(deliveries=1))
    for number in range(1_500):
        board.delivery("slack", str(number), "delivered", story.LAST)
    assert board.changes(1)["whole"]
    assert not board.changes(board.version - 1)["whole"]


def test_a_dead_letter_that_is_taken_at_last_leaves_the_board():
    board = story.board()
    (letter,) = board.snapshot()["dead"]
    seen = board.version
    board.delivery(letter["sink"], letter["notice_id"], "delivered", story.LAST)
    assert board.snapshot()["dead"] == []
    assert ["dead", letter["id"]] in board.changes(seen)["gone"]
