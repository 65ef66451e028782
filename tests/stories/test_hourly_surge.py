"""A group that comes within an hour is alerted when that hour is over, not when the whole day is too high."""

import datetime as dt
import json
from functools import cache

import numpy as np
import pytest

from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from streams.contract.sectors import registry
from streams.contract.verdicts import Question, Verdict
from streams.judging import hourly_surge
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record

PLACES, SECTOR = registry(), "swanton"
HOUR, START = 3600, 1_672_531_200  # 2023-01-01
DAYS = 40
# Of a hundred people a day: few at night, most in the evening (UTC).
CLOCK = 100 / 24 * (1 + 0.8 * np.cos(2 * np.pi * (np.arange(24) - 2) / 24))


def records(counts: np.ndarray) -> list[Record]:
    """One event for each hour [days, 24] to which anybody came."""
    found = []
    for hour, people in enumerate(counts.ravel().tolist()):
        event = {
            "event_id": f"e{hour}",
            "occurred_at": dt.datetime.fromtimestamp(START + hour * HOUR + 1800, dt.UTC).isoformat(),
            "sector": SECTOR,
            "crossing_type": "between_ports",
            "demographic": "single_adult",
            "count": people,
        }
        if people:
            found.append(Record(len(found), json.dumps(event).encode()))
    return found


@cache
def calm(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).negative_binomial(np.tile(CLOCK, (DAYS, 1)), 0.5)


def crowded(hour: int, people: int) -> np.ndarray:
    """Calm, but for one hour of the last day."""
    counts = calm().copy()
    counts[-1, hour : hour + 2] = people, 5
    return counts


def surges(counts: np.ndarray, size: int = 50, budget: float = 0.05) -> list[Verdict]:
    """Return the breaches of surge, in the order in which they are published."""
    flow, events = SectorPipeline(PLACES, Judge(PLACES, false_alarms_per_month=budget)), records(counts)
    verdicts = []
    for start in range(0, len(events), size):
        verdicts += flow.process(0, events[start : start + size]).verdicts
    return [one for one in verdicts if one.question is Question.SURGE and one.breach]


def by_the_hour(verdicts: list[Verdict]) -> list[Verdict]:
    return [one for one in verdicts if "in the hour to" in one.evidence.remark]


def test_a_group_within_an_hour_is_alerted_at_its_end_with_what_the_hour_brought() -> None:
    (first, *_) = by_the_hour(surges(crowded(14, 45)))
    assert first.as_of == dt.datetime(2023, 2, 9, 15, tzinfo=dt.UTC)  # the end of the hour
    assert first.evidence.remark.startswith("45 in the hour to 10:00, where ")  # on Swanton's clock
    assert not first.closed
    assert first.evidence.expected < 80  # of the day so far
    assert first.evidence.observed > first.evidence.expected + 30


def test_it_is_one_alert_with_what_the_day_brings() -> None:
    pipeline, verdicts = AlertPipeline(policies()), surges(crowded(14, 150))
    batch = [Record(at, verdict.model_dump_json().encode()) for at, verdict in enumerate(verdicts)]
    notices = NoticeHistory(policies(), PLACES).follow(pipeline.process(0, batch).changes, 0)
    assert by_the_hour(verdicts)
    assert len({notice.alert.alert_id for notice in notices}) == 1


def test_the_same_number_at_an_hour_when_it_is_normal_is_no_surge() -> None:
    assert by_the_hour(surges(crowded(14, 25)))
    assert not by_the_hour(surges(crowded(2, 25)))


def test_calm_hours_alert_nobody() -> None:
    assert not by_the_hour(surges(calm()))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_how_records_are_fetched_changes_nothing_of_it(size: int) -> None:
    expected = by_the_hour(surges(crowded(14, 45)))
    assert by_the_hour(surges(crowded(14, 45), size)) == expected


def test_hours_cost_no_more_false_alarms_than_their_share() -> None:
    """Thirty sectors for 26 days at the largest budget: each hour may alarm once in 6,000."""
    false = sum(len(by_the_hour(surges(calm(seed), budget=30))) for seed in range(2, 32))
    assert false <= 30 * 26 * 24 * 0.01 * hourly_surge.SHARE * 2
