"""Histories that a fit must survive: places that close for years, and a figure that was typed wrong."""

from itertools import chain

import numpy as np
import pytest

from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Column, Table
from streams.backtest.scoring import Score, Scorer
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry

FIRST = 588  # January 2019, in months since 1970


def scores(counts: list[int], cadence: Cadence = Cadence.MONTH) -> list[Score]:
    column = Column(FIRST, np.array(counts, np.int64), np.ones(len(counts), bool))
    table = Table(cadence, {"a": column})
    return list(chain.from_iterable(Scorer(table, HistoryJudge(Registry(sector=())), 0.01, FIRST)))


@pytest.mark.parametrize("usual", [40, 3240])
@pytest.mark.parametrize("months", [4, 9, 14])
def test_a_place_that_closes_is_soon_expected_to_have_nobody(months: int, usual: int) -> None:
    found = scores([usual] * months + [0] * 80)
    expected = {score.period - FIRST: score.expected or 0.0 for score in found}
    assert max(expected.values()) <= 1.1 * usual
    assert max(expected[at] for at in range(months + 6, months + 60)) < 0.01 * usual


@pytest.mark.parametrize(
    ("cadence", "open_for", "closed_for"), [(Cadence.WEEK, 150, 156), (Cadence.MONTH, 40, 36)]
)
@pytest.mark.parametrize("seed", range(4))
def test_a_place_that_opens_again_is_never_expected_to_have_more_than_it_ever_had(
    cadence: Cadence, open_for: int, closed_for: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    season = 400 * np.exp(0.4 * np.sin(np.arange(open_for) / 8))
    counts = [*random.poisson(season).tolist(), *[0] * closed_for, *random.poisson(400, 30).tolist()]
    for score in scores(counts, cadence):
        if score.expected is not None:
            assert score.expected <= max(counts[: score.period - FIRST])


@pytest.mark.parametrize("cadence", [Cadence.MONTH, Cadence.WEEK])
def test_a_figure_typed_a_hundred_times_too_large_teaches_nothing(cadence: Cadence) -> None:
    usual = [1470 + 37 * at % 61 for at in range(96)]
    typed = [*usual[:80], 150_000, *usual[81:]]
    true, wrong = (scores(counts, cadence) for counts in (usual, typed))
    assert wrong[80].alarm
    assert not any(score.alarm for score in wrong[83:])  # weeks go on for two
    upper = [(one.upper, other.upper) for one, other in zip(true[81:], wrong[81:], strict=True)]
    assert all(other is not None and one is not None and other < 1.1 * one for one, other in upper)


@pytest.mark.parametrize("cadence", [Cadence.MONTH, Cadence.WEEK])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_figure_typed_wrong_in_the_first_periods_is_expected_of_none(cadence: Cadence, at: int) -> None:
    counts = [1470 + 37 * at % 61 for at in range(24)]
    counts[at] *= 1_000
    found = [score for score in scores(counts, cadence) if score.expected is not None]
    assert max(score.expected or 0.0 for score in found) < 2_000


@pytest.mark.parametrize("cadence", [Cadence.MONTH, Cadence.WEEK])
@pytest.mark.parametrize("share", [0.1, 0.0])
@pytest.mark.parametrize("at", [[80], [60, 80]])
def test_a_figure_typed_ten_times_too_small_teaches_nothing(
    cadence: Cadence, share: float, at: list[int]
) -> None:
    """One such month made all that is expected a tenth lower, and limits a third higher, for a year."""
    usual = [1470 + 37 * month % 61 for month in range(96)]
    typed = [int(share * count) if month in at else count for month, count in enumerate(usual)]
    true, wrong = (scores(counts, cadence) for counts in (usual, typed))
    for one, other in zip(true[81:], wrong[81:], strict=True):
        assert (other.upper or 0.0) < 1.02 * (one.upper or 0.0)
        assert (other.expected or 0.0) > 0.98 * (one.expected or 0.0)


@pytest.mark.parametrize("cadence", [Cadence.MONTH, Cadence.WEEK])
def test_a_drop_to_a_tenth_that_lasts_is_learnt_from(cadence: Cadence) -> None:
    found = scores([1470 + 37 * at % 61 for at in range(60)] + [150] * 30, cadence)
    expected = {score.period - FIRST: score.expected or 0.0 for score in found}
    assert expected[62] < 1300
    assert expected[72] < 400
