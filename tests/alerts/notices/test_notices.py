"""Notices in the words of an on-call engineer."""

import datetime as dt

from alerts.lifecycle.policies import policies
from alerts.notices.trial import trial_notices
from alerts.sinks.pagerduty import page
from streams.contract.verdicts import Question, Verdict
from tests.alerts.made import FIRST_DAY, verdict
from tests.alerts.one_sink import OneSink


def test_a_sector_over_its_capacity_is_named_with_its_room() -> None:
    full = verdict(0, breach=True, observed=31, expected=35, question=Question.STRAIN, capacity=8)
    (notice,) = OneSink(policies=policies()).judge(full)
    assert notice.headline == "Swanton is over capacity: 31 people today, room for 8 (3.9 times)."


def test_a_sector_that_was_over_capacity_is_resolved_at_its_worst() -> None:
    desk = OneSink(policies=policies())
    desk.judge(verdict(0, breach=True, observed=31, expected=35, question=Question.STRAIN, capacity=8))
    (over,) = desk.judge(verdict(1, breach=False, expected=5, question=Question.STRAIN, capacity=8))
    assert over.headline == (
        "Resolved: Swanton was over capacity: 31 people in 1 day, room for 8 (3.9 times)."
    )


def test_a_source_that_stopped_is_named_and_over_once_it_sends_again() -> None:
    """However few people are expected."""
    desk, away = OneSink(policies=policies()), FIRST_DAY - dt.timedelta(hours=5)
    silent = verdict(0, breach=True, observed=0, expected=1, question=Question.SILENCE, source="customs")
    (first,) = desk.judge(with_evidence(silent, no_data_since=away, recent=(), slices=()))
    assert first.headline == (
        "No data from customs at Swanton for 29 hours. Last heartbeat 2022-12-31 19:00 UTC. "
        "1 a day were expected."
    )
    assert "The heartbeats of customs have stopped; how many people came is not known." in first.text
    assert first.alert.severity == "warning"
    back = verdict(1, breach=False, observed=0, expected=0, question=Question.SILENCE, source="customs")
    (over,) = desk.judge(back)
    assert over.headline.startswith("Resolved: No data from customs at Swanton")
    assert "customs sends again." in over.text


def with_evidence(verdict: Verdict, **changes: object) -> Verdict:
    return verdict.model_copy(update={"evidence": verdict.evidence.model_copy(update=changes)})


def test_a_test_page_is_marked_as_one_and_is_resolved() -> None:
    opened, over = trial_notices(FIRST_DAY)
    assert [page(one)["event_action"] for one in (opened, over)] == ["trigger", "resolve"]
    assert page(opened)["dedup_key"] == page(over)["dedup_key"]
    assert page(opened)["payload"]["summary"] == "[TEST] Test page from Surgewatch"


def test_nobody_is_not_a_number_of_times_fewer() -> None:
    gone = verdict(0, breach=True, observed=0, expected=171, question=Question.DROP)
    (notice,) = OneSink(policies=policies()).judge(gone)
    assert notice.headline == "Drop at Swanton: 0 in 1 day, expected 171"
