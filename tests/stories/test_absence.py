"""Absence is not zero: a feed that dies, a person who confirms zero, reports of nobody."""

import datetime as dt
import math
from functools import cache

import pytest

from alerts.notices import titles
from streams.contract.controls import Capacity, Confirm
from streams.contract.verdicts import DataStatus, Question
from streams.judging.period_summary import PeriodSummary
from tests.stories.port import SECTOR, Port, always, never

SILENCE = Question.SILENCE


def surge(hour: dt.datetime) -> float:
    return 4.0


def until_two(hour: dt.datetime) -> float:
    return 4.0 if hour.hour < 14 else 0.0


@cache
def dead_for_a_month() -> Port:
    """A surge of five days; on the sixth the feed dies at 14:00, and nothing comes for thirty days."""
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    port.live(100)
    port.live(5, surge)
    port.live(1, until_two)
    port.live(30, never)
    return port


def test_a_feed_that_dies_is_found_silent_within_six_hours() -> None:
    (found,) = [v for v in dead_for_a_month().verdicts if v.question is SILENCE and v.breach][:1]
    assert found.evidence.no_data_since is not None
    assert found.as_of - found.evidence.no_data_since <= dt.timedelta(hours=6)


def test_nothing_resolves_and_nothing_new_is_found_without_data() -> None:
    port = dead_for_a_month()
    assert port.first(Question.DROP, Question.REGIME) == []
    assert port.resolved() == []
    assert set(port.standing()) == {Question.SURGE, Question.SLOW_RISE, SILENCE}
    since = {alert.no_data_since for alert in port.standing().values()}
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in since if moment] == ["2023-04-17 17:30"]


def test_a_sector_at_capacity_is_not_told_to_have_room_since_its_feed_has_died() -> None:
    """Of the last day two thirds have come, which are fewer than there is room for."""
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    at = dt.datetime(2023, 1, 2, tzinfo=dt.UTC)
    port.judge.apply(Capacity(by="ops", at=at, reason="beds", sector=SECTOR, people_per_day=120))
    port.live(40)
    port.live(3, surge)
    port.live(1, until_two)
    port.live(10, never)
    assert Question.STRAIN in port.standing()
    assert port.resolved() == []
    port.live(2)
    assert Question.STRAIN in port.resolved()


def test_the_silence_is_one_alert_that_stands_with_its_last_event() -> None:
    port = dead_for_a_month()
    assert len(port.first(SILENCE)) == 1
    assert titles.title(port.standing()[SILENCE]).startswith(
        "No data from Port for 30 days. Last event 2023-04-17 17:30 UTC. 4"
    )


def test_no_calm_verdict_is_published_without_data() -> None:
    dead = [v for v in dead_for_a_month().verdicts if v.data is DataStatus.WITHOUT_DATA]
    assert {v.question for v in dead if not v.held} == {SILENCE}
    assert all(v.breach for v in dead if not v.held)


def test_once_events_return_the_silence_resolves_and_the_gap_is_not_learnt() -> None:
    dead_for_a_month.cache_clear()
    port = dead_for_a_month()
    dead_for_a_month.cache_clear()
    before = port.verdicts[-1].evidence.recent_expected[-1]
    port.live(14)
    assert set(port.resolved()) == {Question.SURGE, Question.SLOW_RISE, SILENCE}
    assert port.standing() == {}
    assert port.first(Question.DROP, Question.REGIME) == []
    last = [v for v in port.verdicts if v.question is Question.SURGE and v.closed][-1]
    assert last.data is DataStatus.WITH_DATA
    assert last.evidence.recent_expected[-1] == pytest.approx(before, rel=0.15)


def test_a_gap_that_is_filled_later_is_data() -> None:
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    port.live(60)
    port.live(3, never)
    midnight = int(dt.datetime(2023, 3, 3, 5, tzinfo=dt.UTC).timestamp())
    for hour in range(72):  # all that was missed, at once
        port.send(midnight + hour * 3600 + 60, 2)
    port.live(10)
    assert port.standing() == {}
    assert port.flow.partitions[0].counts[SECTOR].series["day"].window(19_422, 3).tolist() == [48, 48, 48]
    last = [v for v in port.verdicts if v.question is Question.SURGE and v.closed][-1]
    assert 0.0 not in last.evidence.recent_expected


