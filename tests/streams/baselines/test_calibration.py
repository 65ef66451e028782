"""What the past of a series shows of its tails."""

import numpy as np

from streams.baselines.calibration import Calibration, heaviness_below

DAYS, SERIES, MEAN, SPREAD = 400, 40, 100.0, 15.0


def _below(factor: np.ndarray) -> np.ndarray:
    """Return κ of series whose mean is MEAN times `factor` [SERIES, DAYS]."""
    random = np.random.default_rng(1)
    counts = random.negative_binomial(MEAN * factor / (SPREAD - 1), 1 / SPREAD, (SERIES, DAYS))
    mean = np.full(counts.shape, MEAN)
    return heaviness_below(counts.astype(float), mean, np.full(SERIES, SPREAD), np.ones_like(mean))


def test_four_of_five_series_that_are_what_their_model_is_keep_its_lower_tail() -> None:
    assert (_below(np.ones((SERIES, DAYS))) == 1).mean() >= 0.8


def test_bad_weather_makes_the_lower_tail_heavier() -> None:
    bad = np.random.default_rng(2).random((SERIES, DAYS)) < 0.2
    assert (_below(np.where(bad, 0.1, 1.2)) > 1.3).all()


def test_one_closure_of_three_weeks_makes_no_heavy_lower_tail() -> None:
    closed = np.ones((SERIES, DAYS))
    closed[:, 200:221] = 0.001
    assert (_below(closed) < 3.5).all()


def test_a_nominal_level_is_the_one_that_is_recalibrated_to_what_was_asked() -> None:
    calibration = Calibration(heavy=2.0, freedom=20.0, unseen=0.3, heavy_below=3.0)
    for alpha in (0.01, 1e-4):
        assert np.isclose(calibration.upper(calibration.nominal(alpha)), alpha)
        assert np.isclose(calibration.lower(calibration.nominal_lower(alpha)), alpha)
