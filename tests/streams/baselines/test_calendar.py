"""The calendar: closures last until their last day; a file that cannot be used is refused by its line."""

import datetime as dt
from pathlib import Path

import pytest

from streams.baselines.calendar import EPOCH, Calendar, CalendarError
from streams.baselines.gaps import closed_days
from streams.contract.cadence import Cadence

HEADER = "date,kind,name,series,until\n"


def read(tmp_path: Path, *lines: str) -> Calendar:
    file = tmp_path / "calendar.csv"
    file.write_text(HEADER + "\n".join(lines) + "\n")
    return Calendar.read(file, frozenset({"swanton", "port-a", "port-b"}))


def day(date: str) -> int:
    return (dt.date.fromisoformat(date) - EPOCH).days


def test_a_closure_lasts_until_its_last_day_in_the_series_that_it_names(tmp_path: Path) -> None:
    calendar = read(tmp_path, "2023-12-30,closure,winter,port-*,2024-01-02", "2023-12-25,closure,x,port-a")
    assert calendar.closures("port-a") == {day("2023-12-25"), *range(day("2023-12-30"), day("2024-01-03"))}
    assert calendar.closures("swanton") == frozenset()


def test_a_closure_is_no_holiday_and_no_policy_date(tmp_path: Path) -> None:
    calendar = read(tmp_path, "2023-12-30,closure,winter,,2024-01-02")
    assert calendar.holidays == frozenset()
    assert calendar.steps("port") == ()


def test_a_file_without_the_column_until_is_read_as_before(tmp_path: Path) -> None:
    file = tmp_path / "calendar.csv"
    file.write_text("date,kind,name\n2023-07-04,holiday,Independence Day\n2023-03-25,policy,treaty\n")
    calendar = Calendar.read(file)
    assert calendar.holidays == {day("2023-07-04")}
    assert calendar.steps("swanton") == (day("2023-03-25"),)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("2023-07-04,shut,x,,", "kind is 'shut', not holiday, policy or closure"),
        ("2023-02-30,closure,x,,", "'2023-02-30' is no date"),
        ("0001-01-01,policy,x,,", "the year must be from 1900 to 2200"),
        ("2023-07-04,closure,x,,soon", "'soon' is no date"),
        ("2023-07-04,closure,x,,2023-07-03", "until is for closures, and not before their date"),
        ("2023-07-04,closure,x,swantn,", "no sector matches 'swantn'; nearest known: swanton"),
        ("2023-07-04,holiday,x,swanton,", "a holiday is one of all sectors, not of 'swanton' alone"),
        ("2023-07-04,closure,x,swanton,2023-07-05,", "has more cells than columns"),
        ("2023-07-04,holiday,x,,2023-07-05", "until is for closures, and not before their date"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_its_number(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(CalendarError, match=f"calendar.csv:2: {fault}"):
        read(tmp_path, line)


def test_every_line_that_cannot_be_used_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(CalendarError, match=r"(?s):2: kind is 'shut'.*:4: 'soon' is no date"):
        read(tmp_path, "2023-07-04,shut,x,,", "2023-07-04,closure,x,,", "soon,closure,x,,")


@pytest.mark.parametrize(
    "header",
    ["date,kind,name,sector,until", "date,kind,name,series,until,note", "date,kind,name,name", "date,name"],
)
def test_a_column_that_is_not_known_is_refused(tmp_path: Path, header: str) -> None:
    """Or a closure of one sector would be one of all."""
    path = tmp_path / "calendar.csv"
    path.write_text(f"{header}\n2023-07-04,closure,x,swanton\n")
    with pytest.raises(
        CalendarError, match=f"calendar.csv:1: the columns are '{header}', not date,kind,name"
    ):
        Calendar.read(path)


def test_a_file_of_a_spreadsheet_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "calendar.csv"
    path.write_text(HEADER + "2023-07-04,holiday,x,,\n", encoding="utf-8-sig")
    assert Calendar.read(path).holidays == {day("2023-07-04")}


@pytest.mark.parametrize("content", [b"\xff\xfe", b"date,kind,name\n\xff", b"\0", b""])
def test_a_file_that_is_no_table_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "calendar.csv"
    path.write_bytes(content)
    with pytest.raises(CalendarError, match=r"calendar\.csv"):
        Calendar.read(path)


def test_a_longer_period_is_closed_by_the_share_of_its_days() -> None:
    april = Cadence.MONTH.index(dt.datetime(2023, 4, 1, tzinfo=dt.UTC).timestamp())
    days = frozenset(range(day("2023-04-01"), day("2023-04-16")))
    assert closed_days(Cadence.MONTH, april, days) == 0.5
    assert closed_days(Cadence.DAY, day("2023-04-15"), days) == 1
