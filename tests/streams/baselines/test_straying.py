"""How far sums stray: nothing where chance explains it, and what it is where levels stray."""

import numpy as np

from streams.baselines.level import of_mean
from streams.baselines.straying import Residuals, straying
from streams.detectors import displacement

MEAN, DAYS, WEEK = 1000.0, 120, 7
EACH = np.eye(9, dtype=bool)
LINE = np.eye(9, k=1, dtype=bool) | np.eye(9, k=-1, dtype=bool)


def counts(random: np.random.Generator, deviation: float) -> np.ndarray:
    """Poisson counts of nine sectors, each about a log level that strays by an AR(1)."""
    log, days = random.normal(0, deviation, len(EACH)), []
    for _ in range(DAYS):
        log = 0.9 * log + random.normal(0, deviation * 0.19**0.5, len(EACH))
        days.append(random.poisson(MEAN * np.exp(log - deviation**2 / 2)))
    return np.array(days, float).T


def residuals(observed: np.ndarray) -> Residuals:
    mean = np.full(observed.shape, MEAN)
    return Residuals(observed - mean, mean, mean)


def test_days_that_are_independent_do_not_stray() -> None:
    found = straying(residuals(counts(np.random.default_rng(1), 0.0)), EACH, WEEK)
    assert np.count_nonzero(found) <= 1
    assert found.max() < 1e-3  # of 1000 people a day, a week strays by less than a thirtieth


def test_weeks_of_a_level_that_strays_show_most_of_its_variance_and_no_more() -> None:
    """What is far off counts for less, so some of it is missing."""
    random = np.random.default_rng(2)
    found = np.mean([straying(residuals(counts(random, 0.15)), EACH, WEEK).mean() for _ in range(20)])
    true = of_mean(np.array([0.15**2]), 0.9, np.array([WEEK]))[0]
    assert 0.6 * true < found < true


def test_less_than_two_windows_show_nothing() -> None:
    past = Residuals(*(part[:, : 2 * WEEK - 1] for part in residuals(counts(np.random.default_rng(3), 0.15))))
    assert not straying(past, EACH, WEEK).any()


def test_levels_that_stray_are_no_displacement() -> None:
    """By days that are taken for independent, one border in two has a displacement at .01."""
    random, alarms = np.random.default_rng(4), np.zeros(2)
    for _ in range(200):
        observed = counts(random, 0.15)
        now = observed[:, -WEEK:], np.full((9, WEEK), MEAN), np.ones((9, WEEK))
        for at, past in enumerate((None, residuals(observed[:, :-WEEK]))):
            alarms[at] += displacement.judge(*now, LINE, past=past).p_value.min() <= 0.01
    assert alarms[0] > 60
    assert alarms[1] <= 4
