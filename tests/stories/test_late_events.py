"""Late word: days of which little is known yet are no drops, no silences, and surges are told all the same.

The real case is Italy's daily arrivals by sea by date of report, twice a month: what was known of a day on
the day itself was 13 % of the final count in the median, where it was revised; one without a report reads 0.
"""

import csv
import datetime as dt
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from streams.calendar import Cadence
from streams.counts import Counts
from streams.judging import Judge
from streams.pipeline import Pipeline
from streams.sectors import registry
from streams.verdicts import Question, Verdict

DATA = Path(os.environ.get("SURGEWATCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
VINTAGES, FINALS = DATA / "italy_daily_vintages.csv", DATA / "italy_daily.csv"
PLACES = registry()
SECTOR = "swanton"  # stands for the Italian coast
BUDGET = 1.0  # false alarms a month: what is compared is alarms, so there had better be some
EVENING = dt.time(22, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

Told = dict[tuple[Question, dt.date], dt.date]  # the day of which, and on which it was told first


class Record(NamedTuple):
    offset: int
    value: bytes
    timestamp: int


class Report(NamedTuple):
    """What was known of a day on another day."""

    on: dt.date
    day: dt.date
    people: int


class Unaware(Judge):
    """A judge who takes what is in hand for all there is: it is not told how late it is."""

    def close(
        self, batch: list[Counts], cadence: Cadence, index: int, clock: float | None = None
    ) -> list[Verdict]:
        return super().close(batch, cadence, index)

    def revise(
        self, batch: list[Counts], cadence: Cadence, index: int, clock: float | None = None
    ) -> list[Verdict]:
        return super().revise(batch, cadence, index)


def tally(report: Report, replaces: str | None) -> dict[str, object]:
    """The wire form of what was reported of a day; it stands in for what was reported before."""
    return {
        "event_id": f"{report.day} as of {report.on}",
        "occurred_at": f"{report.day}T12:00:00+00:00",
        "reported_at": dt.datetime.combine(report.on, EVENING).isoformat(),
        "sector": SECTOR,
        "crossing_type": "between_ports",
        "demographic": "unknown",
        "count": report.people,
        "period": "day",
        **({"replaces": replaces} if replaces else {}),
    }


def lived(reports: list[Report], judge: Judge) -> Told:
    """What is told by a worker that lives through it, day by day; the clock on its wall closes days."""
    flow, told = Pipeline(PLACES, judge, dedup=(20_000, 90 * 24)), Told()
    known: dict[dt.date, tuple[str, int]] = {}
    by_day: dict[dt.date, list[Report]] = {}
    for report in sorted(reports):
        by_day.setdefault(report.on, []).append(report)
    day, offset = min(report.day for report in reports), 0
    while day <= max(by_day) + DAY:
        evening = dt.datetime.combine(day, EVENING).timestamp()
        said = flow.tick(evening - 22 * 3600).verdicts
        records = []
        for report in by_day.get(day, ()):
            before, people = known.get(report.day, (None, 0))
            if people != report.people:
                event = tally(report, before)
                known[report.day] = str(event["event_id"]), report.people
                records.append(Record(offset, json.dumps(event).encode(), int(evening * 1000)))
                offset += 1
        if records:
            outcome = flow.process(0, records)
            assert not outcome.dead
            said += outcome.verdicts
        for verdict in said:
            if verdict.breach:
                told.setdefault((verdict.question, verdict.period.date()), day)
        day += DAY
    return told


def read(path: Path) -> Iterator[Report]:
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = dt.date.fromisoformat(row["date"])
            on = dt.date.fromisoformat(row.get("report_date", row["date"]))
            yield Report(on, day, int(row["arrivals"]))


@cache
def italy(what: str) -> Told:
    """Told by the finals as if each day had been known on its evening, or by the vintages as they came."""
    judge = Unaware if what == "unaware" else Judge
    return lived(list(read(FINALS if what == "finals" else VINTAGES)), judge(PLACES, None, BUDGET))


def days(told: Told, question: Question) -> set[dt.date]:
    return {day for asked, day in told if asked is question}


real = pytest.mark.skipif(not VINTAGES.exists(), reason=f"no {VINTAGES.name} in {DATA}: set SURGEWATCH_DATA")


@real
@pytest.mark.data
@pytest.mark.parametrize("question", [Question.DROP, Question.SILENCE, Question.REGIME])
def test_days_that_are_not_reported_yet_are_taken_for_no_drop_silence_or_new_level(
    question: Question,
) -> None:
    finals, aware, unaware = (days(italy(what), question) for what in ("finals", "aware", "unaware"))
    missed = {dt.date(2021, 7, at) for at in range(1, 15)}  # the only report that was left out: a silence
    assert len(aware - missed) <= 1.1 * len(finals) + 2
    assert len(unaware) > 3 * len(aware)


@real
@pytest.mark.data
def test_surges_of_the_finals_are_told_with_the_first_report_of_their_day() -> None:
    reported: dict[dt.date, dt.date] = {}
    for report in sorted(read(VINTAGES)):
        if report.people:
            reported.setdefault(report.day, report.on)
    finals, aware = days(italy("finals"), Question.SURGE), italy("aware")
    told = {day: aware[Question.SURGE, day] for day in finals & days(aware, Question.SURGE)}
    assert len(told) >= 0.9 * len(finals)
    assert sum(on <= reported[day] + DAY for day, on in told.items()) >= 0.9 * len(told)


@real
@pytest.mark.data
def test_late_reports_make_no_flood_of_surges() -> None:
    finals, aware, unaware = (days(italy(what), Question.SURGE) for what in ("finals", "aware", "unaware"))
    assert len(aware) <= 1.25 * len(finals)
    assert len(unaware) > 2.5 * len(finals)


START, CALM, LENGTH = 19_000, 60, 72  # days since 1970; the rate doubles after CALM days
HOUR = 3_600


def delayed(seed: int) -> list[Record]:
    """Six places of 40 people a day, of whom two in five are reported a day later on average."""
    random, known = np.random.default_rng(seed), []
    for sector in PLACES.sector[:6]:
        for day in range(LENGTH):
            number = random.negative_binomial(40 * (1 + (day >= CALM)), 1 / 2)
            at = (START + day) * 24 * HOUR + random.integers(0, 24 * HOUR, number)
            wait = np.where(random.random(number) < 0.4, random.exponential(24 * HOUR, number), 0)
            known += [(int(when), int(on), sector.id) for when, on in zip(at + wait, at, strict=True)]
    records = []
    for offset, (when, on, sector) in enumerate(sorted(known)):
        event = {
            "event_id": f"e{offset}",
            "occurred_at": dt.datetime.fromtimestamp(on, dt.UTC).isoformat(),
            "reported_at": dt.datetime.fromtimestamp(when, dt.UTC).isoformat(),
            "sector": sector,
            "crossing_type": "between_ports",
            "demographic": "single_adult",
            "count": 1,
        }
        records.append(Record(offset, json.dumps(event).encode(), when * 1000))
    return records


@cache
def breaches(judge: type[Judge]) -> tuple[tuple[float, Verdict], ...]:
    """What is said of days, and when: days since 1970."""
    flow, records, said = Pipeline(PLACES, judge(PLACES, None, BUDGET)), delayed(5), []
    for start in range(0, len(records), 200):
        fetch = records[start : start + 200]
        when = fetch[-1].timestamp / 1000 / HOUR / 24
        said += [(when, one) for one in flow.process(0, fetch).verdicts if one.breach]
    return tuple(said)


def hours_until_told(judge: type[Judge]) -> list[float]:
    """After the rate doubled, by sector."""
    first: dict[str, float] = {}
    for when, verdict in breaches(judge):
        if verdict.question is Question.SURGE and when >= START + CALM:
            first.setdefault(verdict.sector, (when - START - CALM) * 24)
    return [first.get(sector.id, (LENGTH - CALM) * 24.0) for sector in PLACES.sector[:6]]


def test_a_doubled_rate_is_told_sooner_by_who_knows_how_much_has_arrived() -> None:
    assert np.median(hours_until_told(Judge)) + 12 <= np.median(hours_until_told(Unaware))


def test_days_of_which_a_third_is_still_to_come_are_no_drops_and_no_new_level() -> None:
    fewer = {Question.DROP, Question.REGIME}
    calm = {
        judge: {
            (one.sector, one.question, one.period)
            for when, one in breaches(judge)
            if when < START + CALM and one.question in fewer
        }
        for judge in (Judge, Unaware)
    }
    assert len(calm[Judge]) <= 1 < len(calm[Unaware])


def test_evidence_says_how_much_has_arrived_and_how_much_came_late() -> None:
    surges = [one for when, one in breaches(Judge) if when >= START + CALM and one.question is Question.SURGE]
    first = next(one for one in surges if one.closed)
    again = [
        one for one in surges if one.closed and one.period == first.period and one.sector == first.sector
    ]
    assert 0.5 < first.evidence.share_arrived < 0.95
    assert again[-1].evidence.share_arrived > first.evidence.share_arrived
    assert again[-1].evidence.share_late > 0.05
