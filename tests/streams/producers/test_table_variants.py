"""Releases write one table in many ways: totals, notes, months, years and numbers are read alike."""

from pathlib import Path

import pytest

from tests.streams.producers.reading import CBP_HEADER, OCTOBER, checked, events, refusal, written

BOATS = "date,migrants,boats\n2024-01-03,5,1\n"
FRONTEX = "Route,BorderType,NationalityLong"
RCMP = '"Calendar year 2018"\nProvinces,Jan,Feb,Total\nQuebec,"1,458",2,"1,460"\n'
LONG = "ym,province,interceptions\n"
NOTE, TOTAL = "a note or an empty row", "a row of totals"


@pytest.mark.parametrize(
    ("table", "below", "why"),
    [
        (CBP_HEADER + OCTOBER, ",,,,,,,,,,Grand Total,1204", TOTAL),
        (CBP_HEADER + OCTOBER, OCTOBER.replace("MEXICO", "All"), TOTAL),
        (CBP_HEADER + OCTOBER, OCTOBER.replace("San Diego Sector", "Southwest Border Total"), TOTAL),
        (CBP_HEADER + OCTOBER, "Source: CBP, as of 2025-01-01", NOTE),
        (CBP_HEADER + OCTOBER, CBP_HEADER, "the header again"),
        (RCMP, 'All provinces,"1,458",2,"1,460"', TOTAL),
        (RCMP, 'Canada,"1,458",2,"1,460"', TOTAL),
        (RCMP, 'Ensemble du Canada,"1,458",2,"1,460"', TOTAL),
        (RCMP, "Source: IRCC, 2018", NOTE),
        (BOATS, "1. Figures are provisional, may change", NOTE),
    ],
)
def test_totals_notes_and_headers_below_the_data_count_nobody(
    tmp_path: Path, table: str, below: str, why: str
) -> None:
    alone, _ = checked(written(tmp_path, table, "alone"))
    sent, rows = checked(written(tmp_path, f"{table}{below}\n"))
    assert [record.value for record in sent] == [record.value for record in alone]
    assert (rows.skipped, rows.reasons) == ({why: 1}, {})


@pytest.mark.parametrize(
    "month",
    ["Oct-22", "Oct 2022", "October 2022", "octobre 2022", "Oct. 2022 [p]", "2022M10", "2022/10", "202210",
     "10/2022", "2022-10-31", "31.10.2022"],
)  # fmt: skip
def test_a_month_is_read_as_agencies_write_it(tmp_path: Path, month: str) -> None:
    sent, _ = checked(written(tmp_path, f"{LONG}{month},Quebec,3\n"))
    (event,) = events(sent)
    assert event.occurred_at.isoformat() == "2022-10-01T00:00:00-04:00"


@pytest.mark.parametrize("year", ["FY2025", "FY25", "FY 2025", "2025 FYTD", "2025(FYTD)"])
def test_a_fiscal_year_is_read_as_releases_write_it(tmp_path: Path, year: str) -> None:
    known, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER, "known"))
    sent, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER.replace("2025 (FYTD)", year)))
    assert sent == known


@pytest.mark.parametrize(
    "number",
    ["1'204", "1 204", "1\u202f204", "1204.0", '"1,204*"', "1204 [1]", "1204\u2020", "1204 (r)", "1204p"],
)
def test_a_number_is_read_as_agencies_write_it(tmp_path: Path, number: str) -> None:
    sent, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER.replace('"1,204"', number)))
    assert [event.count for event in events(sent)] == [1204]


@pytest.mark.parametrize("column", ["Nov-23", "2023M11", "NOV 2023", "2023-11"])
def test_a_column_of_a_month_is_never_passed_over(tmp_path: Path, column: str) -> None:
    table = f"{FRONTEX},{column},Total,% change\nWestern Balkan Route,Land,Afghanistan,210,210,3\n"
    sent, _ = checked(written(tmp_path, table))
    assert [event.count for event in events(sent)] == [210]
    odd = table.replace(",Total", ",DEC 2023 (prov.)")
    assert refusal(written(tmp_path, odd)).endswith("unknown column 'DEC 2023 (prov.)'")


@pytest.mark.parametrize(
    ("content", "way_out"),
    [
        (b"\x28\xb5\x2f\xfd\x00", "pack it with gzip"),
        (b"%PDF-1.7", "save its table as CSV"),
        (b"<!DOCTYPE html><html>Not found</html>", "save its table as CSV"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b'[{"event_id": "a"}]', "one object a line"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_way_out(
    tmp_path: Path, content: bytes, way_out: str
) -> None:
    assert way_out in refusal(written(tmp_path, content))


def test_all_wrong_fields_of_an_event_are_named_at_once(tmp_path: Path) -> None:
    event = (
        '{"event_id": "a", "occurred_at": "2024-01-01", "sector": "yuma", "crossing_type": "x", "count": "3"}'
    )
    _, rows = checked(written(tmp_path, event, "file.ndjson"))
    (bad,) = rows.rejected
    assert [detail.split()[0] for detail in bad.detail.split("; ")] == [
        "occurred_at", "crossing_type", "demographic", "count",
    ]  # fmt: skip


def test_a_month_that_is_to_come_is_refused_with_its_time(tmp_path: Path) -> None:
    _, rows = checked(written(tmp_path, f"{LONG}2099-01,Quebec,3\n"))
    (bad,) = rows.rejected
    assert bad.detail.startswith('occurred_at "2099-01-01T00:00:00-05:00" is ')


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    other = OCTOBER.replace("Title 8", "Title 42")
    sent, rows = checked(written(tmp_path, CBP_HEADER + OCTOBER + other + OCTOBER))
    assert [event.count for event in events(sent)] == [2408]
    assert rows.skipped == {"the same row again": 1}


def test_a_number_with_an_unquoted_comma_is_not_read_as_its_thousands(tmp_path: Path) -> None:
    sent, rows = checked(written(tmp_path, f"{LONG}2018-01,Quebec,1,204\n2018-02,Quebec,3,,\n"))
    assert [event.count for event in events(sent)] == [3]
    (refused,) = rows.rejected
    assert "has 4 cells, the header 3" in refused.detail


def test_the_year_of_a_table_is_never_that_of_its_release(tmp_path: Path) -> None:
    named = RCMP.replace("2018", "2018 (updated 2019-02-01)", 1)
    known, _ = checked(written(tmp_path, RCMP, "known"))
    assert checked(written(tmp_path, named, "named"))[0] == known
    sent, rows = checked(written(tmp_path, RCMP.replace("Calendar year 2018", "2018, updated 2019")))
    assert (sent, rows.reasons) == ([], {"invalid": 1})


def test_a_week_is_no_month(tmp_path: Path) -> None:
    sent, rows = checked(written(tmp_path, f"{LONG}2018-W05,Quebec,3\n"))
    assert (sent, rows.reasons) == ([], {"invalid": 1})


def test_a_negative_number_is_refused_however_it_is_written(tmp_path: Path) -> None:
    """Accountants write it in brackets, which elsewhere are a footnote's."""
    rows = "".join(f"2018-0{at},Quebec,{cell}\n" for at, cell in enumerate(["3 (2)", "-3", "(3)", "(12)"], 1))
    sent, found = checked(written(tmp_path, LONG + rows))
    assert [event.count for event in events(sent)] == [3]
    assert [bad.position for bad in found.rejected] == [3, 4, 5]
