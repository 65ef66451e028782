"""Laws of the generated detection suites: a benchmark that draws something else measures something else."""

import numpy as np
import pytest

from benchmarks.suites import SUITES


@pytest.mark.parametrize("name", SUITES)
def test_a_seed_makes_a_suite_once_and_another_seed_another_one(name: str) -> None:
    first, again, other = SUITES[name](1), SUITES[name](1), SUITES[name](2)
    counts = [np.stack([case.counts for case in suite.cases]) for suite in (first, again, other)]
    assert (counts[0] == counts[1]).all()
    assert (counts[0] != counts[2]).any()


@pytest.mark.parametrize("name", SUITES)
def test_every_surge_begins_in_the_scored_periods_and_is_part_of_the_counts(name: str) -> None:
    suite = SUITES[name](3)
    for case in suite.cases:
        assert (case.counts >= 0).all()
        assert not case.surge[: suite.first].any()
        assert case.surge.shape == case.counts.shape
    assert any(case.surge.any() for case in suite.cases)


def test_weekly_scenarios_have_the_means_of_their_description() -> None:
    """Scenarios 13 and 37: exp(1.5) and exp(5) a week, without trend and season."""
    suite = SUITES["weekly"](4)
    for name, mean in (("scenario 13", np.exp(1.5)), ("scenario 37", np.exp(5.0))):
        calm = [case.counts[:312] for case in suite.cases if case.group == name and not case.surge.any()]
        assert np.mean(calm) == pytest.approx(mean, rel=0.05)
