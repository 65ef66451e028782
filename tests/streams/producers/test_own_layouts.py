"""Layouts of a user's own: fiscal years, hours, points in numbers, rows told apart by a number."""

from pathlib import Path

import pytest

from streams.contract.toml_documents import DocumentError, load
from streams.producers.layout import Layout
from tests.streams.producers.reading import checked, events, written

PORT = 'date = ["Date"]\nplace = ["Port"]\ncount = ["People"]'
FISCAL = 'place = ["Sector"]\nyear = ["FY"]'
MONTHS = 'kind = "month-name-columns"\nyear_begins = 10'


def layout(
    folder: Path, columns: str, time: str = 'kind = "date"', *, period: str = "day", more: str = ""
) -> Layout:
    text = (
        f'id = "mine"\ntitle = "mine"\ndescription = "d"\nsource = "s"\nperiod = "{period}"\n{more}\n'
        f"[columns]\n{columns}\n[time]\n{time}\n"
        '[event]\nsector = "{place}"\ncrossing_type = "at_port"\ndemographic = "unknown"\n'
    )
    return load(written(folder, text, "mine.toml"), Layout)


def test_a_layout_whose_time_is_no_table_is_refused(tmp_path: Path) -> None:
    text = 'id = "mine"\ntime = "date"\n'
    with pytest.raises(DocumentError, match="time: Input should be a valid"):
        load(written(tmp_path, text, "mine.toml"), Layout)


def read(folder: Path, text: str, known: Layout) -> list[tuple[str, int]]:
    sent, rows = checked(written(folder, text), known)
    assert not rows.reasons
    return [(f"{event.occurred_at:%Y-%m-%dT%H%z}", event.count) for event in events(sent)]


@pytest.mark.parametrize(
    "table",
    ["FY2019\nSector,Oct,Jan,Total\nYuma,1,2,3\n",
     "Fiscal Year 2018-19, updated May 2020\nSector,Oct,Jan\nYuma,1,2\n",
     "FY,Sector,Oct,Jan\nFY19,Yuma,1,2\n", ",FY2019,\nSector,Oct,Jan\nYuma,1,2\n"],
)  # fmt: skip
def test_months_of_a_fiscal_year_lie_in_two_calendar_years(tmp_path: Path, table: str) -> None:
    known = layout(tmp_path, FISCAL, MONTHS, period="month", more='optional = ["year"]')
    assert read(tmp_path, table, known) == [("2018-10-01T00-0700", 1), ("2019-01-01T00-0700", 2)]


def test_fiscal_years_may_be_columns_and_begin_in_any_month(tmp_path: Path) -> None:
    columns = 'place = ["Sector"]\nmonth = ["Month"]'
    known = layout(tmp_path, columns, 'kind = "year-columns"\nyear_begins = 4', period="month")
    found = read(tmp_path, "Sector,Month,2017/18,FY2019\nYuma,April,1,2\nYuma,March,3,4\n", known)
    assert [start[:7] for start, _ in found] == ["2017-04", "2018-03", "2018-04", "2019-03"]
    assert [count for _, count in found] == [1, 3, 2, 4]


def test_hours_stay_hours_and_an_offset_is_heeded(tmp_path: Path) -> None:
    known = layout(tmp_path, PORT, period="hour")
    rows = "2024-06-18 13:00,Yuma,5\n2024-06-18 14:00,Yuma,6\n2024-06-18T22:00Z,Yuma,7\n"
    assert read(tmp_path, f"Date,Port,People\n{rows}", known) == [
        ("2024-06-18T13-0700", 5), ("2024-06-18T14-0700", 6), ("2024-06-18T15-0700", 7),
    ]  # fmt: skip


def test_a_week_of_iso_8601_begins_on_its_monday(tmp_path: Path) -> None:
    known = layout(tmp_path, PORT, period="week")
    assert read(tmp_path, "Date,Port,People\n2024-W24,Yuma,5\n", known) == [("2024-06-10T00-0700", 5)]


def test_points_part_thousands_only_where_the_layout_says_so(tmp_path: Path) -> None:
    table = "Date,Port,People\n2024-06-18,Yuma,1.204\n"
    assert read(tmp_path, table, layout(tmp_path, PORT, more='thousands = "."'))[0][1] == 1204
    _, rows = checked(written(tmp_path, table), layout(tmp_path, PORT))
    assert rows.rejected[0].detail == 'People "1.204" is no whole number from 0 to 1,000,000'


def test_a_column_of_numbers_tells_rows_apart_only_where_the_layout_names_it(tmp_path: Path) -> None:
    table = "Date,Port,Age,People\n2024-06-18,Yuma,17,5\n2024-06-18,Yuma,18,5\n"
    by_age = layout(tmp_path, f'{PORT}\nage = ["Age"]', more='parts = ["age"]')
    assert [count for _, count in read(tmp_path, table, by_age)] == [10]
    _, rows = checked(written(tmp_path, table), layout(tmp_path, PORT))
    assert "where row 2 has 5" in rows.rejected[0].detail
