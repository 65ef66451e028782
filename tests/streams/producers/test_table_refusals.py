"""What is wrong with an official table is named: row, column, value, and what is allowed."""

from pathlib import Path

import pytest

from streams.contract.dead_letters import Reason
from tests.streams.producers.reading import CBP_HEADER, OCTOBER, checked, events, refusal, written

ALLOWED_MONTHS = "JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC"


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        ('"1,204"', "<5", 'Encounter Count "<5" is no whole number from 0 to 1,000,000'),
        ('"1,204"', "-", 'Encounter Count "-" is no whole number from 0 to 1,000,000'),
        ('"1,204"', "", 'Encounter Count "" is no whole number from 0 to 1,000,000'),
        ('"1,204"', '"12,04"', 'Encounter Count "12,04" is no whole number from 0 to 1,000,000'),
        ('"1,204"', "-2", 'Encounter Count "-2" is not from 0 to 1,000,000'),
        ('"1,204"', "2000000", 'Encounter Count "2000000" is not from 0 to 1,000,000'),
        (
            "U.S. Border Patrol",
            "USBP",
            'Component "USBP" is none of Office of Field Operations, U.S. Border Patrol',
        ),
        (",OCT,", ",OCTOBER,", f'Month (abbv) "OCTOBER" is none of {ALLOWED_MONTHS}'),
        ("2025 (FYTD)", "25", 'Fiscal Year "25" is no year such as 2025 or 2025 (FYTD)'),
        (
            "San Diego Sector",
            "Yumma Sector",
            'Area of Responsibility "Yumma Sector" is no sector of the registry; nearest known: yuma',
        ),
    ],
)
def test_a_refused_row_names_column_value_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, detail: str
) -> None:
    sent, rows = checked(written(tmp_path, CBP_HEADER + OCTOBER + OCTOBER.replace(old, new)))
    assert [event.count for event in events(sent)] == [1204]
    assert [(bad.position, bad.detail) for bad in rows.rejected] == [(3, detail)]


def test_all_faults_of_all_rows_are_named_at_once(tmp_path: Path) -> None:
    one = OCTOBER.replace('"1,204"', "<5").replace(",OCT,", ",Octember,")
    other = OCTOBER.replace("San Diego Sector", "Atlantis")
    _, rows = checked(written(tmp_path, CBP_HEADER + one + other))
    (first, second) = rows.rejected
    assert "Encounter Count" in first.detail
    assert "Month (abbv)" in first.detail
    assert second.reason is Reason.UNKNOWN_SECTOR


def test_an_unknown_label_is_counted_by_its_name(tmp_path: Path) -> None:
    odd = OCTOBER.replace("UC / Single Minors", "Teenagers")
    sent, rows = checked(written(tmp_path, CBP_HEADER + OCTOBER + odd + odd.replace("OCT", "NOV")))
    assert rows.unlabelled == {("Demographic", "Teenagers"): 2 * 1204}
    assert [event.demographic for event in events(sent)] == ["unaccompanied_minor", "unknown", "unknown"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "Encounter Count",
            "Encounter  Count",
            "looks like CBP's table; no column 'encounter count' (but 'encounter  count')",
        ),
        ("Citizenship", "Nation", "looks like CBP's table; no column 'citizenship'"),
        (
            "Area of Responsibility,AOR (Abbv)",
            "Place,Code",
            "looks like CBP's table; no column 'area of responsibility'",
        ),
    ],
)
def test_a_header_that_is_nearly_known_is_refused_with_what_differs(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    found = refusal(written(tmp_path, "a banner\n" + CBP_HEADER.replace(old, new) + OCTOBER))
    assert found == f"{tmp_path / 'file'}:2: {reason}"


def test_a_table_of_months_without_its_places_is_told_from_one_of_no_known_kind(tmp_path: Path) -> None:
    found = refusal(written(tmp_path, "2018,,\nRegions,Jan,Feb\nQuebec,1,2\n"))
    assert found.endswith(":2: looks like the RCMP's interceptions; no column 'provinces'")


def test_a_table_without_a_year_is_refused(tmp_path: Path) -> None:
    text = "Provinces,Jan,Feb\nQuebec,1,2\n"
    _, rows = checked(written(tmp_path, text))
    assert 'Provinces "Quebec" has no year' in rows.rejected[0].detail
    sent, _ = checked(written(tmp_path, "Calendar year 2019,,\n" + text))
    assert [event.occurred_at.year for event in events(sent)] == [2019, 2019]


def test_a_sum_that_falls_within_a_year_is_refused(tmp_path: Path) -> None:
    text = "month_short,month_long,2018\nJan,January,7\nFeb,February,5\nMar,March,9\n"
    sent, rows = checked(written(tmp_path, text))
    assert [event.count for event in events(sent)] == [7, 4]
    assert rows.rejected[0].detail == "2018-02: the sum since January falls from 7 to 5"


def test_a_sum_after_a_month_without_one_is_no_figure_of_its_month(tmp_path: Path) -> None:
    text = "month_short,month_long,2018\nJan,January,7\nFeb,February,\nMar,March,9\nApr,April,9\n"
    sent, rows = checked(written(tmp_path, text))
    assert [(event.occurred_at.month, event.count) for event in events(sent)] == [(1, 7), (4, 0)]
    assert rows.skipped["a sum of several months: the month before has no figure"] == 1
