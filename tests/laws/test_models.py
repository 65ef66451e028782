"""A model depends on its own series alone, and is the most likely one."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.baselines import regression
from streams.baselines.design_matrix import PERIODS
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import Series
from streams.judging.judge import Judge
from tests.examples import few

TODAY, SERIES = 5_000, 40
CADENCES = (Cadence.DAY, Cadence.WEEK, Cadence.MONTH)


def made(cadence: Cadence) -> list[Counts]:
    """Series that are old and young, some with a step or two."""
    random, batch = np.random.default_rng(3), []
    for at in range(SERIES):
        length = KEEP[cadence] if at % 2 else int(random.integers(20, KEEP[cadence]))
        counts = Counts(f"sector-{at}")
        values = random.negative_binomial(5, 0.5, length).astype(np.int32)
        counts.series[cadence] = Series(cadence, KEEP[cadence], TODAY - length, values)
        counts.state.of(cadence).new_levels = [TODAY - 100, TODAY - 50][: at % 3]
        batch.append(counts)
    return batch


def fitted(cadence: Cadence, batch: list[Counts], size: int) -> dict[str, object]:
    """The models of all, `size` of them at a time."""
    judge = Judge(Registry(sector=()))
    for start in range(0, len(batch), size):
        judge.models[cadence].refresh(batch[start : start + size], TODAY)
    return {counts.sector: counts.state.of(cadence).model for counts in batch}


TOGETHER = {cadence: fitted(cadence, made(cadence), SERIES) for cadence in CADENCES}


@pytest.mark.parametrize("cadence", CADENCES)
@few(5)
@given(st.permutations(range(SERIES)), st.integers(1, SERIES))
def test_it_is_the_same_to_the_last_bit_whichever_series_are_fitted_with_it(
    cadence: Cadence, order: list[int], size: int
) -> None:
    """So a worker that goes on with half a batch publishes the same verdicts under the same ids."""
    batch = made(cadence)
    assert fitted(cadence, [batch[at] for at in order], size) == TOGETHER[cadence]


@pytest.mark.parametrize("cadence", [Cadence.DAY, Cadence.WEEK])
@few(15, derandomize=True)  # one in 2,000 has two likely fits
@given(
    seed=st.integers(0, 1_000),
    level=st.sampled_from((0.02, 0.3, 3.0, 100.0)),
    season=st.floats(0, 1.5),
    peak=st.floats(0, 6),
    opens=st.floats(0, 0.8),
)
@example(seed=1, level=3.0, season=1.5, peak=1.5, opens=0.8)
def test_it_is_where_further_steps_lead_also_where_a_sector_opened_late_or_next_to_nobody_comes(
    cadence: Cadence, seed: int, level: float, season: float, peak: float, opens: float
) -> None:
    random, length = np.random.default_rng(seed), KEEP[cadence]
    at = np.arange(length)
    year = np.cos(at * 2 * np.pi / PERIODS[cadence] + peak)
    mean = level * np.exp(season * year) * (at >= opens * length)
    values = random.negative_binomial(np.maximum(mean, 1e-9), 0.5).astype(np.int32)
    series = Series(cadence, KEEP[cadence], TODAY - length, values)

    def expected() -> tuple[float, float]:
        counts = Counts("sector")
        counts.series[cadence] = series
        models = Judge(Registry(sector=())).models[cadence]
        models.refresh([counts], TODAY)
        baseline = models.expect([counts], TODAY, 1)
        return float(np.log(baseline.mean[0, 0])), float(np.sqrt(baseline.error[0]))

    found, _ = expected()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regression, "NEAR", 0.0)
        patch.setattr(regression, "MOST", 100)
        likely, error = expected()
    assert abs(found - likely) <= error / 4
