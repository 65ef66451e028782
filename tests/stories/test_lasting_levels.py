"""A level that lasts is no end of its alert: what is so low is told to be over once it is the new normal."""

import numpy as np
import pytest

from alerts.lifecycle.alert import Reason
from streams.contract.verdicts import Question
from tests.stories.port import Port


def told(port: Port) -> list[tuple[Reason, Question]]:
    wanted = (Question.DROP, Question.REGIME)
    return [(one.reason, one.alert.question) for one in port.notices if one.alert.question in wanted]


def lowered(share: float, seed: int, days: int) -> Port:
    """A hundred days of 150 people, and then some with a share of them."""
    draw, port = np.random.default_rng(seed), Port("2023-01-02")
    port.tally(draw.poisson(150, 100).tolist())
    port.notices.clear()
    port.tally(draw.poisson(150 * share, days).tolist())
    return port


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.2, 0.4])
def test_a_drop_that_lasts_is_not_over_before_its_level_is_told_to_be_new(share: float, seed: int) -> None:
    port = lowered(share, seed, days=30)
    found = told(port)
    assert found[0] == (Reason.FIRST, Question.DROP)
    assert not any(one.alert.expired for one in port.notices)
    assert found.index((Reason.FIRST, Question.REGIME)) < found.index((Reason.RESOLVED, Question.DROP))
    assert found.count((Reason.FIRST, Question.DROP)) == 1


def test_a_drop_is_over_four_days_after_people_come_again() -> None:
    port = lowered(0.2, seed=1, days=6)
    port.tally(np.random.default_rng(2).poisson(150, 4).tolist())
    assert told(port) == [(Reason.FIRST, Question.DROP), (Reason.RESOLVED, Question.DROP)]
