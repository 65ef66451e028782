"""The hand-labelled episodes of real series are alerted in time; what is missed is listed, not hidden.

Months go through the whole judge at its default budget, as they would live: an operator sees a surge, a slow
rise or a record alike. Days, and what a quiet window costs the surge alone, are scored at alpha .01.
"""

import csv
import os
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from alerts.lifecycle.policies import policies
from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Column, Table, moment
from streams.backtest.scoring import Score, Scorer, learn_peer_priors
from streams.baselines.peer_priors import PeerPriors
from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question
from streams.counting.sector_counts import Counts
from streams.counting.series import Series
from streams.judging.judge import Judge

DATA = Path(os.environ.get("SURGEWATCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
MONTHS = {"usbp_sector_month.csv": "sector", "rcmp_interceptions_month.csv": "province"}
DAYS = {"uk_channel_daily.csv": "UK Channel daily"}
POLICIES = policies()
UPWARD = {Question.SURGE, Question.SLOW_RISE, Question.RECORD}
BUDGET = 0.05  # false alarms per sector and month: the default
DROP_OVER = 6  # months after which the baseline has followed a drop
PEERS = {
    "rcmp_interceptions_month.csv": "usbp_sector_month.csv"
}  # whose past is the prior of those that begin
OVER = {"Havre-2012-01": 2}  # months of alarm in quiet windows beyond one in a hundred (and one)

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.exists(), reason=f"no real series in {DATA}: set SURGEWATCH_DATA"),
]


def _labels(name: str, files: dict[str, str]) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["file"] in files]


def _episodes(files: dict[str, str], *, drops: bool) -> pytest.MarkDecorator:
    rows = [row for row in _labels("episodes.csv", files) if (row["kind"] == "drop") == drops]
    return pytest.mark.parametrize("row", rows, ids=lambda row: row["id"])


QUIET = pytest.mark.parametrize(
    "row",
    _labels("quiet_windows.csv", MONTHS),
    ids=lambda row: f"{row['series']} {row['start']}".replace(" ", "-"),
)


@cache
def _table(name: str) -> Table:
    cadence = Cadence.DAY if name in DAYS else Cadence.MONTH
    cells: defaultdict[str, dict[int, int]] = defaultdict(dict)
    with (DATA / name).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            place = DAYS.get(name) or ("RCMP " if "province" in row else "") + row[MONTHS[name]]
            count = row.get("encounters") or row.get("interceptions") or row.get("migrants") or ""
            if count:
                cells[place][cadence.index(moment(row.get("ym") or row["date"]))] = int(float(count))
    columns = {}
    for place, known in cells.items():
        first, last = min(known), max(known)
        values = np.array([known.get(at, 0) for at in range(first, last + 1)], np.int64)
        columns[place] = Column(first, values, np.array([at in known for at in range(first, last + 1)]))
    return Table(cadence, columns)


@cache
def _scores(name: str) -> dict[tuple[str, int], Score]:
    table = _table(name)
    scorer = Scorer(table, HistoryJudge(Registry(sector=())), 0.01, table.first)
    return {(one.series, one.period): one for period in scorer for one in period}


def _peers(name: str) -> PeerPriors | None:
    """What was normal in like sectors when the first of a file was counted."""
    if name not in PEERS:
        return None
    others, end = _table(PEERS[name]), _table(name).first
    before = {
        place: Column(one.first, one.values[: end - one.first], one.known[: end - one.first])
        for place, one in others.series.items()
    }
    return learn_peer_priors(Table(others.cadence, before), HistoryJudge(Registry(sector=())))


@cache
def _alerted(name: str) -> dict[tuple[str, int], set[Question]]:
    """Return the questions that alert by the shipped policies, by series and month."""
    table, judge = (
        _table(name),
        Judge(Registry(sector=()), false_alarms_per_month=BUDGET, peer_priors=_peers(name)),
    )
    batch = []
    for place, column in table.series.items():
        counts = Counts(place)
        values = column.values.astype(np.int32)
        counts.series[Cadence.MONTH] = Series(Cadence.MONTH, len(values), column.first, values)
        counts.state.monthly.gaps = (column.first + np.flatnonzero(~column.known)).tolist()
        batch.append((counts, column))
    alerted: defaultdict[tuple[str, int], set[Question]] = defaultdict(set)
    for index in range(table.first, table.end):
        there = [
            counts
            for counts, column in batch
            if column.first < index < column.end and column.known[index - column.first]
        ]
        for one in judge.ask(Look.CLOSED, there, cadence=Cadence.MONTH, index=index) if there else []:
            if POLICIES.of(one.question).counts(one):
                alerted[one.sector, index].add(one.question)
    return alerted


def _span(row: dict[str, str], until: str) -> range:
    cadence = Cadence.DAY if row["file"] in DAYS else Cadence.MONTH
    return range(cadence.index(moment(row["start"])), cadence.index(moment(row[until])) + 1)


@_episodes(MONTHS, drops=False)
def test_a_surge_is_alerted_in_its_first_month_and_a_slow_climb_within_three(row: dict[str, str]) -> None:
    onset = _span(row, "end")[0]
    within = 3 if row["kind"] == "slow climb" else 1
    alerted = _alerted(row["file"])
    assert any(alerted[row["series"], onset + at] & UPWARD for at in range(within))


@_episodes(DAYS, drops=False)
def test_a_surge_of_days_alarms_by_its_highest_day(row: dict[str, str]) -> None:
    scores = _scores(row["file"])
    assert any(scores[row["series"], at].alarm for at in _span(row, "peak"))


@_episodes(MONTHS, drops=True)
def test_a_drop_is_alerted_once_and_the_baseline_follows(row: dict[str, str]) -> None:
    alerted, span = _alerted(row["file"]), _span(row, "end")
    low = [at - span[0] for at in span if Question.DROP in alerted[row["series"], at]]
    assert low == list(range(len(low)))
    assert 0 < len(low) <= DROP_OVER


@QUIET
def test_a_quiet_window_costs_no_more_than_the_budget_or_what_is_listed(row: dict[str, str]) -> None:
    scores = _scores(row["file"])
    window = [scores[row["series"], at] for at in _span(row, "end") if (row["series"], at) in scores]
    known = OVER.get(f"{row['series']}-{row['start']}", 0)
    assert sum(one.alarm for one in window) <= max(1, 0.01 * len(window), known)


@QUIET
def test_a_quiet_window_alerts_no_more_than_the_default_budget(row: dict[str, str]) -> None:
    """Surges, slow rises and records together; what goes on from month to month is one alert."""
    alerted, span = _alerted(row["file"]), _span(row, "end")
    breach = [bool(alerted[row["series"], at] & UPWARD) for at in span]
    begun = sum(now and not before for before, now in zip([False, *breach], breach, strict=False))
    assert begun <= max(1, BUDGET * len(span))
