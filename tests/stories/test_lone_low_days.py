"""A place that shuts for a day now and then: the first time is news, and so is a second day in a row."""

from collections.abc import Sequence

import numpy as np
import pytest

from alerts.lifecycle.alert import Reason
from streams.contract.verdicts import Question
from tests.stories.port import Port

SHUT = (40, 70)  # days on which a fortieth came


def drops(days: Sequence[float], *, before: Sequence[int] = SHUT, seed: int = 1) -> list[int]:
    """On which of these last days a drop was first told, at a port of 150 people a day for a hundred days."""
    draw, port, usual = np.random.default_rng(seed), Port("2023-01-02"), np.full(100, 150.0)
    usual[list(before)] = 4
    port.tally(draw.poisson(usual).tolist())
    port.notices.clear()
    found = list[int]()
    for day, share in enumerate(days):
        port.tally([int(draw.poisson(150 * share))])
        found += [
            day for one in port.notices if (one.reason, one.alert.question) == (Reason.FIRST, Question.DROP)
        ]
        port.notices.clear()
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_day_as_low_as_lone_ones_before_it_is_no_news(seed: int) -> None:
    assert drops([0.03, 1, 1, 1, 1, 0.0, 1, 1, 1, 1], seed=seed) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_first_such_day_is_news(seed: int) -> None:
    assert drops([0.03, 1, 1], before=(), seed=seed) == [0]


@pytest.mark.parametrize("seed", range(3))
def test_a_second_low_day_in_a_row_is_news(seed: int) -> None:
    assert drops([0.03, 0.03, 0.03], seed=seed) == [1]


@pytest.mark.parametrize("seed", range(3))
def test_low_days_of_the_past_in_a_row_excuse_nothing(seed: int) -> None:
    assert drops([0.03, 1, 1], before=(40, 41, 42), seed=seed) == [0]


@pytest.mark.parametrize("seed", range(3))
def test_a_day_far_below_lone_low_ones_is_news(seed: int) -> None:
    """Half of the people have come on such days before; nobody has come on none."""
    draw, port, usual = np.random.default_rng(seed), Port("2023-01-02"), np.full(100, 150.0)
    usual[list(SHUT)] = 75
    port.tally(draw.poisson(usual).tolist())
    port.notices.clear()
    port.tally([0])
    assert [one.alert.question for one in port.notices] == [Question.DROP]
