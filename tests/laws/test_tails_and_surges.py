"""Laws of the count tails and of the surge that is judged by them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from streams.baselines import tails
from streams.detectors import drop, surge

MEANS = st.floats(1e-3, 1e5)
SPREADS = st.floats(1.01, 50)
COUNTS = st.integers(0, 10**6)
WINDOWS = (1, 3, 7)


def _surge(observed: np.ndarray, mean: float = 10.0, spread: float = 1.5) -> surge.Surge:
    n = len(observed)
    return surge.judge(
        observed,
        np.full_like(observed, mean),
        np.full(n, spread),
        np.full(n, 1e-3),
        WINDOWS,
        np.full(n, 0.01),
    )


@given(st.integers(0, 2000), st.floats(0.01, 500), SPREADS)
def test_the_tail_is_that_of_the_distribution(count: int, mean: float, spread: float) -> None:
    size = mean / (spread - 1)
    exact = stats.nbinom.sf(count - 1, size, size / (size + mean))
    assert np.isclose(tails.at_least(count, mean, spread), exact, rtol=1e-6, atol=1e-14)


@given(COUNTS, MEANS, st.floats(1, 50))
def test_a_tail_is_a_probability(count: int, mean: float, spread: float) -> None:
    for tail in (tails.at_least, tails.at_most, tails.mid):
        assert 0 <= tail(count, mean, spread) <= 1


@given(st.floats(1e-6, 0.4), st.floats(0.01, 1e4), SPREADS)
def test_the_threshold_is_the_smallest_count_beyond_the_level(
    alpha: float, mean: float, spread: float
) -> None:
    count = tails.threshold(alpha, mean, spread)
    assert tails.at_least(count, mean, spread) <= alpha < tails.at_least(count - 1, mean, spread)


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
        observed, np.full_like(observed, mean), np.array([spread]), np.array([0.01]), WINDOWS
    ).p_value
    for p_value in (_surge(observed, mean, spread).p_value, below):
        assert np.isfinite(p_value).all()
        assert ((p_value >= 0) & (p_value <= 1)).all()


@given(st.permutations(range(5)))
def test_the_order_of_sectors_changes_nothing(order: list[int]) -> None:
    observed = np.random.default_rng(1).poisson(10, (5, 7)).astype(float)
    assert np.array_equal(_surge(observed).p_value[order], _surge(observed[order]).p_value)


def test_a_surge_is_as_rare_on_its_own_model_as_it_says() -> None:
    random = np.random.default_rng(2)
    mean, spread = 20.0, 2.0
    size = mean / (spread - 1)
    observed = random.negative_binomial(size, size / (size + mean), (40_000, 7)).astype(float)
    found = surge.judge(
        observed,
        np.full_like(observed, mean),
        np.full(40_000, spread),
        np.zeros(40_000),
        WINDOWS,
        np.full(40_000, 0.01),
    )
    assert 0.006 < (found.p_value <= 0.01).mean() < 0.012
