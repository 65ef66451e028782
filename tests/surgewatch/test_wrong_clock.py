"""A control counts by the broker's clock. Who sets one on a machine with another clock gets a warning."""

import datetime as dt

import pytest

from alerts.notices.controls import Silence
from surgewatch.options.control import clock_warning

AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SILENCE = Silence(
    by="anna", reason="drill", at=AT, name="n", sector="swanton", until=AT + dt.timedelta(hours=4)
)


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        (5, "is 300 min behind the broker's"),
        (1, "is 60 min behind"),
        (-3, "is 180 min ahead of the broker's"),
    ],
)
def test_a_clock_that_is_off_the_brokers_is_named(hours: float, sentence: str) -> None:
    warning = clock_warning(SILENCE, (AT + dt.timedelta(hours=hours)).timestamp()) or ""
    assert sentence in warning
    assert ("over already" in warning) == (hours >= 4)


@pytest.mark.parametrize("appended_at", [0.0, -0.001, 1.234, AT.timestamp() - 100, AT.timestamp() + 100])
def test_one_that_is_right_or_a_time_that_is_not_known_is_no_news(appended_at: float) -> None:
    assert clock_warning(SILENCE, appended_at) is None
