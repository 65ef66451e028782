"""The shipped scenarios through all pure pipelines: records in, notices out."""

import re
from functools import lru_cache

import pytest

from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from streams.contract.sectors import registry
from streams.contract.verdicts import Question
from streams.judging.judge import Judge
from streams.pipelines.border_pipeline import BorderPipeline
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.producers.scenario import scenario
from surgewatch.harness.records import Record

FETCH = 2_000
ARRIVED = 1_900_000_000  # s: after every scenario, as records are, so that nothing lies in the future


@lru_cache(maxsize=1)
def notices_of(name: str) -> tuple[Notice, ...]:
    """Return the notices of a scenario that is replayed through one partition."""
    places = registry()
    sectors, borders = SectorPipeline(places, Judge(places)), BorderPipeline(places)
    alerts, history = AlertPipeline(policies()), NoticeHistory(policies(), places)
    records = [Record(at, event.value) for at, event in enumerate(scenario(name).events(places))]
    notices: list[Notice] = []
    published = 0
    for start in range(0, len(records), FETCH):
        output = sectors.process(0, records[start : start + FETCH])
        closed = [Record(0, one.model_dump_json().encode()) for one in output.summaries]
        border = [*borders.process(0, closed).verdicts, *borders.tick(0.0).verdicts]
        verdicts = [*output.verdicts, *border]
        batch = [Record(published + at, one.model_dump_json().encode()) for at, one in enumerate(verdicts)]
        published += len(batch)
        notices += history.follow(alerts.process(0, batch).changes, ARRIVED)
    return tuple(notices)


def first(name: str, sector: str, *questions: Question) -> list[str]:
    """The days on which these questions first alerted in a sector."""
    return [
        f"{notice.alert.onset:%Y-%m-%d}"
        for notice in notices_of(name)
        if notice.reason is Reason.FIRST
        and notice.alert.sector == sector
        and notice.alert.question in questions
    ]


def test_nothing_is_sent_where_nothing_happens() -> None:
    assert notices_of("quiet") == ()


@pytest.fixture(scope="module")
def roxham() -> tuple[Notice, ...]:
    return notices_of("roxham-2022")


def test_the_treaty_change_is_alerted_as_a_drop_on_its_day(roxham: tuple[Notice, ...]) -> None:
    assert "2023-03-25" in first("roxham-2022", "rcmp-quebec", Question.DROP)


def test_the_treaty_change_is_alerted_once_as_a_displacement_from_where_to_where(
    roxham: tuple[Notice, ...],
) -> None:
    moved = [n for n in roxham if n.alert.question is Question.DISPLACEMENT]
    assert [n.reason for n in moved] == [Reason.FIRST, Reason.STILL, Reason.RESOLVED]
    assert "2023-03-25" <= f"{moved[0].alert.onset:%Y-%m-%d}" <= "2023-03-28"
    headline = re.match(
        r"Displacement from RCMP Quebec to (.*): 10 in 3 days, expected (\d+) ", moved[0].headline
    )
    assert headline is not None
    assert set(headline[1].split(" and ")) == {"CBSA Quebec Air", "Swanton"}
    assert 470 <= int(headline[2]) <= 530
    more = re.search(r"(\d+) fewer here, (\d+) more at (.*)\.", moved[0].text)
    assert more is not None
    assert int(more[1]) == int(headline[2]) - 10
    assert 75 <= int(more[2]) <= 85
    assert set(more[3].split(" and ")) == {"CBSA Quebec, airports", "Swanton Sector"}


def test_a_cluster_is_alerted_for_the_reopening_alone(roxham: tuple[Notice, ...]) -> None:
    clusters = [n for n in roxham if n.alert.question is Question.SCAN and n.reason is Reason.FIRST]
    (onset,) = [f"{n.alert.onset:%Y-%m-%d}" for n in clusters]
    assert "2021-11-21" <= onset <= "2021-12-31"


def test_people_who_cross_elsewhere_are_alerted_within_three_days(roxham: tuple[Notice, ...]) -> None:
    days = first("roxham-2022", "cbsa-quebec-air", Question.SURGE, Question.SLOW_RISE)
    assert any("2023-03-25" <= day <= "2023-03-28" for day in days)


def test_the_baseline_forgets_the_old_level_within_three_weeks(roxham: tuple[Notice, ...]) -> None:
    over = [n for n in roxham if n.reason is Reason.RESOLVED and n.alert.question is Question.DROP]
    assert any(
        f"{n.alert.onset:%Y-%m-%d}" == "2023-03-25" and f"{n.alert.updated:%Y-%m-%d}" < "2023-04-15"
        for n in over
    )


def test_every_alert_begins_once_and_ends_once(roxham: tuple[Notice, ...]) -> None:
    started = [n.alert.alert_id for n in roxham if n.reason is Reason.FIRST]
    ended = [n.alert.alert_id for n in roxham if n.reason is Reason.RESOLVED]
    assert len(started) == len(set(started))
    assert len(ended) == len(set(ended))
    assert set(ended) <= set(started)


def test_swantons_climb_is_alerted_in_july_2022_at_the_latest() -> None:
    days = first("swanton-2022", "swanton", Question.SURGE, Question.SLOW_RISE, Question.RECORD)
    assert any("2022-03-01" <= day <= "2022-07-31" for day in days)


def test_the_nationality_that_tripled_is_named() -> None:
    mixes = [
        n
        for n in notices_of("del-rio-2021")
        if n.alert.sector == "del-rio" and n.alert.question is Question.MIX and n.reason is Reason.FIRST
    ]
    assert ("2021-09", True) in [(f"{n.alert.onset:%Y-%m}", "Haiti" in n.headline) for n in mixes]


def test_trouble_of_the_feed_is_no_trouble_of_the_border() -> None:
    grave = [n for n in notices_of("chaos") if n.alert.severity is Severity.CRITICAL]
    assert grave == []
