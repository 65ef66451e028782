"""Heartbeats of sources distinguish a dead feed from a quiet border, by source."""

import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from alerts.lifecycle.alert import Reason
from alerts.notices import titles
from streams.contract.cadence import Cadence
from streams.contract.controls import Confirm
from streams.contract.verdicts import DataStatus, Question
from tests.stories.port import HOUR, SECTOR, Port, always, never
from tests.stories.tallied_port import TalliedPort

SILENCE = Question.SILENCE
FEED = ("customs",)


def surge(hour: dt.datetime) -> float:
    return 4.0


def small(days: int) -> Port:
    """A place with one person a day: two empty days are nothing unusual."""
    port = Port("2023-01-02", people=1, opens=0, closes=24)
    port.live(days, sources=FEED)
    return port


def busy(days: int) -> Port:
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    port.live(days, sources=FEED)
    return port


def test_a_quiet_border_whose_source_is_alive_is_no_silence() -> None:
    """Zero is data from its first hour on: no silence, but a drop, and then the new level."""
    port = busy(60)
    port.live(30, never, sources=FEED)
    assert port.first(SILENCE) == []
    assert port.first(Question.DROP) == ["2023-03-03"]
    assert port.first(Question.REGIME) != []
    assert {v.data for v in port.verdicts} == {DataStatus.WITH_DATA}


def test_a_dead_feed_is_found_within_hours_where_chance_would_take_days() -> None:
    port = small(60)
    port.live(1, never)
    found = next(v for v in port.verdicts if v.question is SILENCE)
    assert found.evidence.source == "customs"
    assert found.evidence.no_data_since is not None
    assert found.as_of - found.evidence.no_data_since <= dt.timedelta(hours=4)
    assert titles.title(port.standing()[SILENCE]) == (
        "No data from customs at Port for 24 hours. "
        "Last heartbeat 2023-03-03 04:59 UTC. 1 a day were expected."
    )


@cache
def dead_in_a_surge() -> Port:
    port = busy(100)
    port.live(5, surge, sources=FEED)
    port.live(30, never)
    return port


def test_nothing_resolves_and_nothing_is_found_while_the_source_is_away() -> None:
    port = dead_in_a_surge()
    assert port.resolved() == []
    assert port.first(Question.DROP, Question.REGIME) == []
    assert set(port.standing()) == {Question.SURGE, Question.SLOW_RISE, SILENCE}
    assert len(port.first(SILENCE)) == 1
    since = {f"{alert.no_data_since:%Y-%m-%d %H:%M}" for alert in port.standing().values()}
    assert since == {"2023-04-17 03:59"}


def test_once_the_source_is_back_its_silence_resolves_and_nothing_of_the_outage_is_learnt() -> None:
    dead_in_a_surge.cache_clear()
    port = dead_in_a_surge()
    dead_in_a_surge.cache_clear()
    expected = [v for v in port.verdicts if v.question is Question.SURGE and not v.held][-1].evidence
    port.live(1, sources=FEED)
    *_, last, back = [v for v in port.verdicts if v.question is SILENCE]
    assert (last.breach, back.breach) == (True, False)
    assert back.as_of - last.as_of == dt.timedelta(hours=1)
    assert port.resolved() == [SILENCE]
    port.live(13, sources=FEED)
    assert port.standing() == {}
    assert port.first(Question.DROP, Question.REGIME) == []
    last = [v for v in port.verdicts if v.question is Question.SURGE and v.closed][-1].evidence
    assert last.recent_expected[-1] == pytest.approx(expected.recent_expected[-1], rel=0.25)


def test_while_one_of_two_sources_is_away_low_counts_are_no_drop_but_a_surge_is_found() -> None:
    port = Port("2023-01-02", people=80, opens=0, closes=24)
    port.live(60, sources=("customs", "river"))
    port.live(10, lambda hour: 0.5, sources=("customs",))
    assert [alert.subject for alert in port.standing().values()] == ["source=river"]
    assert port.first(Question.DROP, Question.REGIME) == []
    port.live(2, surge, sources=("customs",))
    assert Question.SURGE in port.standing()
    port.live(5, lambda hour: 0.5, sources=("customs",))
    assert Question.SURGE in port.standing()


def test_a_source_that_was_away_for_weeks_is_no_surge_once_it_is_back() -> None:
    """No hour of those weeks shows how people are spread over the day."""
    port = Port("2022-01-03", opens=0, closes=24)
    port.live(40, sources=("customs", "river"))
    port.live(20, lambda hour: 0.5, sources=("customs",))
    port.live(3, sources=("customs", "river"))
    assert port.first(Question.SURGE) == []


def test_a_source_that_comes_and_goes_is_one_alert_from_its_second_outage_on() -> None:
    """Five hours alive, four hours dead, for three days; then it stays."""
    port = busy(30)
    start = int(dt.datetime.combine(port.today, dt.time(5), dt.UTC).timestamp())
    for hour in range(72):
        if hour % 9 < 5:
            port.beat(start + hour * HOUR + 60, "customs")
        port.let_pass(start + (hour + 1) * HOUR)
    sent = [(n.reason, n.alert.recurrences) for n in port.notices if n.alert.question is SILENCE]
    assert sent == [(Reason.FIRST, 0), (Reason.RESOLVED, 0), (Reason.FIRST, 1)]
    again = port.notices[-1]
    assert again.headline == "Data from customs at Port come and go"
    assert "It came again soon after its end" in again.text
    port.today += dt.timedelta(days=3)
    port.live(2, sources=FEED)
    assert port.resolved() == [SILENCE, SILENCE]


