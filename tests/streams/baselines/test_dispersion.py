"""What weeks differ by, beyond what their days explain."""

import numpy as np
import pytest

from streams.baselines.dispersion import WEEK, block_variance

DAYS, SERIES, MEAN, SPREAD, MEMORY = 364, 200, 200.0, 2.0, 0.9


def _straying(deviation: float) -> np.ndarray:
    """Return counts [SERIES, DAYS] about a log level that strays by this standard deviation."""
    random = np.random.default_rng(1)
    off, levels = random.normal(0, deviation, SERIES), []
    for _ in range(DAYS):
        levels.append(np.exp(off))
        off = MEMORY * off + random.normal(0, deviation * (1 - MEMORY**2) ** 0.5, SERIES)
    return random.negative_binomial(MEAN * np.stack(levels, 1) / (SPREAD - 1), 1 / SPREAD)


@pytest.mark.parametrize(("deviation", "least", "most"), [(0.0, 0.0, 0.001), (0.15, 0.012, 0.025)])
def test_weeks_of_a_level_that_strays_differ_by_as_much_as_it_does(
    deviation: float, least: float, most: float
) -> None:
    mean = np.full((SERIES, DAYS), MEAN)
    found = block_variance(_straying(deviation) - mean, mean, np.full(SERIES, SPREAD), WEEK)
    assert least <= np.median(found) <= most
