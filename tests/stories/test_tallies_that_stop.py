"""Weekly and monthly tallies that stop: the sector is without data, and silent once a tally is overdue."""

import datetime as dt

import numpy as np
import pytest

from alerts.notices import titles
from streams.baselines.calendar import Calendar, KnownDate
from streams.contract.cadence import Cadence
from streams.contract.controls import Confirm
from streams.contract.verdicts import DataStatus, Question
from tests.stories.port import HOUR, SECTOR
from tests.stories.tallied_port import DAY, TalliedPort

SILENCE, WEEK, MONTH = Question.SILENCE, Cadence.WEEK, Cadence.MONTH
FEEDS = [
    (WEEK, -HOUR),
    (WEEK, 3 * DAY),
    (WEEK, 12 * DAY),
    (MONTH, -HOUR),
    (MONTH, 10 * DAY),
    (MONTH, 40 * DAY),
]
each_feed = pytest.mark.parametrize(("cadence", "delay"), FEEDS)


def usual(periods: int, mean: float = 400) -> list[int]:
    return np.random.default_rng(5).poisson(mean, periods).tolist()


def reported(cadence: Cadence, delay: int, mean: float = 400) -> TalliedPort:
    port = TalliedPort("2018-01-01", cadence, delay=delay)
    port.report(usual(60, mean))
    return port


@each_feed
def test_nothing_resolves_and_no_zero_is_found_or_learnt_once_tallies_stop(
    cadence: Cadence, delay: int
) -> None:
    port = reported(cadence, delay)
    assert port.first() == []
    port.report([1_600, 1_600, 1_600, None, None, None])
    resolved = port.resolved()
    port.report([None] * 21)
    assert port.resolved() == resolved
    assert port.first(Question.DROP, Question.REGIME) == []
    assert {Question.SURGE, SILENCE} <= set(port.standing())
    assert len(port.first(SILENCE)) == 1
    port.report([*usual(24), *usual(3)])
    assert port.standing() == {}
    assert port.first(Question.DROP, Question.REGIME) == []
    last = [v for v in port.verdicts if v.question is Question.SURGE and not v.held][-1].evidence
    assert last.recent_expected[-4] == pytest.approx(400, rel=0.25)


@pytest.mark.parametrize(
    ("cadence", "delay", "periods"),
    [(WEEK, -HOUR, 2), (WEEK, 3 * DAY, 2), (WEEK, 12 * DAY, 3), (MONTH, -HOUR, 2), (MONTH, 40 * DAY, 3)],
)
def test_the_silence_is_found_once_a_tally_is_later_than_usual(
    cadence: Cadence, delay: int, periods: int
) -> None:
    port = reported(cadence, delay)
    stopped = dt.datetime.combine(port.today, dt.time(), dt.UTC)
    port.report([None] * 6)
    found = next(v for v in port.verdicts if v.question is SILENCE)
    assert found.evidence.window == periods
    assert found.evidence.no_data_since == stopped - dt.timedelta(seconds=1)
    assert found.data is DataStatus.WITHOUT_DATA
    held = [v for v in port.verdicts if v.question is Question.SURGE and v.closed][-4:]
    assert {v.data for v in held} == {DataStatus.WITHOUT_DATA}


def test_the_notice_names_the_last_tally_and_what_was_expected_of_a_week() -> None:
    port = reported(WEEK, -HOUR)
    port.report([None] * 2)
    title = titles.title(port.standing()[SILENCE])
    assert title.startswith("No data from Port for 14 days. Last tally up to 2019-02-24 23:59 UTC. ")
    assert title.endswith(" a week were expected.")


@each_feed
def test_tallies_of_nobody_are_data(cadence: Cadence, delay: int) -> None:
    port = reported(cadence, delay)
    port.report([0] * 12)
    assert port.first(SILENCE) == []
    assert len(port.first(Question.DROP)) == 1
    assert port.first(Question.REGIME) != []