def test_a_source_that_ends_is_not_awaited() -> None:
    port = small(60)
    port.beat(int(dt.datetime(2023, 3, 3, 5, 30, tzinfo=dt.UTC).timestamp()), "customs", last=True)
    port.live(3, never)
    assert port.first(SILENCE) == []


def test_a_source_that_stopped_for_good_is_ended_by_its_last_heartbeat() -> None:
    port = small(60)
    port.live(3, never)
    assert len(port.first(SILENCE)) == 1
    at = int(dt.datetime.combine(port.today, dt.time(6), dt.UTC).timestamp())
    port.beat(at, "customs", last=True)
    port.live(1, always)
    assert port.resolved() == [SILENCE]


def test_zero_that_a_person_confirms_is_zero_though_the_source_is_away() -> None:
    port = busy(60)
    port.live(3, never)
    at = dt.datetime.combine(port.today, dt.time(), dt.UTC)
    port.judge.apply(Confirm(by="ops", at=at, reason="the crossing is shut", sector=SECTOR))
    port.live(20, never)
    assert port.first(Question.DROP) != []
    assert port.first(Question.REGIME) != []


def test_a_heartbeat_that_comes_late_is_no_outage() -> None:
    """Two intervals are missed, and the third heartbeat comes."""
    port = busy(30)
    midnight = int(dt.datetime(2023, 2, 1, 5, tzinfo=dt.UTC).timestamp())
    port.beat(midnight + 2 * HOUR + 1800, "customs")
    port.live(1, never)
    assert len(port.first(SILENCE)) == 1


def test_a_place_that_sends_no_heartbeats_is_silent_by_chance_as_before() -> None:
    port = Port("2023-01-02", people=40, opens=0, closes=24)
    port.live(60)
    port.live(1, never)
    (alert,) = port.standing().values()
    assert (alert.question, alert.subject) == (SILENCE, "")


def test_heartbeats_move_no_counts() -> None:
    with_them, without = busy(10), Port("2023-01-02", people=40, opens=0, closes=24)
    without.live(10)
    counts = [port.flow.partitions[0].counts[SECTOR] for port in (with_them, without)]
    assert counts[0].people == counts[1].people
    assert counts[0].series["day"].values.tolist() == counts[1].series["day"].values.tolist()
    assert counts[0].event_time == counts[1].event_time


def test_a_restart_during_an_outage_changes_nothing() -> None:
    through, stopped = busy(40), busy(40)
    for port in (through, stopped):
        port.live(2, never)
    held = dict(stopped.flow.dirty()[0])
    stopped.flow.restore(0, {key: value for key, value in held.items() if value is not None})
    for port in (through, stopped):
        port.live(2, never)
        port.live(3, sources=FEED)
    assert [str(v) for v in stopped.verdicts] == [str(v) for v in through.verdicts]


def test_heartbeats_let_time_pass_for_a_table_that_does_not_state_when_it_was_published() -> None:
    """Each month's total comes three weeks after it, dated to its start; then the job that sends it dies."""
    port = TalliedPort("2019-01-01", Cadence.MONTH)
    for month in range(36):
        start = dt.datetime(2019 + month // 12, month % 12 + 1, 1, 12, tzinfo=dt.UTC)
        now = int((start + dt.timedelta(days=52)).timestamp())
        total = {"event_id": f"m{month}", "occurred_at": start.isoformat(), "count": 400, "period": "month"}
        port.put({**total, "sector": SECTOR, "crossing_type": "at_port", "demographic": "unknown"}, now)
        port.beat(now + 60, "agency", 31 * 24 * HOUR)
    assert port.first() == []
    port.today = dt.date(2022, 1, 23)
    port.live(160, never)
    assert port.first(Question.DROP, Question.REGIME) == []
    silences = [n.alert for n in port.notices if n.reason is Reason.FIRST]
    assert [(one.subject, one.question) for one in silences] == [("", SILENCE), ("source=agency", SILENCE)]


def test_a_silence_that_is_found_before_its_source_stops_stands_until_data_return() -> None:
    """Where many come, two empty hours are found before three heartbeats are missed."""
    port = Port("2023-01-02", people=450, opens=0, closes=24)
    port.live(40, sources=FEED)
    for hour in range(14):
        at = int(dt.datetime.combine(port.today, dt.time(hour), ZoneInfo("America/New_York")).timestamp())
        port.send(at + 1800, 19)
        port.beat(at + 3540, "customs")
    port.live(20, never)
    assert len(port.first(SILENCE)) == 2
    assert port.resolved() == []
    port.live(3, sources=FEED)
    assert port.resolved() == [SILENCE, SILENCE]


def test_a_source_that_comes_back_where_only_an_hour_of_nobody_was_reported_ends_no_worker() -> None:
    port = Port("2023-03-01")
    begin = int(dt.datetime(2023, 3, 1, 6, tzinfo=dt.UTC).timestamp())
    port.send(begin, 0, period="hour")
    port.beat(begin, "river")
    port.let_pass(begin + 11 * HOUR)
    assert set(port.standing()) == {Question.SILENCE}
    port.beat(begin + 12 * HOUR, "river")
    port.let_pass(begin + 14 * HOUR)
    assert port.resolved() == [Question.SILENCE]
