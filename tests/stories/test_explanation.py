"""What `surgewatch explain` prints."""

import datetime as dt

from alerts.lifecycle.alert import Alert, Severity, State
from alerts.notices.explanation import explain
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict
from streams.judging.period_summary import PeriodSummary

DAY = dt.datetime(2021, 9, 16, tzinfo=dt.UTC)


def verdict(**evidence: object) -> Verdict:
    facts = {
        "observed": 2480,
        "expected": 1060.4,
        "lower": 760,
        "upper": 1420,
        "p_value": 2.1e-9,
        "alpha": 0.003,
        "recent": (900, 1100, 1200, 2480),
        "recent_expected": (1010.0, 1020.0, 1040.0, 1060.4),
    }
    return Verdict.of(
        question=Question.SURGE,
        sector="del-rio",
        border="southwest",
        cadence=Cadence.DAY,
        period=DAY,
        as_of=DAY + dt.timedelta(days=1),
        closed=True,
        breach=True,
        evidence=Evidence(**{**facts, **evidence}),
    )


def alert(latest: Verdict, worst: Verdict | None = None) -> Alert:
    return Alert(
        alert_id="a1",
        question_key=latest.question_key,
        question=latest.question,
        sector=latest.sector,
        state=State.FIRING,
        severity=Severity.CRITICAL,
        onset=DAY - dt.timedelta(days=3),
        updated=DAY,
        worst=worst or latest,
        latest=latest,
    )


def test_an_alert_shows_what_was_seen_what_is_normal_and_how_sure_it_is() -> None:
    text = explain(alert(verdict()))
    assert "CRITICAL firing: del-rio: more people than normal" in text
    assert "seen      2,480 people" in text
    assert "expected  1,060 (760 to 1,420): 1,420 more, 2.3 times" in text
    assert "since     2021-09-13 00:00 UTC" in text
    assert "a million or more" in text


def test_all_that_evidence_can_hold_fits_under_twenty_lines() -> None:
    parts = tuple(Contribution(name=f"citizenship={n}", observed=100 * n, expected=10) for n in range(9))
    full = verdict(
        slices=parts,
        neighbours=parts,
        share_reported=0.6,
        share_late=0.25,
        baseline="regression over 1095 days",
        down_weighted=3,
        last_as_high=DAY - dt.timedelta(days=700),
        capacity=2500,
        full_at=DAY,
        remark="upstream Tucson led by 9 days",
    )
    text = explain(alert(full, worst=verdict(observed=3000)).model_copy(update={"acknowledged_by": "ops"}))
    assert len(text.splitlines()) < 20
    assert "citizenship=8 800 for 10" in text
    assert "reported  60% of the events" in text
    assert "late      25% of those seen" in text
    assert "upstream Tucson led by 9 days" in text


def test_an_alert_where_nothing_was_expected_shows_no_ratio() -> None:
    text = explain(alert(verdict(observed=3, expected=0, lower=0, upper=0, p_value=0, recent=(0, 0, 3))))
    assert "expected  0 (0 to 0): 3 more" in text


def test_the_level_of_a_verdict_is_that_of_its_period_and_not_of_its_window() -> None:
    level = PeriodSummary.of(
        verdict(observed=7000, expected=4000, window=4, period_lower=900, period_upper=1300)
    )
    assert level is not None
    assert (level.observed, level.expected) == (2480, 1060.4)
    assert level.dispersion > 1


def test_one_person_is_no_people() -> None:
    assert "seen      1 person\n" in explain(alert(verdict(observed=1)))
