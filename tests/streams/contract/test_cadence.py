"""Periods of event time: consecutive, and each moment in just one."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.cadence import Cadence

cadences = st.sampled_from(Cadence)
moments = st.integers(-2_208_988_800, 4_102_444_800)  # 1900 to 2100


@given(cadences, moments)
def test_a_period_holds_its_moments(cadence: Cadence, epoch: int) -> None:
    index = cadence.index(epoch)
    assert cadence.start(index) <= epoch < cadence.start(index + 1)


@given(cadences, st.integers(-800, 1500))
def test_the_start_of_a_period_is_in_it(cadence: Cadence, index: int) -> None:
    assert cadence.index(cadence.start(index)) == index
    assert cadence.index(cadence.start(index) - 1) == index - 1


@given(moments)
def test_weeks_begin_on_monday_and_months_on_the_first(epoch: int) -> None:
    week = dt.datetime.fromtimestamp(Cadence.WEEK.start(Cadence.WEEK.index(epoch)), dt.UTC)
    month = dt.datetime.fromtimestamp(Cadence.MONTH.start(Cadence.MONTH.index(epoch)), dt.UTC)
    assert week.weekday() == 0
    assert month.day == 1
