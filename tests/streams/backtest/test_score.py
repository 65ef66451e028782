"""`surgewatch score` from the command line: alpha, periods and refusals."""

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from surgewatch.cli import group

WEEKS = [f"2024-{month:02}-{day:02}" for month, day in ((1, 7), (1, 14), (1, 21), (1, 28), (2, 4), (2, 11))]


def score(path: Path, *words: str) -> Result:
    return CliRunner().invoke(group, ["score", str(path), *words])


def monthly(folder: Path) -> Path:
    path = folder / "counts.csv"
    rows = [f"a,{2018 + at // 12}-{at % 12 + 1:02},{400 + at % 7}" for at in range(72)]
    path.write_text("series,period,count\n" + "\n".join(rows) + "\n")
    return path


def test_a_budget_by_month_is_kept_and_printed(tmp_path: Path) -> None:
    ran = score(monthly(tmp_path), "--cadence", "month", "--budget", "0.05")
    assert ran.exit_code == 0
    assert "note: alpha is 0.05, as the budget asks; a worker never goes beyond 0.01" in ran.stderr
    assert "budget 0.05)" in ran.stderr


@pytest.mark.parametrize("words", [("--budget", "0.9"), ("--budget", "0.1", "--alpha", "0.1")])
def test_a_budget_that_cannot_be_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert score(monthly(tmp_path), "--cadence", "month", *words).exit_code == 2


def test_periods_are_printed_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    rows = [f"a,{week},{20 + at}" for at, week in enumerate(WEEKS)]
    path.write_text("series,period,count\n" + "\n".join(rows) + "\n")
    ran = score(path, "--cadence", "week")
    assert [row["period"] for row in csv.DictReader(io.StringIO(ran.stdout))] == WEEKS


def test_a_bad_table_ends_with_2_and_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("series,period,count\na,2024-01,<5\n")
    ran = score(path, "--cadence", "month")
    assert ran.exit_code == 2
    assert f"surgewatch: {path}:2: count '<5' is no number" in ran.stderr
