"""Laws of displacement, spill-over and scan, over any counts of a border's sectors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streams.detectors import displacement, scan, spill_over
from tests.examples import few

LINE = np.eye(4, k=1, dtype=bool) | np.eye(4, k=-1, dtype=bool)
SETS = scan.zones(LINE)
COUNTS = arrays.arrays(np.float64, (4, 7), elements=st.integers(0, 100_000).map(float))
MEANS = arrays.arrays(np.float64, (4, 7), elements=st.floats(0, 1e5))
DISPERSION = st.floats(1, 200)


@given(counts=COUNTS, means=MEANS, dispersion=DISPERSION)
def test_displacement_gives_probabilities_for_any_counts(counts, means, dispersion):
    p = displacement.judge(counts, means, np.full((4, 7), dispersion), LINE).p_value
    assert np.isfinite(p).all()
    assert ((p >= 0) & (p <= 1)).all()


@given(counts=COUNTS, means=MEANS, dispersion=DISPERSION, order=st.permutations(range(4)))
def test_displacement_does_not_depend_on_the_order_of_sectors(counts, means, dispersion, order):
    spread = np.full((4, 7), dispersion)
    here = displacement.judge(counts, means, spread, LINE)
    there = displacement.judge(counts[order], means[order], spread, LINE[np.ix_(order, order)])
    assert np.allclose(here.p_value[order], there.p_value, rtol=1e-6)


@few(25)
@given(counts=COUNTS, means=MEANS, dispersion=DISPERSION)
def test_scan_gives_a_probability_for_any_counts_and_the_same_one_again(counts, means, dispersion):
    found, again = (scan.judge(counts, means, np.full((4, 7), dispersion), SETS) for _ in range(2))
    assert 0 <= found.p_value <= 1
    assert found.p_value == again.p_value


@few(25)
@given(counts=COUNTS, more=COUNTS, means=MEANS)
def test_more_people_never_make_a_scan_less_surprised(counts, more, means):
    few, many = (scan.judge(seen, means, np.full((4, 7), 2.0), SETS) for seen in (counts, counts + more))
    assert many.score >= few.score
    assert many.p_value <= few.p_value


@few(25)
@given(residuals=arrays.arrays(np.float64, (3, 60), elements=st.floats(-4, 4)))
def test_spill_over_gives_probabilities_for_any_residuals(residuals):
    found = spill_over.judge(residuals, np.array([[0, 1], [2, 1]]), 2)
    for p in (found.p_lag, found.p_value):
        assert np.isfinite(p).all()
        assert ((p >= 0) & (p <= 1)).all()
    assert ((found.lag >= 1) & (found.lag <= spill_over.LAGS)).all()


def test_a_border_of_one_sector_has_no_verdict_on_neighbours():
    alone = np.zeros((1, 1), bool)
    five, fifty, two = (np.full((1, 1), value) for value in (5.0, 50.0, 2.0))
    assert displacement.judge(five, fifty, two, alone).p_value.tolist() == [1.0]
    assert spill_over.judge(np.zeros((1, 60)), np.zeros((0, 2), np.int64), 0).lag.size == 0
