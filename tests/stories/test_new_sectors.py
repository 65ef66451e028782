"""A sector that has only begun is taken to be like the others of its border, until it shows otherwise."""

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from streams.baselines.peer_priors import PeerPriors
from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import registry
from streams.contract.toml_documents import load
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import Series
from streams.judging.judge import Judge
from surgewatch.cli import group

PLACES, START = registry(), Cadence.DAY.index(1_640_995_200)  # 2022-01-01
NORTHERN = [sector.id for sector in PLACES.sector if sector.border == "northern"][:6]
NEW = "rcmp-quebec"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year and a half of six sectors with 8 to 20 people a day, under the names of official files."""
    random, path = np.random.default_rng(2), tmp_path_factory.mktemp("history") / "days.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("series", "period", "count"))
        for name, mean in zip(NORTHERN, np.geomspace(8, 20, 6), strict=True):
            for day, count in enumerate(random.negative_binomial(mean, 0.5, 540)):
                date = np.datetime64("2020-07-10") + day
                rows.writerow((PLACES.by_id[name].name, date, count))
    return path


@pytest.fixture(scope="module")
def peer_priors(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that `surgewatch learn-priors` writes."""
    path = tmp_path_factory.mktemp("peer_priors") / "peer_priors.toml"
    ran = CliRunner().invoke(group, ["learn-priors", str(history), "--cadence", "day", "--out", str(path)])
    assert ran.exit_code == 0, ran.output
    return path


def verdicts(peer_priors: Path, *days: int) -> list[Verdict]:
    """Return the verdicts on a new sector's last day."""
    judge, counts = Judge(PLACES, peer_priors=load(peer_priors, PeerPriors)), Counts(NEW, "UTC")
    series = counts.series[Cadence.DAY] = Series(Cadence.DAY, KEEP[Cadence.DAY])
    for at, people in enumerate(days, START):
        series.add(at, people)
        last = judge.ask(Look.CLOSED, [counts], cadence=Cadence.DAY, index=at)
        counts.closed[Cadence.DAY] = at
    return last


def test_priors_are_written_for_the_border_and_for_all(peer_priors: Path) -> None:
    known = load(peer_priors, PeerPriors)
    assert {one.border for one in known.prior} == {"northern", "*"}
    north = known.of("northern", Cadence.DAY)
    assert north is not None
    assert north.sectors == 6
    assert 8 < north.people < 20
    assert 1.5 < north.dispersion < 2.5


@pytest.mark.parametrize("people", [0, 5, 12, 25])
def test_a_first_day_like_those_of_other_sectors_is_calm(peer_priors: Path, people: int) -> None:
    assert not any(one.breach for one in verdicts(peer_priors, people))


def test_a_first_day_beyond_all_that_like_sectors_see_is_a_surge_with_its_reason(peer_priors: Path) -> None:
    (surge,) = (one for one in verdicts(peer_priors, 600) if one.question is Question.SURGE)
    assert surge.breach
    assert surge.evidence.baseline == "prior of 6 like sectors"
    assert surge.evidence.lower < 12 < surge.evidence.upper < 600


def test_after_some_days_a_sector_is_compared_with_what_it_showed_itself(peer_priors: Path) -> None:
    """Forty would be nothing new for a sector of thirty a day; of four a day, it is."""
    small, large = ((*[level] * 6, 40) for level in (4, 30))
    (surge,) = (one for one in verdicts(peer_priors, *small) if one.question is Question.SURGE)
    assert surge.breach
    assert surge.evidence.baseline == "prior of 6 like sectors and 6 days"
    assert not any(one.breach for one in verdicts(peer_priors, *large))


def test_a_young_series_of_a_table_is_scored_from_its_first_day_by_the_others(history: Path) -> None:
    text = history.read_text() + "new,2021-12-29,11\nnew,2021-12-30,14\nnew,2021-12-31,500\n"
    young = history.with_name("young.csv")
    young.write_text(text)
    ran = CliRunner().invoke(group, ["score", str(young), "--cadence", "day", "--from", "2021-12-29"])
    rows = [row for row in csv.DictReader(ran.stdout.splitlines()) if row["series"] == "new"]
    assert [row["alarm"] for row in rows] == ["0", "0", "1"]
    assert all(row["status"] == "closed" for row in rows)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("a,2022-01-01,3\na,2022-01-02,4\n", "no series of 365 days"),
        ("Swanton,2022-01-01,3\nswanton,2022-01-01,4\n", "several series are one sector: swanton"),
    ],
    ids=["too short", "two names of one sector"],
)
def test_a_history_that_is_too_short_or_ambiguous_is_refused_with_its_reason(
    tmp_path: Path, rows: str, reason: str
) -> None:
    path = tmp_path / "days.csv"
    path.write_text(f"series,period,count\n{rows}")
    ran = CliRunner().invoke(group, ["learn-priors", str(path), "--cadence", "day"])
    assert ran.exit_code == 2
    assert reason in ran.output
