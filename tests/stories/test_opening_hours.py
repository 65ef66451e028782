"""Places that are closed by the clock, by the weekday or by the calendar are no silence."""

import datetime as dt

import pytest

from streams.baselines.calendar import Calendar, KnownDate
from streams.contract.verdicts import DataStatus, Question
from tests.stories.port import Port, never

SATURDAY, SUNDAY = 5, 6
SILENCE = Question.SILENCE


def closure(first: str, last: str) -> Calendar:
    days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return Calendar((KnownDate(days[0], "closure", "closed", "port", days[1]),))


@pytest.mark.parametrize("shut", [(SATURDAY, SUNDAY), (SUNDAY,)])
def test_a_place_that_is_shut_on_some_weekdays_is_no_silence_after_two_weeks(shut: tuple[int, ...]) -> None:
    port = Port("2021-01-04", zone="UTC", shut=shut)
    port.live(14)
    known = len(port.first())
    port.live(56)
    assert len(port.first()) == known


@pytest.mark.parametrize("zone", ["America/New_York", "America/Phoenix"])
@pytest.mark.parametrize(("opens", "closes"), [(6, 22), (0, 24)])
@pytest.mark.parametrize("first", ["2022-01-24", "2022-09-19"])  # seven weeks before the clocks change
def test_a_change_of_the_clocks_is_no_news(zone: str, opens: int, closes: int, first: str) -> None:
    port = Port(first, zone=zone, opens=opens, closes=closes)
    port.live(70)
    assert port.first() == []


def test_a_weekday_with_shorter_hours_is_no_surge_every_week() -> None:
    def short_saturdays(hour: dt.datetime) -> float:
        if hour.weekday() != SATURDAY:
            return 1.0
        return 4.0 if 8 <= hour.hour < 12 else 0.0

    port = Port("2021-01-04", zone="UTC", people=300)
    port.live(28, short_saturdays)
    known = len(port.first())
    port.live(28, short_saturdays)
    assert len(port.first()) == known


def test_a_port_that_dies_on_a_friday_night_is_found_silent_on_monday_morning() -> None:
    port = Port("2021-01-04", zone="UTC", shut=(SATURDAY, SUNDAY))
    port.live(54)
    known = len(port.first(SILENCE))
    port.live(7, never)
    (found,) = port.first(SILENCE)[known:]
    assert found == "2021-03-01"


def test_a_holiday_that_is_in_no_calendar_is_a_silence_of_that_day_alone() -> None:
    port = Port("2021-01-04", zone="UTC")
    port.live(60)
    port.live(1, never)
    port.live(10)
    assert len(port.first(SILENCE)) <= 1
    assert port.standing() == {}
    assert port.first(Question.DROP, Question.REGIME) == []


def test_a_closure_that_was_announced_is_closed_and_no_news() -> None:
    """Seasonal: closed for three months by the calendar, and open again as before."""
    port = Port("2022-08-01", people=60, calendar=closure("2022-11-01", "2023-01-31"))
    port.live(92)
    port.live(92, never)
    port.live(14)
    assert port.first() == []
    closed = [v for v in port.verdicts if v.data is DataStatus.CLOSED]
    assert {f"{v.period:%Y-%m}" for v in closed} == {"2022-11", "2022-12", "2023-01"}


def test_a_season_that_nobody_announced_is_a_silence_until_the_first_event() -> None:
    port = Port("2022-08-01", people=60)
    port.live(92)
    port.live(92, never)
    assert port.first() == ["2022-11-01"]
    assert set(port.standing()) == {SILENCE}
    port.live(14)
    assert port.resolved() == [SILENCE]
    assert port.first() == ["2022-11-01"]


def test_a_closure_that_is_announced_in_time_ends_a_silence() -> None:
    port = Port("2022-08-01", people=60, calendar=closure("2022-11-05", "2023-01-31"))
    port.live(92)
    port.live(30, never)
    assert port.first(SILENCE) == ["2022-11-01"]
    assert port.resolved() == [SILENCE]


def test_a_place_that_begins_to_close_at_weekends_is_silent_on_two_of_them() -> None:
    port = Port("2021-01-04", zone="UTC", people=200)
    port.live(42)
    port.live(35, lambda hour: float(hour.weekday() < SATURDAY))
    assert [day for day in port.first() if day >= "2021-03-01"] == []
    assert len(port.first(SILENCE)) == 2
    port.live(3, never)
    assert port.first()[2:] == ["2021-03-22"]  # the Monday on which it dies


def test_other_opening_hours_are_learnt_in_three_days() -> None:
    port = Port("2021-01-04", zone="UTC", people=300, opens=0, closes=24)
    port.live(42, lambda hour: 1.5 * (6 <= hour.hour < 22))
    port.live(35, lambda hour: 2.4 * (8 <= hour.hour < 18))
    assert [day for day in port.first(SILENCE) if day >= "2021-02-19"] == []
    assert len(port.first(SILENCE)) <= 2
    port.live(1, never)
    assert len(port.first(SILENCE)) <= 3
    assert Question.SILENCE in port.standing()


def test_a_place_that_is_open_on_one_day_a_week_is_a_surge_once_at_most() -> None:
    port = Port("2021-01-04", people=300)
    port.live(63, lambda hour: float(hour.weekday() == 2))
    assert port.first(SILENCE) == []
    assert len(port.first()) <= 1


@pytest.mark.parametrize("first", ["2021-01-04", "2021-01-07"])
def test_a_new_place_that_is_open_on_three_days_a_week_is_no_surge(first: str) -> None:
    """In its first week two of six whole days have people: they are no slips of the pen."""
    port = Port(first, zone="UTC", people=300, opens=8, closes=16, shut=(1, 3, 5, 6))
    port.live(40)
    assert port.first(Question.SURGE) == []


def test_after_a_drop_to_few_people_their_silences_are_no_alerts() -> None:
    port = Port("2021-01-04", zone="UTC", people=40, opens=0, closes=24)
    port.live(63)
    port.live(30, lambda hour: 0.05)
    assert port.first(Question.DROP) == ["2021-03-08"]
    assert set(port.first(SILENCE)) <= {"2021-03-08", "2021-03-09"}
