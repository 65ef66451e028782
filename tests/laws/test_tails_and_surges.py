"""Laws of the count tails and of the surge that is judged by them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from streams.baselines import negative_binomial
from streams.contract.cadence import Cadence
from streams.detectors import drop, surge

MEANS = st.floats(1e-3, 1e5)
SPREADS = st.floats(1.01, 50)
COUNTS = st.integers(0, 10**6)
WINDOWS = (1, 3, 7)
PAST = surge.PAST[Cadence.DAY]


def _surge(observed: np.ndarray, mean: float = 10.0, spread: float = 1.5) -> surge.Surge:
    return surge.judge(*_seen(observed, mean, spread), past=PAST)


def _seen(observed: np.ndarray, mean: float, spread: float) -> tuple[np.ndarray, ...]:
    doubt = np.full(len(observed), 1e-3)
    return observed, np.full_like(observed, mean), np.full_like(observed, spread), doubt


@given(st.integers(0, 2000), st.floats(0.01, 500), SPREADS)
def test_the_tail_is_that_of_the_distribution(count: int, mean: float, spread: float) -> None:
    size = mean / (spread - 1)
    exact = stats.nbinom.sf(count - 1, size, size / (size + mean))
    assert np.isclose(negative_binomial.at_least(count, mean, spread), exact, rtol=1e-6, atol=1e-14)


@given(COUNTS, MEANS, st.floats(1, 50))
def test_a_tail_is_a_probability(count: int, mean: float, spread: float) -> None:
    for tail in (negative_binomial.at_least, negative_binomial.at_most, negative_binomial.mid):
        assert 0 <= tail(count, mean, spread) <= 1


@given(st.floats(1e-6, 0.4), st.floats(0.01, 1e4), SPREADS)
def test_the_threshold_is_the_smallest_count_beyond_the_level(
    alpha: float, mean: float, spread: float
) -> None:
    count = negative_binomial.threshold(alpha, mean, spread)
    assert (
        negative_binomial.at_least(count, mean, spread)
        <= alpha
        < negative_binomial.at_least(count - 1, mean, spread)
    )


@given(st.lists(st.integers(0, 10**5), min_size=7, max_size=7), st.integers(1, 10**4))
def test_more_people_never_make_a_surge_less_likely(counts: list[int], more: int) -> None:
    before = np.array([counts], float)
    after = before.copy()
    after[0, -1] += more
    assert _surge(after).p_value[0] <= _surge(before).p_value[0] * (1 + 1e-9) + 1e-12


@given(st.lists(st.integers(0, 10**6), min_size=7, max_size=7), MEANS, st.floats(1, 50))
def test_surge_and_drop_are_probabilities_for_any_counts(
    counts: list[int], mean: float, spread: float
) -> None:
    observed = np.array([counts], float)
    below = drop.judge(
        observed, np.full_like(observed, mean), np.array([spread]), np.array([0.01]), windows=WINDOWS
    ).p_value
    for p_value in (_surge(observed, mean, spread).p_value, below):
        assert np.isfinite(p_value).all()
        assert ((p_value >= 0) & (p_value <= 1)).all()


@given(st.permutations(range(5)))
def test_the_order_of_sectors_changes_nothing(order: list[int]) -> None:
    observed = np.random.default_rng(1).poisson(10, (5, 7)).astype(float)
    assert np.array_equal(_surge(observed).p_value[order], _surge(observed[order]).p_value)


@given(
    st.lists(st.integers(0, 10**4), min_size=7, max_size=7),
    st.lists(st.integers(0, 10**3), min_size=7, max_size=7),
    MEANS,
)
def test_more_people_in_the_days_before_never_make_a_surge_less_likely(
    counts: list[int], more: list[int], mean: float
) -> None:
    before = np.array([counts], float)
    after = before + np.array([more], float)
    assert _surge(after, mean).p_value[0] <= _surge(before, mean).p_value[0] * (1 + 1e-9) + 1e-12


@given(st.lists(st.integers(0, 200), min_size=7, max_size=7), st.floats(0.1, 100), SPREADS)
def test_the_count_that_is_needed_is_the_smallest_that_is_a_breach(
    counts: list[int], mean: float, spread: float
) -> None:
    observed = np.array([counts], float)
    for count, breach in ((0, True), (-1, False)):
        at = observed.copy()
        at[0, -1] = surge.needed(*_seen(observed, mean, spread), past=PAST, alpha=np.array([0.01]))[0] + count
        if at[0, -1] >= 0:
            assert (_surge(at, mean, spread).p_value[0] <= 0.01) == breach


@pytest.mark.parametrize("cadence", list(Cadence))
@pytest.mark.parametrize(("mean", "spread"), [(0.1, 1.2), (1.0, 3.0), (8.0, 1.0), (20.0, 2.0), (500.0, 10.0)])
def test_a_surge_is_as_rare_on_its_own_model_as_stated(cadence: Cadence, mean: float, spread: float) -> None:
    """Never more often; and where counts are no lattice of a few, not much less often."""
    random = np.random.default_rng(2)
    past, n = surge.PAST[cadence], 40_000
    shape = (n, past.periods + 1)
    size = mean / max(spread - 1, 1e-6)
    observed = random.negative_binomial(size, 1 / max(spread, 1 + 1e-6), shape).astype(float)
    found = surge.judge(observed, np.full(shape, mean), np.full(shape, spread), np.zeros(n), past=past)
    rate = (found.p_value <= 0.01).mean()
    assert rate < 0.0115  # two standard errors above .01
    assert rate > 0.006 or mean < 20
