"""Laws of reporting delays and of counts that are reported in part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import late_events
from streams.baselines import reporting_delay
from streams.baselines.negative_binomial import at_least
from streams.baselines.reporting_delay import DelayTotals, ReportedShare
from streams.contract.cadence import Cadence
from streams.counting.reporting_triangle import EDGES, HORIZON, ReportingTriangle, column, moment_in

FIRST = 19_000
CADENCES = st.sampled_from([Cadence.DAY, Cadence.WEEK, Cadence.MONTH])
# Period, its age at arrival in hundredths of a period, people (taken back where below 0).
REPORTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4000), st.integers(-40, 300)), max_size=60)


def filled(cadence: Cadence, reports: list[tuple[int, int, int]]) -> ReportingTriangle:
    triangle = ReportingTriangle(cadence)
    for period, age, people in sorted(reports):
        triangle.add(FIRST + period, column(age / 100), people)
    return triangle


@given(CADENCES, REPORTS, st.floats(0, 90))
def test_a_share_lies_between_nothing_and_all_and_never_falls_with_age(
    cadence: Cadence, reports: list[tuple[int, int, int]], now: float
) -> None:
    learnt = DelayTotals.empty(cadence, FIRST).learn(filled(cadence, reports), FIRST + now)
    known = reporting_delay.reported_share(learnt.sums[None], cadence)
    found = reporting_delay.at(known, cadence, np.linspace(0, 40, 200)[None])
    assert ((found.share > 0) & (found.share <= 1)).all()
    assert (np.diff(found.share) >= -1e-12).all()
    assert (found.doubt >= 0).all()
    assert np.isfinite(found.doubt).all()
    assert (found.share**2 * (1 + found.doubt) <= found.share + 1e-9).all(), "no share above 1 is thinkable"


@given(REPORTS, st.lists(st.floats(0, 90), max_size=4))
def test_learning_in_steps_equals_learning_at_once(
    reports: list[tuple[int, int, int]], steps: list[float]
) -> None:
    triangle = filled(Cadence.DAY, reports)
    begin = DelayTotals.empty(Cadence.DAY, FIRST + 20)
    at_once, by_steps = begin.learn(triangle, FIRST + 90.0), begin
    for now in sorted(steps):
        by_steps = by_steps.learn(triangle, FIRST + now)
    by_steps = by_steps.learn(triangle, FIRST + 90.0)
    assert np.array_equal(at_once.learnt, by_steps.learnt)
    assert np.array_equal(at_once.sums, by_steps.sums)


@given(CADENCES, st.integers(0, 2_000), st.integers(0, 10**9))
def test_what_is_kept_does_not_grow(cadence: Cadence, period: int, seconds: int) -> None:
    triangle = ReportingTriangle(cadence)
    triangle.add(5, column(1), 1)
    triangle.add(period, column(moment_in(cadence, cadence.start(period) + seconds) - period), 3)
    assert triangle.table.shape == (HORIZON[cadence] + 1, len(EDGES[cadence]))


@given(st.floats(0.1, 1e4), st.floats(1, 20), st.floats(0.01, 1), st.floats(0, 0.5))
def test_a_part_is_never_more_than_the_whole_and_its_spread_no_wider(
    mean: float, spread: float, share: float, doubt: float
) -> None:
    known = ReportedShare(np.array([share]), np.array([min(doubt, 1 / share - 1)]))
    part, dispersion = reporting_delay.thinned(np.array([mean]), np.array([spread]), known)
    assert part[0] <= mean
    assert 1 <= dispersion[0] <= spread + 1e-9


def test_thinning_is_exact() -> None:
    random = np.random.default_rng(3)
    whole = random.negative_binomial(20, 1 / 3, 200_000)  # mean 40, variance 3 times that
    part = random.binomial(whole, 0.6)
    mean, dispersion = reporting_delay.thinned(
        np.array([40.0]), np.array([3.0]), ReportedShare(np.array([0.6]), np.zeros(1))
    )
    for count in (24, 35, 45):
        assert (part >= count).mean() == pytest.approx(at_least(count, mean, dispersion)[0], abs=0.004)


def test_where_days_differ_in_what_has_arrived_the_doubt_is_the_variance_of_their_shares() -> None:
    random = np.random.default_rng(4)
    triangle, learnt = ReportingTriangle(Cadence.DAY), DelayTotals.empty(Cadence.DAY, FIRST)
    for day in range(FIRST, FIRST + 200):
        whole = random.negative_binomial(80, 1 / 2)
        prompt = random.binomial(whole, random.beta(6, 4))  # mean .6, variance .0218
        triangle.add(day, column(0.9), prompt)
        triangle.add(day, column(1.4), whole - prompt)
        learnt = learnt.learn(triangle, day + 2.0)
    known = reporting_delay.at(
        reporting_delay.reported_share(learnt.sums[None], Cadence.DAY),
        Cadence.DAY,
        np.array([[1.0, 1.25, 1.5, 9]]),
    )
    assert known.share[0] == pytest.approx([0.6, 0.6, 1, 1], abs=0.05)
    assert known.doubt[0] == pytest.approx([0.0218 / 0.36, 0.0218 / 0.36, 0, 0], abs=0.03)


def test_a_few_periods_are_too_few_to_learn_a_delay_from() -> None:
    triangle = ReportingTriangle(Cadence.DAY)
    for day in range(FIRST, FIRST + 5):
        triangle.add(day, column(1.4), 30)
    learnt = DelayTotals.empty(Cadence.DAY, FIRST).learn(triangle, FIRST + 40.0)
    known = reporting_delay.reported_share(learnt.sums, Cadence.DAY)
    assert (known.share == 1).all()
    assert (known.doubt == 0).all()


def test_the_late_share_is_that_of_people_who_came_after_the_end() -> None:
    triangle = ReportingTriangle(Cadence.DAY)
    triangle.add(FIRST, column(0.5), 30)
    triangle.add(FIRST, column(2.5), 10)
    assert triangle.late(FIRST, 1) == 0.25
    assert triangle.late(FIRST + 20, 1) == 0


def test_where_six_of_ten_have_arrived_a_doubled_rate_is_found_nearly_as_often_as_with_all() -> None:
    naive, whole = late_events.references()
    known, learnt = late_events.single(None, learners=100), late_events.single(30, learners=100)
    assert naive.found < 0.06
    assert known.found > 0.79
    assert learnt.found > 0.77
    assert whole.found > 0.9


@pytest.mark.parametrize(("days", "differ"), [(7, 0.0), (30, 0.0), (30, 0.05), (30, 0.1)])
def test_a_share_that_is_learnt_costs_no_false_alarms(days: int, differ: float) -> None:
    assert late_events.single(days, differ, learners=100).false < 0.015