def test_zero_that_a_person_confirms_is_zero() -> None:
    """The silence resolves, the drop is notified, and zero becomes the new level."""
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    port.live(60)
    port.live(3, never)
    assert set(port.standing()) == {SILENCE}
    at = dt.datetime.combine(port.today, dt.time(), dt.UTC)
    port.judge.apply(Confirm(by="ops", at=at, reason="the crossing is shut", sector=SECTOR))
    port.live(20, never)
    assert SILENCE in port.resolved()
    assert port.first(Question.DROP) != []
    assert port.first(Question.REGIME) != []


def test_a_confirmed_zero_ends_with_the_next_event() -> None:
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    port.live(60)
    port.live(3, never)
    at = dt.datetime.combine(port.today, dt.time(), dt.UTC)
    port.judge.apply(Confirm(by="ops", at=at, reason="the crossing is shut", sector=SECTOR))
    port.live(2, never)
    port.live(20, always)
    port.live(3, never)
    assert len(port.first(SILENCE)) == 2


def test_an_empty_day_before_a_low_one_is_judged_and_summed_up_again() -> None:
    """People stop coming: the first day is held, and the second says that it was no dead feed."""
    port = Port("2023-01-02")
    port.tally([30] * 60)
    port.live(1, never)
    port.tally([3, 3, 3])
    first = [v for v in port.verdicts if v.question is Question.SURGE and f"{v.period:%m-%d}" == "03-03"]
    assert [v.data for v in first] == [DataStatus.WITHOUT_DATA, DataStatus.WITH_DATA]
    summary = PeriodSummary.of(first[-1])
    assert summary is not None
    assert summary.observed == 0 < summary.expected


def test_reports_of_nobody_are_data() -> None:
    """A daily tally of 0 is no silence, however long; it is a drop, and then the new level."""
    port = Port("2023-01-02")
    port.tally([30] * 60)
    port.tally([0] * 30)
    assert port.first(SILENCE) == []
    assert port.first(Question.DROP) == ["2023-03-03"]
    assert port.first(Question.REGIME) != []


def test_tallies_that_stop_are_a_silence() -> None:
    port = Port("2023-01-02")
    port.tally([30] * 60)
    port.live(30, never)
    assert len(port.first(SILENCE)) == 1
    assert set(port.standing()) == {SILENCE}
    assert port.resolved() == []


def test_a_restart_without_data_changes_nothing() -> None:
    through, stopped = (Port("2023-01-02", people=40, opens=0, closes=24) for _ in range(2))
    for port in (through, stopped):
        port.live(40)
        port.live(5, never)
    held = dict(stopped.flow.dirty()[0])
    stopped.flow.restore(0, {key: value for key, value in held.items() if value is not None})
    for port in (through, stopped):
        port.live(5, never)
        port.live(5)
    assert [v.verdict_id for v in stopped.verdicts] == [v.verdict_id for v in through.verdicts]


def test_a_million_where_nearly_nobody_came_does_not_end_the_worker_and_silence_is_still_found() -> None:
    """What the hours are held to expect is kept as float16, which ends at 65,504 times the baseline."""
    port = Port("2024-01-01", people=1)
    noon = dt.datetime(2024, 1, 1, 17, tzinfo=dt.UTC)
    days = [*range(0, 60, 30), *range(60, 66)]
    for day in days:
        port.send(int((noon + dt.timedelta(day)).timestamp()), 1 if day < 60 else 1_000_000)
    port.today = dt.date(2024, 3, 7)
    port.live(10, never)
    assert all(math.isfinite(verdict.evidence.expected) for verdict in port.verdicts)
    assert len(port.first(SILENCE)) == 1
