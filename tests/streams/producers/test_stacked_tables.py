"""Several tables in one file, below one another: each figure goes where its own header says."""

from pathlib import Path

import pytest

from streams.table_files.faults import InputError
from tests.streams.producers.reading import CBP_HEADER, OCTOBER, checked, events, written

YEARS = "Provinces,Jan,Feb\nQuebec,3,5\nManitoba,1,1\n"
SOURCE = "Source: RCMP, updated 2020-01-02\n"


def months(path: Path) -> list[tuple[str, str, int]]:
    """The place, month and people of each figure."""
    return [(one.sector, f"{one.occurred_at:%Y-%m}", one.count) for one in events(checked(path)[0])]


@pytest.mark.parametrize("title", ["Calendar year {}\n", "{}\n", "\nTable: {}\n"])
def test_each_table_has_the_year_above_it(tmp_path: Path, title: str) -> None:
    """In Manitoba both years are the same to the letter."""
    later = YEARS.replace("3,5", "4,6")
    path = written(tmp_path, title.format(2017) + YEARS + SOURCE + title.format(2018) + later)
    assert sorted(months(path)) == [
        (sector, f"{year}-0{month}", people)
        for sector, counts in (
            ("rcmp-manitoba", {2017: (1, 1), 2018: (1, 1)}),
            ("rcmp-quebec", {2017: (3, 5), 2018: (4, 6)}),
        )
        for year, of_year in counts.items()
        for month, people in enumerate(of_year, 1)
    ]


@pytest.mark.parametrize("between", ["", "\n", SOURCE, "page 2\n"])
def test_a_header_that_is_printed_again_keeps_its_year(tmp_path: Path, between: str) -> None:
    again = "Provinces,Jan,Feb\nOntario,4,6\n"
    found = months(written(tmp_path, f"2017\n{YEARS}{between}{again}"))
    assert {month for _, month, _ in found} == {"2017-01", "2017-02"}
    assert sum(people for *_, people in found) == 20


def test_other_months_and_another_order_of_columns_are_read_under_their_own_header(tmp_path: Path) -> None:
    route = "Western Balkan Route,Land,Syria"
    table = (
        f"Route,BorderType,NationalityLong,JAN2023\n{route},3\n"
        f"Route,BorderType,NationalityLong,JAN2024,FEB2024\n{route},5,7\n"
    )
    found = months(written(tmp_path, table))
    assert [(month, people) for _, month, people in found] == [("2023-01", 3), ("2024-01", 5), ("2024-02", 7)]
    boats = "date,migrants,boats\n2024-01-03,50,1\ndate,boats,migrants\n2024-02-03,1,40\n"
    assert [people for *_, people in months(written(tmp_path, boats))] == [50, 40]


@pytest.mark.parametrize(
    ("below", "why"),
    [
        ("date,migrants,boats\n2024-01-03,5,1\n", "looks like the UK's small boats by day."),
        ("week ending,migrants arrived\n2024-01-07,5\n", "looks like the UK's small boats by week."),
        (CBP_HEADER.replace("Citizenship", "Nation") + OCTOBER, "CBP's table; no column 'citizenship'."),
    ],
)
def test_a_table_of_another_kind_below_is_refused_with_its_line(tmp_path: Path, below: str, why: str) -> None:
    """Its rows would be notes, or figures of the wrong columns."""
    with pytest.raises(InputError) as raised:
        checked(written(tmp_path, f"{CBP_HEADER}{OCTOBER}\n{below}"))
    assert str(raised.value).startswith(f"{tmp_path / 'file'}:4: another table begins here: looks like ")
    assert why in str(raised.value)


def test_a_wider_header_below_has_rows_that_end_early(tmp_path: Path) -> None:
    table = f"2017\n{YEARS}2018\nProvinces,Jan,Feb,Mar\nQuebec,4,6\n"
    sent, rows = checked(written(tmp_path, table))
    assert sum(event.count for event in events(sent)) == 20
    assert rows.skipped["no figure: suppressed, or not reported"] == 1
