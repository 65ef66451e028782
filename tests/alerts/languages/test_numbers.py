"""Numbers in texts."""

import datetime as dt

import pytest

from alerts.languages.language import CODES, language
from alerts.notices.effects import effect
from streams.contract.controls import Capacity


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("number", [0, 5e-324, 1e15, 1e28, 1e308, -1e308, 10**400])
def test_a_number_of_any_size_can_be_written(code, number):
    """The ratio to a capacity of almost nothing has hundreds of digits, and no notice may fail at it."""
    spoken = language(code)
    texts = [*(spoken.number(number, decimals) for decimals in range(3)), spoken.brief(number)]
    for text in (*texts, spoken.percent(number)):
        assert 0 < len(text) < 30


def test_a_capacity_that_is_almost_nothing_can_be_told():
    control = Capacity(
        by="anna",
        reason="full",
        at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        sector="swanton",
        people_per_day=5e-324,
    )
    assert "swanton" in effect(control)
