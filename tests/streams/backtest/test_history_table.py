"""A table of counts is read as it is meant, or refused with row and reason."""

from pathlib import Path

import pytest

from streams.backtest.history_table import TableError, read
from streams.contract.cadence import Cadence

GOOD = "series,period,count\na,2021-08-30,4\na,2021-08-31,\na,2021-09-02,7\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "counts.csv"
    path.write_text(text)
    return path


def test_a_period_without_a_count_is_a_gap_and_not_a_zero(tmp_path: Path) -> None:
    column = read(_file(tmp_path, GOOD), Cadence.DAY).series["a"]
    assert column.values.tolist() == [4, 0, 0, 7]
    assert column.known.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ":1: needs the columns"),
        ("a,b\n1,2\n", ":1: needs the columns"),
        ("series,period,count\n", "no counts"),
        (GOOD + "a,yesterday,3\n", ":5: 'yesterday' is no date"),
        (GOOD + "a,2021-09-03,many\n", ":5: count 'many' is no number"),
        (GOOD + "a,2021-09-03,-1\n", ":5: count '-1' is not a whole number"),
        (GOOD + "a,2021-09-03,nan\n", ":5: count 'nan' is not a whole number"),
        (GOOD + "a,2021-09-03,2.5\n", ":5: count '2.5' is not a whole number"),
        (GOOD + "a,2021-09-02,1\n", ":5: a has 2021-09-02 twice"),
        (GOOD + "a,2021-09-03\n", ":5: 2 cells"),
        (GOOD + ",2021-09-03,1\n", ":5: no series"),
        (GOOD + "a,9999-09-03,1\n", "spans"),
    ],
)
def test_a_bad_row_is_refused_by_its_number_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TableError) as refused:
        read(_file(tmp_path, text), Cadence.DAY)
    assert reason in str(refused.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        read(tmp_path / "nothing.csv", Cadence.DAY)
