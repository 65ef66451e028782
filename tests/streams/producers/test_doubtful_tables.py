"""What may be read in two ways is refused with its row, so that no file is counted wrongly with status 0."""

from pathlib import Path

import pytest

from tests.streams.producers.reading import CBP_HEADER, OCTOBER, checked, events, refusal, written

PROVINCES = "Provinces,Jan,Feb,Total\nQuebec,3,4,7\n"
FRONTEX = "Route,BorderType,NationalityLong,JAN2024,FEB2024\nWestern Balkan Route,Land,Syria,5,6\n"
BOATS = "date,migrants,boats\n2024-01-03,50,1\n"


def read(folder: Path, text: str) -> tuple[list[int], list[str]]:
    """The people of each event, and what is refused."""
    sent, rows = checked(written(folder, text))
    return [event.count for event in events(sent)], [bad.detail for bad in rows.rejected]


@pytest.mark.parametrize(
    "above",
    ["Fiscal year 2018", "Fiscal year 2018-2019", "FY 2018-19", "Year 2018/19", "Exercice 2018-2019",
     "Updated on 2019-02-01", "Published: 15/04/2019", "as of 31 March 2018", "Copyright 2024"],
)  # fmt: skip
def test_a_calendar_year_is_neither_fiscal_nor_that_of_the_release(tmp_path: Path, above: str) -> None:
    counts, refused = read(tmp_path, f'"{above}"\n{PROVINCES}')
    assert counts == []
    assert 'Provinces "Quebec" has no year' in refused[0]


@pytest.mark.parametrize(
    "above", ["from January 1, 2018 to December 31, 2018", "Calendar year 2018, as of May 2019"]
)
def test_a_calendar_year_may_stand_in_a_sentence(tmp_path: Path, above: str) -> None:
    assert read(tmp_path, f'"{above}"\n{PROVINCES}') == ([3, 4], [])


def test_an_updated_table_below_another_keeps_the_year_above(tmp_path: Path) -> None:
    again = PROVINCES.replace("Quebec", "Ontario")
    sent, _ = checked(written(tmp_path, f"2018\n{PROVINCES}Updated on 2019-02-01\n{again}"))
    assert {event.occurred_at.year for event in events(sent)} == {2018}


@pytest.mark.parametrize(
    ("table", "below", "column"),
    [
        (FRONTEX, "Western Balkan Route,Land,,5,6\n", "NationalityLong"),
        (FRONTEX, "Western Balkan Route,,Iraq,5,6\n", "BorderType"),
        (CBP_HEADER + OCTOBER, OCTOBER.replace("MEXICO", ""), "Citizenship"),
        (CBP_HEADER + OCTOBER, OCTOBER.replace("UC / Single Minors", ""), "Demographic"),
    ],
)
def test_a_row_without_a_label_may_be_a_subtotal(tmp_path: Path, table: str, below: str, column: str) -> None:
    known, _ = read(tmp_path, table)
    assert read(tmp_path, table + below) == (
        known,
        [f"{column} is empty: a subtotal, or a cell merged with the one above"],
    )


@pytest.mark.parametrize(
    ("table", "below", "where"),
    [
        (BOATS, "2024-01-03,60,2\n", "60 people in english-channel, 2024-01-03, where row 2 has 50"),
        ("2018\n" + PROVINCES, "Quebec,9,4,13\n", "9 people in rcmp-quebec, 2018-01-01, where row 3 has 3"),
        (CBP_HEADER + OCTOBER, OCTOBER.replace("1,204", "7"), "7 people in san-diego, 2024-10"),
        ("Data,Valore,Data_Report\n2019-09-01,121,2019-09-15\n", "2019-09-01,125,2019-09-15\n", "125 people"),
        ("Week ending,Migrants arrived\n06/01/2024,5\n", "07/01/2024,6\n", "6 people in english-channel"),
        ("Week ending,Migrants arrived\n6 Jan 2024,5\n", "7 January 2024,6\n", "6 people in english-channel"),
        ("ym,province,interceptions\nJan 2018,Quebec,3\n", "January 2018,Quebec,5\n", "5 people in"),
        (FRONTEX, "Western Balkan Route,Land,SYRIA,7,6\n", "7 people in western-balkan"),
        ("date,migrants,boats,Notes\n2024-01-03,5,1,first\n", "2024-01-03,6,1,revised\n", "6 people in"),
        ("date,migrants,boats,Status\n2024-01-03,5,1,provisional\n", "2024-01-03,6,1,final\n", "6 people in"),
    ],
)  # fmt: skip
def test_rows_that_contradict_each_other_are_not_added_up(
    tmp_path: Path, table: str, below: str, where: str
) -> None:
    counts, refused = read(tmp_path, table + below)
    assert counts == []
    assert where in refused[0]


