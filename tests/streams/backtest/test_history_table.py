"""A table of counts is read as it is meant, or refused with rows and reasons."""

import csv
import gzip
from pathlib import Path

import openpyxl
import pytest

from streams.backtest.history_table import TableError, moment, read
from streams.contract.cadence import Cadence
from streams.table_files.faults import InputError

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
        ("series,period,count,Count\na,2021-08-30,4,5\n", ":1: column 'count' is there twice"),
        (GOOD + "a,yesterday,3\n", ":5: 'yesterday' is no date"),
        (GOOD + "a,2021-09-03,many\n", ":5: count 'many' is no number"),
        (GOOD + "a,2021-09-03,-1\n", ":5: count '-1' is not a whole number"),
        (GOOD + "a,2021-09-03,nan\n", ":5: count 'nan' is not a whole number"),
        (GOOD + "a,2021-09-03,2.5\n", ":5: count '2.5' is not a whole number"),
        (GOOD + "a,2021-09-02,1\n", ":5: a has 2021-09-02 twice"),
        (GOOD + "a,2021-09-03\n", ":5: 2 cells"),
        (GOOD + ",2021-09-03,1\n", ":5: no series"),
        (GOOD + "a,9999-09-03,1\n", "spans"),
        (GOOD + "a,2021-10,1\n", ":5: '2021-10' is a month, and the cadence is day"),
        (GOOD + "a,2021-W40,1\n", ":5: '2021-W40' is a week, and the cadence is day"),
    ],
)
def test_a_bad_row_is_refused_by_its_number_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TableError) as refused:
        read(_file(tmp_path, text), Cadence.DAY)
    assert reason in str(refused.value)


def test_weeks_that_begin_on_different_days_are_refused(tmp_path: Path) -> None:
    weeks = "series,period,count\na,2024-01-07,5\na,2024-01-14,6\nb,2024-01-15,7\n"
    with pytest.raises(TableError, match=":4: the week 2024-01-15 begins on another weekday than 2024-01-07"):
        read(_file(tmp_path, weeks), Cadence.WEEK)


@pytest.mark.parametrize("offset", ["+01:00", "-05:00", "Z"])
def test_a_day_with_an_offset_is_that_day_of_its_own_place(tmp_path: Path, offset: str) -> None:
    plain = read(_file(tmp_path, "series,period,count\na,2024-01-01,4\na,2024-02-01,5\n"), Cadence.MONTH)
    text = f"series,period,count\na,2024-01-01T00:00{offset},4\na,2024-02-01T00:00{offset},5\n"
    assert read(_file(tmp_path, text), Cadence.MONTH).first == plain.first


def test_rows_without_a_cell_are_passed_over(tmp_path: Path) -> None:
    assert len(read(_file(tmp_path, GOOD + ",,\n\n , ,\n"), Cadence.DAY).series) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_gzip_utf_16_thousands_delimiters_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, delimiter: str
) -> None:
    plain = read(_file(tmp_path, GOOD + "a,2021-09-03,1204\n"), Cadence.DAY).series["a"].values.tolist()
    other = "\ufeff" + GOOD.replace(",", delimiter) + f'a{delimiter}2021-09-03{delimiter}"1,204"\n'
    (tmp_path / "packed").write_bytes(gzip.compress(other.encode()))
    assert read(tmp_path / "packed", Cadence.DAY).series["a"].values.tolist() == plain
    (tmp_path / "utf-16").write_bytes(other.lstrip("\ufeff").replace("1,204", "1'204").encode("utf-16"))
    assert read(tmp_path / "utf-16", Cadence.DAY).series["a"].values.tolist() == plain


def test_all_bad_rows_are_named_at_once_with_what_an_empty_count_means(tmp_path: Path) -> None:
    text = 'series,period,count\na,2024-01,<5\na,2024-02,-\na,2024-03,"1,204"\na,then,4\nTotal\n'
    with pytest.raises(TableError) as refused:
        read(_file(tmp_path, text), Cadence.MONTH)
    lines = str(refused.value).splitlines()
    assert [line.partition("counts.csv:")[2] for line in lines[:4]] == [
        "2: count '<5' is no number",
        "3: count '-' is no number",
        "5: 'then' is no date or time (ISO 8601)",
        "6: 1 cells, the header has 3",
    ]
    assert lines[4].startswith("An empty count means that nothing is known")


def test_a_thousand_bad_rows_are_named_up_to_a_bound(tmp_path: Path) -> None:
    with pytest.raises(TableError) as refused:
        read(_file(tmp_path, "series,period,count\n" + "a,2024-01-01,many\n" * 1_000), Cadence.DAY)
    assert len(str(refused.value).splitlines()) == 22
    assert "and 980 more rows" in str(refused.value)


def test_two_days_of_one_month_are_named_both(tmp_path: Path) -> None:
    text = "series,period,count\na,2024-01-15,5\na,2024-01-20,6\n"
    with pytest.raises(TableError, match=r":3: 2024-01-20 is in the same month as 2024-01-15 \(row 2\)"):
        read(_file(tmp_path, text), Cadence.MONTH)


def test_a_file_in_latin_1_is_refused_with_its_row_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_bytes("series,period,count\nQuébec,2024-01-01,5\n".encode("latin-1"))
    with pytest.raises(TableError) as refused:
        read(path, Cadence.MONTH)
    assert "counts.csv:2: 'Québec,2024-01-01,5' is not UTF-8" in str(refused.value)
    assert f"iconv -f latin1 -t utf-8 {path}" in str(refused.value)


def test_weeks_from_sunday_keep_their_names(tmp_path: Path) -> None:
    text = "series,period,count\na,2024-01-07,20\na,2024-01-21,22\n"
    table = read(_file(tmp_path, text), Cadence.WEEK)
    labels = [table.label("a", index) for index in range(table.first, table.end)]
    assert labels == ["2024-01-07", "2024-01-14", "2024-01-21"]
    saturday, sunday = moment("2024-01-20"), moment("2024-01-21")
    assert [table.index(at) - table.first for at in (saturday, sunday)] == [1, 2]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        read(tmp_path / "nothing.csv", Cadence.DAY)


def test_a_sheet_of_a_workbook_is_read_like_its_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("counts", "other"):
        sheet = book.create_sheet(name)
        for row in csv.reader(GOOD.splitlines()):
            sheet.append([int(cell) if cell.isdecimal() else cell or None for cell in row])
    path = tmp_path / "counts.xlsx"
    book.save(path)
    plain = read(_file(tmp_path, GOOD), Cadence.DAY).series["a"].values.tolist()
    assert read(path, Cadence.DAY, sheet="other").series["a"].values.tolist() == plain
    with pytest.raises(
        InputError, match=r"sheets that can be read: 'counts', 'other'. Choose one with --sheet"
    ):
        read(path, Cadence.DAY)
    with pytest.raises(InputError, match=r"is no workbook: it has no sheet 'other'"):
        read(_file(tmp_path, GOOD), Cadence.DAY, sheet="other")
