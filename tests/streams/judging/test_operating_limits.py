"""What the budget of false alarms lets each question do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.questions import DEFAULT_BUDGET, Question
from streams.judging.operating_limits import level

BUDGETS = st.floats(0.001, 30)


@given(st.sampled_from(Question), st.sampled_from(Cadence), BUDGETS, BUDGETS)
def test_a_smaller_budget_makes_no_question_laxer(
    question: Question, cadence: Cadence, one: float, other: float
) -> None:
    smaller, larger = sorted((one, other))
    assert level(question, cadence, smaller) <= level(question, cadence, larger)


def test_a_record_is_never_less_unusual_than_at_the_default_budget() -> None:
    assert level(Question.RECORD, Cadence.DAY, 30) == level(Question.RECORD, Cadence.DAY, DEFAULT_BUDGET)


def test_a_budget_cut_to_a_fifth_cuts_the_level_of_every_question_to_a_fifth() -> None:
    for question in Question:
        at_default = level(question, Cadence.DAY, DEFAULT_BUDGET)
        assert level(question, Cadence.DAY, DEFAULT_BUDGET / 5) == pytest.approx(at_default / 5)
