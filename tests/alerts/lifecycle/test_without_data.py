"""Alerts of a sector without data: what stands, stands."""

import datetime as dt

from alerts.console.board import Board
from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import Policy
from alerts.lifecycle.state_machine import expire, step
from streams.contract.verdicts import DataStatus, Verdict
from streams.judging.period_summary import PeriodSummary
from tests.alerts.made import FIRST_DAY, verdict

POLICY = Policy()
SINCE = FIRST_DAY + dt.timedelta(hours=14)


def held(day: int, *, breach: bool = True) -> Verdict:
    """A verdict on a day without data."""
    made = verdict(day, breach=breach, observed=0.0, expected=0.0, no_data_since=SINCE)
    return made.model_copy(update={"data": DataStatus.WITHOUT_DATA})


def after(*verdicts: Verdict) -> Alert | None:
    """The alert after some verdicts, each of which lets time pass."""
    alert: Alert | None = None
    for one in verdicts:
        if alert is not None:
            alert = expire(alert, one.as_of, POLICY)
        alert = step(alert, one, POLICY, at=FIRST_DAY)
    return alert


def test_a_firing_alert_stands_for_as_long_as_there_is_no_data() -> None:
    alert = after(verdict(0, breach=True), *(held(day) for day in range(1, 100)))
    assert alert is not None
    assert alert.state is State.FIRING
    assert alert.no_data_since == SINCE
    assert alert.latest.evidence.observed == 90  # the figures are those of the last day with data


def test_calm_is_counted_on_where_it_was_once_data_return() -> None:
    calm = [verdict(day, breach=False) for day in range(50, 50 + POLICY.resolve_after)]
    before = after(verdict(0, breach=True), *(held(day) for day in range(1, 50)), *calm[:-1])
    assert before is not None
    assert before.state is State.FIRING
    assert before.no_data_since is None
    over = step(before, calm[-1], POLICY, at=FIRST_DAY)
    assert over is not None
    assert over.state is State.RESOLVED


def test_no_alert_opens_without_data() -> None:
    assert after(held(0), held(1)) is None


def test_an_older_held_verdict_changes_nothing() -> None:
    alert = after(verdict(0, breach=True), held(1), held(2))
    assert alert is not None
    assert step(alert, held(1), POLICY, at=FIRST_DAY) is alert


def test_a_border_does_not_wait_for_a_sector_without_data() -> None:
    summary = PeriodSummary.of(held(3))
    assert summary is not None
    assert (summary.observed, summary.expected, summary.alarm) == (0, 0, False)


def test_the_console_shows_the_last_figures_and_since_when_there_is_no_data() -> None:
    board = Board()
    board.observe(verdict(0, breach=True))
    board.observe(held(1))
    (sector,) = board.snapshot()["sectors"]
    assert (sector["observed"], sector["data"]) == (90, "without_data")
    assert sector["no_data_since"] == SINCE.isoformat()
    board.observe(verdict(2, breach=False))
    (sector,) = board.snapshot()["sectors"]
    assert (sector["data"], sector["no_data_since"]) == ("with_data", None)
