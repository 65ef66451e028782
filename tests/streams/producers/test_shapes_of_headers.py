"""Headers as agencies lay them out: sums between months, several rows, several lines, years as sheets."""

from collections import Counter
from pathlib import Path

import pytest

from streams.table_files.faults import InputError
from tests.streams.producers.reading import checked, events, refusal, written
from tests.streams.producers.test_workbooks import workbook

YEAR = "Calendar year 2018\n"


def figures(path: Path, *, sheet: str | None = None) -> Counter[str]:
    """The people of each month."""
    found = Counter[str]()
    for event in events(checked(path, sheet=sheet)[0]):
        found[f"{event.occurred_at:%Y-%m}"] += event.count
    return found


@pytest.mark.parametrize(
    "quarter",
    ["Q1", "Q1 2018", "2018Q1", "T1", "First quarter", "1st quarter", "1er trimestre", "primer trimestre"],
)
def test_a_quarter_beside_its_months_is_a_sum(tmp_path: Path, quarter: str) -> None:
    table = f"{YEAR}Province,Jan,Feb,Mar,{quarter},Apr,Total\nQuebec,1,2,3,6,4,10\n"
    assert sum(figures(written(tmp_path, table)).values()) == 10


@pytest.mark.parametrize("quarter", ["Q2", "Q1 2019", "Second quarter"])
def test_a_quarter_without_its_months_is_not_passed_over(tmp_path: Path, quarter: str) -> None:
    table = f"Province,Jan 2018,Feb 2018,Mar 2018,{quarter}\nQuebec,1,2,3,6\n"
    assert f"unknown column {quarter!r}" in refusal(written(tmp_path, table))


def test_years_may_stand_two_rows_above_the_months(tmp_path: Path) -> None:
    table = (
        ",,2018,,,2018 Total,2019,,2019 Total\n,,Q1,,Q1 Total,,Q1,Q1 Total,\n"
        "Province,Office,Jan,Feb,,,Jan,,\nQuebec,Airport,1,2,3,3,4,4,4\n"
    )
    assert figures(written(tmp_path, table)) == {"2018-01": 1, "2018-02": 2, "2019-01": 4}


@pytest.mark.parametrize(
    "table",
    [
        'Date,"Migrants\narrived","Boats\r\narrived"\n2018-01-03,5,1\n',
        '"Boats, as\npublished"\nDate,Migrants,"Boats"\n2018-01-03,5,1\n',
        'An inch is 1"\nDate,Migrants,Boats\n2018-01-03,5,1\n',
    ],
)
def test_a_cell_above_the_rows_may_have_several_lines(tmp_path: Path, table: str) -> None:
    assert figures(written(tmp_path, table)) == {"2018-01": 5}


def test_rows_below_a_header_of_several_lines_keep_their_numbers(tmp_path: Path) -> None:
    _, rows = checked(
        written(tmp_path, '"Date\n","Migrants\narrived",Boats\n2018-01-03,5,1\n2018-01-04,many,1\n')
    )
    assert [bad.position for bad in rows.rejected] == [5]


def test_the_name_of_a_sheet_may_be_its_year(tmp_path: Path) -> None:
    rows = [["Province", "Jan"], ["Quebec", 3]]
    path = written(tmp_path, workbook(**{"2018": rows, "2019": rows}), "table.xlsx")
    assert figures(path, sheet="2019") == {"2019-01": 3}


def test_a_column_that_may_tell_rows_apart_as_in_another_table_is_not_left_out(tmp_path: Path) -> None:
    """Claimants at airports would be people who crossed between ports."""
    table = f"{YEAR}Province,Bureau,Jan,Feb\nQuebec,Airport,1,2\nQuebec,Land,4,5\n"
    assert "unknown column 'Bureau'" in refusal(written(tmp_path, table))


def test_days_before_months_are_not_read_as_months_before_days(tmp_path: Path) -> None:
    """A table with 01/13/2024 has other months in its first twelve days too."""
    table = "date,migrants,boats\n01/02/2024,5,1\n01/13/2024,6,1\n"
    with pytest.raises(InputError, match=r':3: date "01/13/2024" has day and month in another order'):
        checked(written(tmp_path, table))


def test_a_row_without_its_place_may_be_a_subtotal(tmp_path: Path) -> None:
    _, rows = checked(written(tmp_path, f"{YEAR}Province,Office,Jan\nQuebec,,9\n,Airport,4\n"))
    assert [bad.detail.partition(":")[0] for bad in rows.rejected] == ["Office is empty", "Province is empty"]
