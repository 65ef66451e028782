"""A model depends on its own series alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.calendar import Cadence
from streams.counts import KEEP, Counts, Series
from streams.judging import Judge
from streams.sectors import Registry

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
        counts.memory[f"regimes {cadence}"] = [TODAY - 100, TODAY - 50][: at % 3]
        batch.append(counts)
    return batch


def fitted(cadence: Cadence, batch: list[Counts], size: int) -> dict[str, object]:
    """The models of all, `size` of them at a time."""
    judge = Judge(Registry(sector=()))
    for start in range(0, len(batch), size):
        judge._models[cadence].refresh(batch[start : start + size], TODAY)
    return {counts.sector: counts.memory.pop(f"model {cadence}") for counts in batch}


TOGETHER = {cadence: fitted(cadence, made(cadence), SERIES) for cadence in CADENCES}


@pytest.mark.parametrize("cadence", CADENCES)
@settings(max_examples=5, deadline=None)
@given(st.permutations(range(SERIES)), st.integers(1, SERIES))
def test_it_is_the_same_to_the_last_bit_whichever_series_are_fitted_with_it(
    cadence: Cadence, order: list[int], size: int
) -> None:
    """So a worker that takes up half a batch says under the same ids what was said before it died."""
    batch = made(cadence)
    assert fitted(cadence, [batch[at] for at in order], size) == TOGETHER[cadence]
