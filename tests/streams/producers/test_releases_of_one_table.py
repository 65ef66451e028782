"""What differs from one release of a table to the next is read alike, or refused: never counted wrongly."""

from pathlib import Path

import pytest

from tests.streams.producers.reading import CBP_HEADER, OCTOBER, checked, events, refusal, written

RCMP = '"Calendar year 2018"\nProvinces,Jan,Feb,Total\nQuebec,"1,458",2,"1,460"\n'
FRENCH = "janv.,f\u00e9vr.,mars,avr.,mai,juin,juil.,ao\u00fbt,sept.,oct.,nov.,d\u00e9c."


@pytest.mark.parametrize(
    "label",
    [
        "UC",
        "UAC",
        "UACs",
        "Unaccompanied Minor",
        "unaccompanied  child",
        "UC / Single Minors*",
        "UAC [2]",
        "UC/Single Minors",
        "Unaccompanied Children (UC)",
        "Unaccompanied Alien Children (UACs)",
    ],
)
def test_a_label_that_is_renamed_counts_the_same_people(tmp_path: Path, label: str) -> None:
    known, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER, "known"))
    sent, rows = checked(written(tmp_path, CBP_HEADER + OCTOBER.replace("UC / Single Minors", label)))
    assert (sent, rows.unlabelled) == (known, {})


@pytest.mark.parametrize("place", ["San Diego Sector*", "San Diego Sector (1)", "San Diego Sector\u00b2"])
def test_a_place_with_a_footnote_is_that_place(tmp_path: Path, place: str) -> None:
    known, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER, "known"))
    sent, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER.replace("San Diego Sector", place)))
    assert sent == known


def test_the_header_may_have_footnotes(tmp_path: Path) -> None:
    known, _ = checked(written(tmp_path, RCMP, "known"))
    assert checked(written(tmp_path, RCMP.replace("Jan,Feb", "Jan*,Feb [p]")))[0] == known


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_months_are_read_in_french(tmp_path: Path, encoding: str) -> None:
    table = f'"Ann\u00e9e 2018"\nProvinces,{FRENCH},Total\nQuebec,1,2,3,4,5,6,7,8,9,10,11,12,78\n'
    sent, _ = checked(written(tmp_path, table.encode(encoding)))
    assert [(event.occurred_at.month, event.count) for event in events(sent)] == [
        (month, month) for month in range(1, 13)
    ]


@pytest.mark.parametrize(
    "header",
    [
        ",2018,,2019,\nProvinces,Jan,Feb,Jan,Total\n",
        "Provinces,2018,,2019,Total\n,Jan,Feb,Jan,\n",
        "Provinces,2018,2018,2019,Total\nProvinces,Jan,Feb,Jan,\n",
    ],
)
def test_a_header_of_two_rows_has_the_years_above_the_months(tmp_path: Path, header: str) -> None:
    sent, _ = checked(written(tmp_path, f"{header}Quebec,1,2,3,6\n"))
    assert [(f"{event.occurred_at:%Y-%m}", event.count) for event in events(sent)] == [
        ("2018-01", 1), ("2018-02", 2), ("2019-01", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "twice"),
    [
        (CBP_HEADER.strip() + ",Encounter Count\n" + OCTOBER.strip() + ",7\n", "Encounter Count"),
        (CBP_HEADER.strip() + ",Encounter Count*\n" + OCTOBER.strip() + ",7\n", "Encounter Count"),
        (RCMP.replace("Feb", "January"), "January"),
        ("Route,BorderType,NationalityLong,JAN2009,Jan-09\n", "JAN2009"),
        ("event_id,occurred_at,sector,crossing_type,demographic,count,count\n", "count"),
    ],
)
def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, table: str, twice: str) -> None:
    assert f"column {twice!r} is there twice" in refusal(written(tmp_path, table))


@pytest.mark.parametrize("cut", ['Ontario,"1', 'Ontario,"1,458', 'Ontario,"1\nManitoba,3,4,7\n'])
def test_a_quote_that_is_never_closed_hides_no_rows(tmp_path: Path, cut: str) -> None:
    with pytest.raises(ValueError, match=r":4: a quote is opened and never closed"):
        checked(written(tmp_path, RCMP + cut))


@pytest.mark.parametrize("cell", ["<5", "\u22645", "1-4", "fewer than 5", "--*", "[z]", "x", "n.a."])
def test_a_suppressed_cell_states_no_figure(tmp_path: Path, cell: str) -> None:
    sent, rows = checked(written(tmp_path, f"{RCMP}Ontario,{cell},3,3\n"))
    assert [event.count for event in events(sent)] == [1458, 3, 2]
    assert rows.skipped == {"no figure: suppressed, or not reported": 1}


@pytest.mark.parametrize("component", ["Office of Field Operations (OFO)", "office of field operations"])
def test_the_abbreviation_of_an_agency_says_nothing_new(tmp_path: Path, component: str) -> None:
    sent, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER.replace("U.S. Border Patrol", component)))
    assert [event.crossing_type for event in events(sent)] == ["at_port"]


@pytest.mark.parametrize(
    ("place", "sector"),
    [("Colombie-Britannique", "rcmp-british-columbia"), ("Nouveau-Brunswick", "rcmp-new-brunswick"),
     ("Terre-Neuve-et-Labrador", "rcmp-newfoundland-and-labrador")],
)  # fmt: skip
def test_provinces_are_read_in_french(tmp_path: Path, place: str, sector: str) -> None:
    sent, _ = checked(written(tmp_path, RCMP.replace("Quebec", place)))
    assert {event.sector for event in events(sent)} == {sector}
