"""What people answer, and what becomes of an alert that nobody answers."""

import datetime as dt

from alerts.lifecycle.alert import Notice, Reason
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.alert_pipeline import AlertPipeline, Outcome
from alerts.notices.controls import Acknowledge
from alerts.notices.marks import Marks
from tests.alerts.lifecycle.test_state_machine import Record
from tests.alerts.made import verdict

MINUTE = 60.0
TOLD = 1_700_000_000.0  # seconds by the wall
PRESSING = Policies(default=Policy(unanswered_minutes=(15, 60)))


def fire(pipeline: AlertPipeline, day: int = 0, observed: float = 130) -> Outcome:
    """A breach of a day is heard at TOLD; it is critical where nothing else is said."""
    value = verdict(day, breach=True, observed=observed).model_dump_json().encode()
    return pipeline.process(0, [Record(day, value, timestamp=int(TOLD * 1000))])


def pass_time(pipeline: AlertPipeline, minutes: float) -> list[Notice]:
    """What is told at that time after the alert was, while event time stands still."""
    return [notice for notice, _ in pipeline.tick(TOLD + minutes * MINUTE, False).notices]


def acknowledge(marks: Marks, pipeline: AlertPipeline) -> None:
    (alert,) = pipeline.standing()
    at = dt.datetime.fromtimestamp(TOLD, dt.UTC)
    marks.apply(Acknowledge(by="anna", at=at, reason="on it", alert_id=alert.alert_id))


def test_what_nobody_answers_is_told_again_after_each_wait_and_then_no_more() -> None:
    pipeline = AlertPipeline(PRESSING, Marks())
    fire(pipeline)
    said = {
        minutes: [n.reason for n in pass_time(pipeline, minutes)] for minutes in (14, 15, 16, 60, 61, 900)
    }
    assert {minutes: reasons for minutes, reasons in said.items() if reasons} == {
        15: [Reason.UNANSWERED],
        60: [Reason.UNANSWERED],
    }


def test_what_is_below_the_severity_that_presses_is_not_told_again() -> None:
    pipeline = AlertPipeline(PRESSING, Marks())
    fire(pipeline, observed=60)
    assert pass_time(pipeline, 900) == []


def test_an_acknowledgement_is_told_at_once_and_once_and_ends_the_pressing() -> None:
    marks = Marks()
    pipeline = AlertPipeline(PRESSING, marks)
    fire(pipeline)
    acknowledge(marks, pipeline)
    (notice,) = pass_time(pipeline, 1)
    assert (notice.reason, notice.text.splitlines()[0]) == (Reason.ACKNOWLEDGED, "anna takes care of it.")
    assert pass_time(pipeline, 900) == []


def test_a_herald_that_died_presses_again_under_the_same_id() -> None:
    pipeline = AlertPipeline(PRESSING, Marks())
    fire(pipeline)
    held = {key: value for key, value in pipeline.dirty()[0] if value is not None}
    revived = AlertPipeline(PRESSING, Marks())
    revived.restore(0, held)
    (one,), (other,) = pass_time(pipeline, 20), pass_time(revived, 30)
    assert one.notice_id == other.notice_id


def test_a_notice_says_what_changed_since_the_last_one() -> None:
    pipeline = AlertPipeline(Policies(), Marks())
    fire(pipeline, observed=60)
    ((worse, _),) = fire(pipeline, 1, observed=200).notices
    assert worse.text.splitlines()[0] == "Now critical. When last told: 60 in 1 day, expected 30 (×2.0)."
