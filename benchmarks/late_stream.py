"""Replay late events: alerts of a worker that knows the reporting delay, and of one that does not.

`python -m benchmarks.late_stream`. Italy's daily arrivals by date of report are not part of the repository:
SURGEWATCH_DATA names the folder that holds them (../shared/data by default).
"""

import csv
import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from streams.contract.questions import Look
from streams.contract.sectors import registry
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import Counts
from streams.detectors import SectorView
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record

DATA = Path(os.environ.get("SURGEWATCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
VINTAGES, FINALS = DATA / "italy_daily_vintages.csv", DATA / "italy_daily.csv"
PLACES = registry()
SECTOR = "swanton"  # stands for the Italian coast
BUDGET = 1.0  # false alarms a month: what is compared is alarms, so there had better be some
EVENING = dt.time(22, tzinfo=dt.UTC)
HELD_OPEN = 19 * 3600  # seconds that a day is held open: until the evening of the next one has been reported
DAY = dt.timedelta(days=1)

Alerts = dict[tuple[Question, dt.date], dt.date]  # question and day: when it was first alerted


class Report(NamedTuple):
    """What was known of a day on another day."""

    on: dt.date
    day: dt.date
    people: int


class Unaware(Judge):
    """A judge that takes every count for complete, and a day without events for a day without people."""

    def ask(self, look: Look, sectors: Iterable[Counts], **period: Any) -> list[Verdict]:
        if look in (Look.CLOSED, Look.REVISED):
            period["watermark"] = None
        return super().ask(look, sectors, **period)

    def _silence(self, view: SectorView) -> list[Verdict]:
        found = super()._silence(view)
        for counts in view.sectors:
            counts.state.no_data_since = None
        return found


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


def lived(reports: list[Report], judge: Judge) -> Alerts:
    """Return the alerts of a worker that reads the reports day by day and closes each day in the evening."""
    flow = SectorPipeline(PLACES, judge, lateness=HELD_OPEN, dedup=(20_000, 90 * 24), wall_clock=True)
    alerts = Alerts()
    known: dict[dt.date, tuple[str, int]] = {}
    by_day: dict[dt.date, list[Report]] = {}
    for report in sorted(reports):
        by_day.setdefault(report.on, []).append(report)
    day, offset = min(report.day for report in reports), 0
    while day <= max(by_day) + DAY:
        evening = dt.datetime.combine(day, EVENING).timestamp()
        verdicts = flow.tick(evening - EVENING.hour * 3600).verdicts
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
            verdicts += outcome.verdicts
        for verdict in verdicts:
            if verdict.breach and not verdict.held:
                alerts.setdefault((verdict.question, verdict.period.date()), day)
        day += DAY
    return alerts


def read(path: Path) -> Iterator[Report]:
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = dt.date.fromisoformat(row["date"])
            on = dt.date.fromisoformat(row.get("report_date", row["date"]))
            yield Report(on, day, int(row["arrivals"]))


@cache
def italy(what: str) -> Alerts:
    """Alerts by the finals, as if each day had been known on its evening, or by the vintages as they came."""
    judge = Unaware if what == "unaware" else Judge
    return lived(
        list(read(FINALS if what == "finals" else VINTAGES)), judge(PLACES, false_alarms_per_month=BUDGET)
    )


def days(alerts: Alerts, question: Question) -> set[dt.date]:
    return {day for asked, day in alerts if asked is question}


START = 19_000  # days since 1970
HOUR = 3_600


def delayed(sectors: int, length: int, doubled_from: int, seed: int = 5) -> list[Record]:
    """Places of 40 people a day, of whom two in five are reported a day later on average."""
    random, known = np.random.default_rng(seed), []
    for sector in PLACES.sector[:sectors]:
        for day in range(length):
            number = random.negative_binomial(40 * (1 + (day >= doubled_from)), 1 / 2)
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


def breaches(judge: type[Judge], records: list[Record]) -> list[tuple[float, Verdict]]:
    """Return the breaches, each with its time in days since 1970."""
    asked, found = judge(PLACES, false_alarms_per_month=BUDGET), []
    flow = SectorPipeline(PLACES, asked, wall_clock=True)
    for start in range(0, len(records), 200):
        fetch = records[start : start + 200]
        when = fetch[-1].timestamp / 1000 / HOUR / 24
        found += [(when, one) for one in flow.process(0, fetch).verdicts if one.breach]
    return found


def hours_until_alerted(found: list[tuple[float, Verdict]], doubled_from: int) -> list[float]:
    """Return the hours from the doubling of the rate to the alert, of the sectors that alerted."""
    first: dict[str, float] = {}
    for when, verdict in found:
        if verdict.question is Question.SURGE and when >= START + doubled_from:
            first.setdefault(verdict.sector, (when - START - doubled_from) * 24)
    return sorted(first.values())


def main() -> None:
    print("Italy by date of report: days that each alerted, September 2019 to December 2022")
    for what in ("finals", "unaware", "aware") if VINTAGES.exists() else ():
        alerts = italy(what)
        both = len(days(alerts, Question.SURGE) & days(italy("finals"), Question.SURGE))
        found = dict(sorted(Counter(str(question) for question, _ in alerts).items()))
        print(f"  {what:<8} {found}, {both} surge days of the finals", flush=True)
    print("20 places, 40 people a day, two in five reported a day later on average")
    null, doubled = delayed(20, 150, 999), delayed(20, 126, 120)
    for judge in (Unaware, Judge):
        found = [one for when, one in breaches(judge, null) if when >= START + 60]
        false = {(one.question, one.sector, one.period) for one in found}
        counts = dict(sorted(Counter(str(one[0]) for one in false).items()))
        hours = hours_until_alerted(breaches(judge, doubled), 120)
        print(f"  {judge.__name__:<8} nothing happens, alarms in 1,800 days: {counts}", flush=True)
        print(f"  {'':<8} doubled: alerted in {len(hours)} of 20, after {np.median(hours):.0f} h (median)")


if __name__ == "__main__":
    main()