def test_a_sum_stated_twice_is_no_sum_of_both(tmp_path: Path) -> None:
    rows = "Jan,January,7,45\nFeb,February,9,133\nFeb,February,9,140\n"
    assert read(tmp_path, f"month_short,month_long,2018,2019\n{rows}")[0] == [7, 45]


@pytest.mark.parametrize("column", ["JAM2024", "2024", "Jan 24 (prov.)"])
def test_a_column_before_the_first_month_that_is_like_one_is_refused(tmp_path: Path, column: str) -> None:
    found = refusal(written(tmp_path, FRONTEX.replace("JAN2024", column)))
    assert found.endswith(f"unknown column {column!r}") or "there twice" in found


def test_figures_under_no_name_are_refused(tmp_path: Path) -> None:
    assert read(tmp_path, "2018\nProvinces,Jan,,Mar\nQuebec,1,2,3\nManitoba,1,,3\n") == (
        [1, 3],
        ['column 3 has no name, and "2" in it'],
    )


def test_a_table_of_totals_alone_is_refused(tmp_path: Path) -> None:
    """Of a column `Age` that says "All ages" in each row, nobody would be left."""
    header, row = CBP_HEADER.replace("Encounter Type", "Age"), OCTOBER.replace("Apprehensions", "All ages")
    with pytest.raises(ValueError, match="every row is one of totals"):
        checked(written(tmp_path, header + row))


@pytest.mark.parametrize("date", ["2024-01", "2024-W02"])
def test_a_month_or_a_week_is_no_day(tmp_path: Path, date: str) -> None:
    counts, refused = read(tmp_path, BOATS.replace("2024-01-03", date))
    assert (counts, len(refused)) == ([], 1)
    assert f'"{date}" is no date' in refused[0]


@pytest.mark.parametrize(
    "above",
    [
        "Detections (in thousands), 2018", "Calendar year 2018, cumulative", "2018 ('000)", "2018, in 000s",
        "2018, in Tausend", "2018 (unit: 1 000 persons)", "2018 (%)", "Per cent of the total, 2018",
        "Detections per 100,000 inhabitants, 2018", "Weekly averages of 2018", "Rolling 12-month sum, 2018",
        "Change on previous month, 2018", "2018, seasonally adjusted", "2018, cumulativo",
    ],
)  # fmt: skip
def test_what_is_no_people_of_a_month_is_not_read_as_such(tmp_path: Path, above: str) -> None:
    with pytest.raises(ValueError, match=r":2: .* stands above the table"):
        checked(written(tmp_path, f'"{above}"\n{PROVINCES}'))


@pytest.mark.parametrize(
    "above",
    [
        "2018. In all 12 000 persons; shares may not add up", "2018: 12% more than before",
        "2018. Changes from the last release are marked", "2018. Table 1000: 3,000 people",
    ],
)  # fmt: skip
def test_a_note_about_figures_is_no_other_unit(tmp_path: Path, above: str) -> None:
    assert read(tmp_path, f'"{above}"\n{PROVINCES}')[0] == [3, 4]


@pytest.mark.parametrize("total", ["Sum", "Somme", "Gesamt", "TOTAL GENERAL"])
def test_a_sum_is_one_in_any_language(tmp_path: Path, total: str) -> None:
    assert read(tmp_path, f"{FRONTEX}Western Balkan Route,Land,{total},5,6\n")[0] == [5, 6]


def test_months_of_a_fiscal_year_are_not_read_as_those_of_a_calendar_year(tmp_path: Path) -> None:
    table = f"2018\n{PROVINCES.replace('Jan,Feb', 'Dec,Jan').replace('3,4,7', '3,4,7')}"
    assert refusal(written(tmp_path, table)).endswith("its months are of two years (year_begins)")
    assert read(tmp_path, table.replace("Dec,Jan", "Feb,Jan")) == ([4, 3], [])


@pytest.mark.parametrize(
    "title", ["Asylum claimants processed by CBSA offices", "Demandeurs trait\u00e9s par l'ASFC"]
)
def test_a_table_of_claimants_with_the_same_header_is_no_table_of_interceptions(
    tmp_path: Path, title: str
) -> None:
    named = f'"{title}, calendar year 2018"\n{PROVINCES}'
    with pytest.raises(ValueError, match=r":2: .* stands above, so this is not the RCMP's interceptions"):
        checked(written(tmp_path, named))
    with pytest.raises(ValueError, match=r":5: .* stands above, so this is not the RCMP's interceptions"):
        checked(written(tmp_path, f"2018\n{PROVINCES}{named}"))
