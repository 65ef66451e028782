"""Figures of notices agree with each other where they are small: rounding makes none contradict another."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.languages.language import ENGLISH
from alerts.lifecycle.alert import Alert, Severity, State
from alerts.notices.notices import compose, standing
from alerts.notices.titles import title
from alerts.notices.wording import normal
from streams.contract.sectors import registry
from streams.contract.verdicts import Question
from tests import console_story as story
from tests.alerts.made import verdict


def alert(*, closed: bool = True, question: Question = Question.SURGE, **evidence: Any) -> Alert:
    found = verdict(0, breach=True, closed=closed, question=question, **evidence)
    return story.raised(found, Severity.INFO, 1)


def text(one: Alert) -> str:
    return compose(standing(one), registry()).text


def test_few_people_are_expected_with_a_decimal_so_that_the_ratio_is_what_it_seems() -> None:
    assert title(alert(observed=2, expected=0.6)) == "Surge at Swanton: 2 in 1 day, expected 0.6 (×3.3)"
    assert title(alert(observed=20, expected=6)) == "Surge at Swanton: 20 in 1 day, expected 6 (×3.3)"
    assert title(alert(observed=90, expected=30.4)) == "Surge at Swanton: 90 in 1 day, expected 30 (×3.0)"


@given(observed=st.integers(0, 300), lower=st.floats(0, 90), wide=st.floats(1, 200))
def test_a_count_is_in_the_interval_that_is_shown_where_it_is_normal_and_only_there(
    observed: int, lower: float, wide: float
) -> None:
    evidence = verdict(0, breach=False, lower=lower, upper=lower + wide).evidence
    shown = {name: int(figure) for name, figure in normal(evidence, ENGLISH).items()}
    is_normal = evidence.lower <= observed <= evidence.upper
    assert (shown["lower"] <= observed <= shown["upper"]) == is_normal


def test_an_interval_without_a_whole_count_is_shown_the_right_way_round() -> None:
    evidence = verdict(0, breach=False, lower=0.2, upper=0.8).evidence
    assert normal(evidence, ENGLISH) == {"lower": "0", "upper": "0"}


def test_what_is_over_is_not_called_unfinished() -> None:
    open_period = alert(closed=False)
    assert "(not over yet)" in title(open_period)
    over = open_period.model_copy(update={"state": State.RESOLVED})
    assert title(over) == "Surge at Swanton: 90 in 1 day, expected 30 (×3.0)"


def test_a_capacity_of_less_than_one_person_is_not_nobody() -> None:
    assert "Capacity 0.5 a day." in text(alert(question=Question.STRAIN, capacity=0.5))


def test_reports_that_have_nearly_all_arrived_are_not_worth_a_line() -> None:
    assert "About 99% of the reports" in text(alert(share_reported=0.99))
    assert "of the reports" not in text(alert(share_reported=0.997))
