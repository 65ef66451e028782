"""Notices on the tallies of a young sector do not contradict themselves."""

import datetime as dt

import pytest

from alerts.lifecycle.alert import Notice, Reason
from streams.contract.verdicts import Question
from tests.stories.port import Port


def surge_of(months: list[int]) -> Notice:
    """The first notice of a surge; every month is tallied at its start, as official tables are dated."""
    port = Port("2021-01-01")
    for at, people in enumerate(months):
        start = dt.datetime(2021 + at // 12, at % 12 + 1, 1, 12, tzinfo=dt.UTC)
        port.send(int(start.timestamp()), people, period="month", citizenship="HAITI")
    surges = [n for n in port.notices if n.alert.question is Question.SURGE and n.reason is Reason.FIRST]
    return surges[0]


def test_what_is_usual_of_the_only_slice_is_what_is_expected_of_the_sector() -> None:
    evidence = surge_of([600, 601, 602, 600, 601, 602, 600, 1800, 600]).alert.latest.evidence
    usual = {one.name: one.expected for one in evidence.slices}
    assert 0.95 < usual["citizenship=HAITI"] / evidence.expected < 1.05


def test_a_month_that_is_tallied_is_not_called_unfinished() -> None:
    notice = surge_of([400 + at % 5 for at in range(30)] + [4000, 400, 401])
    assert not notice.alert.latest.closed
    assert "not over yet" not in notice.headline
    assert "4,000" in notice.headline or "4000" in notice.headline


@pytest.mark.parametrize(("people", "surges"), [(1490, []), (6000, ["2021-01-14"])])
def test_one_day_of_bad_weather_in_a_first_week_is_not_what_its_weekday_is_like(
    people: int, surges: list[str]
) -> None:
    port = Port("2021-01-04")
    port.tally([1500, 1530, 1480, 360, 1510, 1490, 1520, 1500, 1470, 1510, people])
    assert port.first() == surges


def test_from_two_weeks_on_a_weekday_has_a_level_of_its_own() -> None:
    port = Port("2021-01-04")
    port.tally([600, 610, 590, 605, 595, 200, 205] * 3)
    (saturday,) = (
        verdict.evidence.expected
        for verdict in port.verdicts
        if verdict.question is Question.SURGE and verdict.closed and f"{verdict.period:%m-%d}" == "01-23"
    )
    assert 190 < saturday < 230
    assert port.first() == []
