"""Laws of slow rise, regime, mix and strain, over any counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streams.detectors import mix, regime, slow_rise, strain
from tests.examples import few

COUNT = st.integers(0, 100_000)
MEAN = st.floats(0, 1e5, allow_nan=False)
DISPERSION = st.floats(1, 200)
CHAINS = (slow_rise, regime)


def counts(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays.arrays(np.int64, shape, elements=COUNT)


def risen(observed: np.ndarray, mean: float, dispersion: float) -> list[slow_rise.Step]:
    state, steps = slow_rise.State.empty(observed.shape[1]), []
    for one in observed:
        steps.append(slow_rise.step(state, one, mean, dispersion, control_limit=slow_rise.limit(1000)))
        state = steps[-1].state
    return steps


def drifted(observed: np.ndarray, mean: float, dispersion: float) -> list[regime.Step]:
    state, steps = regime.State.empty(observed.shape[1]), []
    for one in observed:
        steps.append(regime.step(state, one, mean, dispersion))
        state = steps[-1].state
    return steps


RUNS = pytest.mark.parametrize("run", [risen, drifted])


@RUNS
@given(observed=counts(20, 3), mean=MEAN, dispersion=DISPERSION)
def test_p_is_finite_and_a_probability_for_any_counts(run, observed, mean, dispersion):
    p = np.array([step.p_value for step in run(observed, mean, dispersion)])
    assert np.isfinite(p).all()
    assert ((p >= 0) & (p <= 1)).all()


@RUNS
@given(observed=counts(20, 4), mean=MEAN, dispersion=DISPERSION, order=st.permutations(range(4)))
def test_the_order_of_the_series_changes_nothing(run, observed, mean, dispersion, order):
    here = np.array([step.p_value for step in run(observed, mean, dispersion)])
    there = np.array([step.p_value for step in run(observed[:, order], mean, dispersion)])
    assert (here[:, order] == there).all()


@given(observed=counts(6, 1), more=counts(6, 1), mean=MEAN, dispersion=DISPERSION)
def test_more_people_never_make_a_slow_rise_less_likely_until_it_alarms(observed, more, mean, dispersion):
    for fewer, many in zip(
        risen(observed, mean, dispersion), risen(observed + more, mean, dispersion), strict=True
    ):
        assert many.p_value <= fewer.p_value * (1 + 1e-9)
        if many.alarm:
            break


@pytest.mark.parametrize(("mean", "dispersion"), [(2, 1.5), (20, 1.2), (20, 4), (200, 3), (2000, 50)])
def test_slow_rise_is_calm_on_its_own_model_at_the_stated_rate(mean, dispersion):
    """500 series of 400 periods at one false alarm in 200: 1,000 would be allowed; the bound is loose."""
    size = mean / (dispersion - 1)
    observed = np.random.default_rng(3).negative_binomial(size, size / (size + mean), (400, 500))
    assert (
        sum(step.alarm.sum() for step in _limited(observed, float(mean), dispersion, slow_rise.limit(200)))
        <= 1000
    )


def _limited(observed, mean, dispersion, control_limit):
    state = slow_rise.State.empty(observed.shape[1])
    for one in observed:
        step = slow_rise.step(state, one, mean, dispersion, control_limit=control_limit)
        state = step.state
        yield step


def test_a_rise_of_four_tenths_is_found_within_two_weeks():
    """Mean 40 a day, dispersion 2: the 14-day sum would be 160 above; no day is twice what is normal."""
    size = 56 / (2 - 1)
    observed = np.random.default_rng(5).negative_binomial(size, size / (size + 56), (14, 200))
    alarms = np.array([step.alarm for step in risen(observed, 40.0, 2.0)])
    assert alarms.any(0).mean() > 0.9


def test_a_rise_starts_anew_after_its_alarm():
    steps = risen(np.full((30, 1), 60), 40.0, 2.0)
    first = next(at for at, step in enumerate(steps) if step.alarm[0])
    assert steps[first].state.total[0] == 0
    assert steps[first + 1].rise.age[0] == 1


def test_a_lasting_new_level_is_proposed_and_a_passing_one_is_not():
    level = np.array([[100]] * 20 + [[60]] * 15)
    assert [at for at, step in enumerate(drifted(level, 100.0, 2.0)) if step.proposed[0]] == [34]
    passing = np.array([[60]] * 14 + [[120]] + [[60]] * 14)
    assert not any(step.proposed[0] for step in drifted(passing, 100.0, 2.0))


@given(now=counts(5), past=counts(5, 8), extra=COUNT)
def test_mix_gives_probabilities_for_any_counts(now, past, extra):
    found = mix.judge(now, now.sum() + extra, past, past.sum(0), alpha=0.01)
    for p in (found.p_slice, np.atleast_1d(found.p_value)):
        assert np.isfinite(p).all()
        assert ((p >= 0) & (p <= 1)).all()


@given(past=counts(3, 8), one=st.integers(0, 500), more=st.integers(0, 500))
def test_a_larger_slice_of_the_same_total_is_never_less_surprising(past, one, more):
    few = mix.judge([one, 0, 0], 1000, past, past.sum(0), alpha=0.01)
    many = mix.judge([one + more, 0, 0], 1000, past, past.sum(0), alpha=0.01)
    assert many.p_slice[0] <= few.p_slice[0] + 1e-12


@given(now=counts(4), past=counts(4, 8), order=st.permutations(range(4)))
def test_the_order_of_the_slices_changes_nothing(now, past, order):
    here = mix.judge(now, now.sum(), past, past.sum(0), alpha=0.01)
    there = mix.judge(now[order], now.sum(), past[order], past.sum(0), alpha=0.01)
    assert np.allclose(here.p_slice[order], there.p_slice, rtol=1e-6, atol=1e-300)


def test_a_surge_of_all_slices_alike_is_no_shift():
    past = np.tile([[500.0], [300], [200]], 8)
    assert not mix.judge([1500, 900, 600], 3000, past, past.sum(0), alpha=0.01).shifted.any()


def test_a_shift_within_a_calm_total_is_found():
    past = np.tile([[500.0], [300], [200]], 8)
    assert mix.judge([350, 290, 360], 1000, past, past.sum(0), alpha=0.01).shifted.tolist() == [
        False,
        False,
        True,
    ]


def test_mix_is_calm_on_its_own_model_at_the_stated_rate():
    """4,000 windows at one in a hundred: 40 are allowed, 60 are three standard deviations more."""
    drawn = np.random.default_rng(13).multinomial(400, [0.5, 0.2, 0.15, 0.1, 0.05], (4000, 9)).swapaxes(1, 2)
    found = mix.judge(drawn[..., -1], 400, drawn[..., :-1], np.full((4000, 8), 400), alpha=0.01)
    assert found.shifted.any(-1).sum() <= 60


@given(taken=COUNT, more=COUNT, rate=st.floats(0, 10), capacity=st.floats(1, 1e4))
def test_more_people_never_leave_more_room(taken, more, rate, capacity):
    few, many = (strain.judge(people, rate, capacity, left=3600) for people in (taken, taken + more))
    assert many.full_in <= few.full_in
    assert many.p_value <= few.p_value
    assert many.breach >= few.breach


@few(50)
@given(observed=counts(12, 2), mean=MEAN, stop=st.integers(0, 12))
def test_going_on_from_a_state_is_never_having_stopped(observed, mean, stop):
    whole = risen(observed, mean, 2.0)[-1]
    state = slow_rise.State.empty(2)
    for at, one in enumerate(observed):
        if at == stop:
            held = [column.tobytes() for column in state]
            state = slow_rise.State(*(np.frombuffer(column) for column in held))
        state = slow_rise.step(state, one, mean, 2.0, control_limit=slow_rise.limit(1000)).state
    assert state.total.tolist() == whole.state.total.tolist()
