"""Silences in advance and again and again: in force when they should be, and read in bounded time."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.notices.controls import Silence
from alerts.notices.silence_times import LONGEST, RULE, WARNING, in_force, last_end, repeated

TORONTO = ZoneInfo("America/Toronto")
FRIDAY = dt.datetime(2026, 3, 6, 22, tzinfo=TORONTO)  # two days before the clock is set
WHO = {"name": "q", "by": "anna", "at": FRIDAY, "reason": "drill"}


def silence(**given) -> Silence:
    return Silence(**{**WHO, "until": FRIDAY + dt.timedelta(days=30), **given})


def holds(one: Silence, at: dt.datetime) -> bool:
    return in_force(one.windows(), at.timestamp()) is not None


def test_a_silence_holds_from_its_start_to_its_end() -> None:
    later = silence(starts=FRIDAY, until=FRIDAY + dt.timedelta(hours=8))
    for minutes, expected in ((-1, False), (0, True), (8 * 60 - 1, True), (8 * 60, False)):
        assert holds(later, FRIDAY + dt.timedelta(minutes=minutes)) is expected
    assert holds(silence(), FRIDAY - dt.timedelta(days=999))  # without a start: whatever the clock


def test_a_silence_that_repeats_keeps_to_the_wall_clock_of_its_time_zone() -> None:
    nights = silence(starts=FRIDAY, repeats="FREQ=DAILY", hours=8, time_zone="America/Toronto")
    for day in range(5):
        evening = dt.datetime(2026, 3, 6 + day, 22, tzinfo=TORONTO)
        assert not holds(nights, evening - dt.timedelta(minutes=1))
        assert holds(nights, evening)
        assert not holds(nights, dt.datetime(2026, 3, 7 + day, 12, tzinfo=TORONTO))


def test_a_weekend_is_silent_and_the_week_is_not() -> None:
    weekends = silence(
        starts=FRIDAY, repeats="FREQ=WEEKLY;BYDAY=SA,SU", hours=24, time_zone="America/Toronto"
    )
    assert [holds(weekends, FRIDAY + dt.timedelta(days=day, hours=1)) for day in range(9)] == [
        day in (1, 2, 8) for day in range(9)
    ]


@pytest.mark.parametrize("first", [FRIDAY, FRIDAY.replace(month=10, day=30)], ids=["spring", "autumn"])
def test_times_of_a_silence_that_touch_are_one_and_end_once(first: dt.datetime) -> None:
    """Also where the clock is set between them."""
    saturday = (first + dt.timedelta(days=1)).replace(hour=0)
    weekends = silence(
        starts=saturday,
        until=first + dt.timedelta(days=30),
        repeats="FREQ=WEEKLY;BYDAY=SA,SU",
        hours=24,
        time_zone="America/Toronto",
    )
    window = weekends.windows()[0]
    monday = saturday + dt.timedelta(days=2)
    assert (window.begin, window.end) == (saturday.timestamp(), monday.timestamp())
    assert window.warns == window.end - WARNING


def test_a_silence_that_is_withdrawn_comes_no_more() -> None:
    ended = silence(starts=FRIDAY, repeats="FREQ=DAILY", hours=8).ended(FRIDAY.timestamp() + 3600)
    assert holds(ended, FRIDAY + dt.timedelta(minutes=59))
    assert not holds(ended, FRIDAY + dt.timedelta(minutes=61))
    assert not holds(ended, FRIDAY + dt.timedelta(days=1, minutes=1))
    assert last_end(ended.windows(), (FRIDAY + dt.timedelta(days=9)).timestamp()) == FRIDAY.timestamp() + 3600


@pytest.mark.parametrize(
    "given",
    [
        {"repeats": "FREQ=SECONDLY"},
        {"repeats": "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2"},  # never: looked for until the year 9999
        {"repeats": "FREQ=DAILY;INTERVAL=0"},
        {"repeats": "DTSTART:20260101\nRRULE:FREQ=DAILY"},
        {"repeats": "FREQ=WEEKLY;BYDAY=XX"},
        {"hours": None},
        {"starts": None},
        {"hours": 0},
        {"starts": FRIDAY + dt.timedelta(days=30)},
        {"until": FRIDAY + dt.timedelta(days=900)},
        {"time_zone": "Torronto"},
        {"starts": dt.datetime.min.replace(tzinfo=dt.UTC)},  # which is no date in Toronto
        {"starts": dt.datetime.max.replace(tzinfo=dt.UTC), "until": dt.datetime.max.replace(tzinfo=TORONTO)},
    ],
)
def test_a_silence_that_cannot_be_kept_is_refused(given) -> None:
    with pytest.raises(ValidationError):
        silence(**{"starts": FRIDAY, "repeats": "FREQ=DAILY", "hours": 8, **given})


@given(
    rule=st.from_regex(RULE.removeprefix("^").removesuffix("$"), fullmatch=True),
    start=st.integers(0, 4 * 365 * 86_400).map(lambda seconds: FRIDAY + dt.timedelta(seconds=seconds)),
    hours=st.sampled_from((0.5, 8, 100)),
)
def test_every_rule_that_is_taken_gives_times_in_order_within_bounds(rule, start, hours) -> None:
    windows = repeated(rule, start, start + LONGEST, hours=hours, time_zone="America/Toronto")
    assert len(windows) <= LONGEST.days + 1
    assert windows == sorted(windows)
    for window in windows:
        assert start.timestamp() <= window.begin < window.warns < window.end
        assert in_force(windows, window.begin)


@pytest.mark.parametrize("month", [3, 11])
def test_a_silence_that_repeats_ends_by_the_wall_clock_on_the_nights_on_which_it_is_set(month: int) -> None:
    first = dt.datetime(2026, month, 1, 22, tzinfo=TORONTO) - dt.timedelta(days=2)
    nights = silence(
        starts=first,
        until=first + dt.timedelta(days=30),
        repeats="FREQ=DAILY",
        hours=8,
        time_zone="America/Toronto",
    )
    mornings = [first.replace(hour=6) + dt.timedelta(days=day) for day in range(1, 15)]
    assert all(holds(nights, morning - dt.timedelta(minutes=1)) for morning in mornings)
    assert not any(holds(nights, morning) for morning in mornings)


def test_a_silence_that_begins_at_a_time_that_the_clocks_skip_is_as_long_as_ever() -> None:
    first = dt.datetime(2026, 3, 7, 2, 30, tzinfo=TORONTO)
    nights = silence(starts=first, repeats="FREQ=DAILY", hours=1, time_zone="America/Toronto")
    assert [round(one.end - one.begin) for one in nights.windows()[:3]] == [3600] * 3
