"""A feed that is away for a part of a day or two: what it has not brought is nothing, and no drop."""

import datetime as dt

import pytest

from alerts.lifecycle.alert import Reason
from streams.contract.verdicts import Question
from tests.stories.port import Port


def told(*days: tuple[int, int], then: float = 1.0) -> list[tuple[Reason, Question]]:
    """What is notified of days with a feed from one hour to another, and then of ten more days."""
    port = Port("2023-03-01")
    port.live(60)
    port.notices.clear()
    for first, end in days:
        port.live(1, lambda hour, begins=first, ends=end: float(begins <= hour.hour < ends))
    port.live(10, lambda _: then)
    return [(one.reason, one.alert.question) for one in port.notices]


OUTAGE = [(Reason.FIRST, Question.SILENCE), (Reason.RESOLVED, Question.SILENCE)]


@pytest.mark.parametrize(
    "days",
    [
        pytest.param([(0, 14), (0, 0), (18, 24)], id="from an afternoon to the evening two days later"),
        pytest.param([(0, 8), (20, 24)], id="from a morning to the next evening"),
        pytest.param([(0, 14), (10, 24)], id="for a night"),
    ],
)
def test_a_feed_that_comes_back_late_in_a_day_is_a_silence_and_no_drop(days: list[tuple[int, int]]) -> None:
    assert told(*days) == OUTAGE


def test_a_feed_that_is_away_for_most_of_a_day_is_no_drop() -> None:
    port = Port("2023-03-01")
    port.live(60)
    port.notices.clear()
    port.live(1, lambda hour: float(not 8 <= hour.hour < 20))
    port.live(10)
    assert [(one.reason, one.alert.question) for one in port.notices] == OUTAGE


def test_a_late_event_of_the_day_on_which_the_feed_came_back_makes_no_drop_of_it() -> None:
    port = Port("2023-03-01")
    port.live(60)
    port.notices.clear()
    port.live(1, lambda hour: float(hour.hour < 8))
    port.live(1, lambda hour: float(hour.hour >= 20))
    port.live(1)
    noon = dt.datetime.combine(port.today - dt.timedelta(2), dt.time(21), dt.UTC)
    port.send(int(noon.timestamp()), 1, known=int((noon + dt.timedelta(days=1)).timestamp()))
    port.live(5)
    assert [(one.reason, one.alert.question) for one in port.notices] == OUTAGE


def test_where_people_stay_away_after_the_outage_they_are_a_drop() -> None:
    assert (Reason.FIRST, Question.DROP) in told((0, 14), (0, 0), then=0.05)


def test_a_place_to_which_few_people_come_from_now_on_is_a_drop_on_its_first_day() -> None:
    port = Port("2023-03-01")
    port.live(60)
    port.notices.clear()
    port.live(6, lambda _: 0.03)
    assert port.first(Question.DROP) == ["2023-04-30"]
