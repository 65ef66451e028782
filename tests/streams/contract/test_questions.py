"""The table of questions: what its entries have to add up to."""

import pytest

from streams.contract.questions import Question


def test_the_questions_share_out_the_whole_budget_and_no_more() -> None:
    assert sum(question.entry.budget_share for question in Question) == pytest.approx(1)