@each_feed
def test_a_single_tally_that_never_comes_is_no_drop_and_at_most_a_silence_until_the_next(
    cadence: Cadence, delay: int
) -> None:
    port = reported(cadence, delay)
    port.report([None, *usual(12)])
    assert port.first() == port.first(SILENCE)
    assert port.standing() == {}


@each_feed
def test_tallies_that_come_all_at_once_after_a_silence_are_data(cadence: Cadence, delay: int) -> None:
    port = reported(cadence, delay)
    first = int(dt.datetime.combine(port.today, dt.time(), dt.UTC).timestamp())
    port.report([None] * 4)
    assert len(port.first(SILENCE)) == 1
    now = int(dt.datetime.combine(port.today, dt.time(), dt.UTC).timestamp())
    length = (now - first) // 4
    for at in range(4):
        port.send(first + at * length + length // 2, 400, known=now, period=cadence.value)
    port.report(usual(6))
    assert port.resolved() == [SILENCE]
    assert port.standing() == {}
    counts = port.flow.partitions[0].counts[SECTOR]
    filled = range(cadence.index(first), cadence.index(now))
    assert [counts.series[cadence].get(period) for period in filled] == [400] * 4
    assert not set(counts.state.of(cadence).gaps) & set(filled)


def test_where_few_are_expected_a_table_without_a_row_means_nobody() -> None:
    port = TalliedPort("2018-01-01", MONTH)
    port.report([3, 1, None, 2, 1, None, None, 2, 1, 4] * 6)
    port.report([None] * 3)
    assert port.first() == []
    assert {v.data for v in port.verdicts[-3:]} == {DataStatus.WITH_DATA}


def test_zero_that_a_person_confirms_is_zero() -> None:
    port = reported(WEEK, -HOUR)
    port.report([None] * 3)
    assert set(port.standing()) == {SILENCE}
    at = dt.datetime.combine(port.today, dt.time(), dt.UTC)
    port.judge.apply(Confirm(by="ops", at=at, reason="the crossing is shut", sector=SECTOR))
    port.report([None] * 12)
    assert port.first(Question.DROP) != []


def test_a_closure_in_the_calendar_is_no_silence() -> None:
    closed = KnownDate(dt.date(2019, 2, 25), "closure", "closed", SECTOR, dt.date(2019, 5, 26))
    port = TalliedPort("2018-01-01", WEEK, calendar=Calendar((closed,)))
    port.report(usual(60))
    port.report([None] * 13)
    assert port.first() == []
    port.report([None] * 3)
    assert len(port.first(SILENCE)) == 1


def test_a_sector_with_events_is_judged_on_while_its_monthly_tallies_are_away() -> None:
    port = TalliedPort("2021-01-01", MONTH, people=40, opens=0, closes=24)
    for _ in range(14):
        first = port.today
        port.live((port.following() - first).days)
        at = [int(dt.datetime.combine(day, dt.time(8), dt.UTC).timestamp()) for day in (first, port.today)]
        port.send(at[0], 1_200, known=at[1], period="month")
    port.live(100)
    assert {alert.question for alert in port.standing().values()} == {SILENCE}
    assert port.standing()[SILENCE].latest.cadence is MONTH
    days = [v for v in port.verdicts if v.question is Question.SURGE and v.cadence is Cadence.DAY]
    assert {v.data for v in days} == {DataStatus.WITH_DATA}


def test_a_restart_while_tallies_are_away_changes_nothing() -> None:
    through, stopped = reported(WEEK, 3 * DAY), reported(WEEK, 3 * DAY)
    for port in (through, stopped):
        port.report([None] * 2)
    held = dict(stopped.flow.dirty()[0])
    stopped.flow.restore(0, {key: value for key, value in held.items() if value is not None})
    for port in (through, stopped):
        port.report([None, None, *usual(6)])
    assert [str(v) for v in stopped.verdicts] == [str(v) for v in through.verdicts]
