"""Each layout of an official table reads its sample, and quirks of releases change nothing."""

import gzip
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from streams.contract.toml_documents import DocumentError, load
from streams.producers.layout import SHIPPED, Layout, shipped
from tests.streams.producers.reading import CBP_HEADER, OCTOBER, checked, events, written

SAMPLES = Path(__file__).with_name("samples")
NO_FIGURE = "no figure: suppressed, or not reported"
# By layout: people of each sector, events of 0, and what is skipped.
EXPECTED: dict[str, tuple[dict[str, int], int, dict[str, int]]] = {
    "cbp-by-area": (
        {"boston-field-office": 244, "buffalo-field-office": 1, "houston-field-office": 2775},
        0,
        {},
    ),
    "cbp-by-state": (
        {"us-me-northern": 366, "us-ny-northern": 2205, "us-vt-northern": 507, "us-wa-northern": 31},
        0,
        {},
    ),
    "rcmp-interceptions": (
        {"rcmp-quebec": 18_518, "rcmp-manitoba": 410, "rcmp-new-brunswick": 0},
        12,
        {"a row of totals": 1, "a note or an empty row": 1},
    ),
    "rcmp-interceptions-long": (
        {"rcmp-quebec": 2_944, "rcmp-manitoba": 18, "rcmp-new-brunswick": 0},
        1,
        {NO_FIGURE: 1},
    ),
    "ircc-claimants": (
        {"cbsa-quebec-air": 3_315, "cbsa-quebec-land": 1_255, "cbsa-manitoba-air": 5},
        1,
        {NO_FIGURE: 2, "claimed inland: no encounter at the border": 1, "a row of totals": 1},
    ),
    "frontex-monthly": (
        {"western-balkan": 485, "central-mediterranean": 1_450, "eastern-land-borders": 19},
        1,
        {NO_FIGURE: 1},
    ),
    "uk-boats-daily": ({"english-channel": 1_139}, 1, {NO_FIGURE: 1}),
    "uk-boats-daily-long": ({"english-channel": 7}, 2, {NO_FIGURE: 1}),
    "uk-boats-weekly": ({"english-channel": 21}, 1, {}),
    "uk-boats-monthly": ({"english-channel": 11 + 279 + 2_209}, 2, {NO_FIGURE: 2}),
    "italy-arrivals": (
        {"italy-by-sea": 124 + 315},
        1,
        {"the period was not over when it was reported": 1},
    ),
    "usbp-apprehensions": ({"blaine": 2}, 0, {"met in an institution": 1}),
}


@pytest.mark.parametrize("layout", shipped(), ids=lambda layout: layout.id)
def test_a_layout_reads_its_sample(layout: Layout) -> None:
    people, zeros, skipped = EXPECTED[layout.id]
    sent, rows = checked(SAMPLES / f"{layout.id}.csv")
    found: Counter[str] = Counter()
    for event in events(sent):
        found[event.sector] += event.count
        assert event.event_id.startswith(layout.id)
        assert event.period == layout.period
    assert dict(found) == people
    assert sum(event.count == 0 for event in events(sent)) == zeros
    assert rows.skipped == skipped
    assert not rows.reasons
    assert not rows.unlabelled
    assert [record.at for record in sent] == sorted(record.at for record in sent) or len(people) > 1
    assert len({event.event_id for event in events(sent)}) == len(sent)


def test_periods_are_those_of_the_table() -> None:
    starts = {
        name: [f"{event.occurred_at:%Y-%m-%d}" for event in events(checked(SAMPLES / f"{name}.csv")[0])]
        for name in ("uk-boats-weekly", "uk-boats-daily", "uk-boats-monthly", "italy-arrivals")
    }
    assert starts["uk-boats-weekly"] == ["2018-01-29", "2018-02-05", "2018-02-12"]  # end on Sundays
    assert starts["uk-boats-daily"] == ["2024-06-18", "2024-06-19", "2024-06-21"]
    assert starts["uk-boats-monthly"][-2:] == ["2026-01-01", "2026-02-01"]
    assert starts["italy-arrivals"] == ["2019-09-01", "2019-09-02", "2019-09-03"]


def test_a_cbp_row_is_the_tally_of_a_calendar_month_on_the_sector_s_clock(tmp_path: Path) -> None:
    (event,) = events(checked(written(tmp_path, CBP_HEADER + OCTOBER))[0])
    assert (
        event.occurred_at.astimezone(ZoneInfo("America/Los_Angeles")).isoformat()
        == "2024-10-01T00:00:00-07:00"
    )
    assert (event.sector, event.count, event.period) == ("san-diego", 1204, "month")
    assert (event.crossing_type, event.demographic) == ("between_ports", "unaccompanied_minor")


def test_sector_and_field_office_of_one_name_are_two_places(tmp_path: Path) -> None:
    office = OCTOBER.replace("San Diego Sector", "San Diego Field Office").replace(
        "U.S. Border Patrol", "Office of Field Operations"
    )
    sent, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER + office))
    assert {(record.key, event.crossing_type) for record, event in zip(sent, events(sent), strict=True)} == {
        (b"san-diego", "between_ports"),
        (b"san-diego-field-office", "at_port"),
    }


@pytest.mark.parametrize("label", ["UC", "UAC", "UC / Single Minors", "Single Minors", "uac"])
def test_releases_that_rename_a_label_or_a_column_give_the_same_ids(tmp_path: Path, label: str) -> None:
    renamed = OCTOBER.replace("UC / Single Minors", label)
    snake = CBP_HEADER.casefold().replace(" ", "_").replace("(", "").replace(")", "")
    one, other = (
        events(checked(written(tmp_path, text))[0]) for text in (CBP_HEADER + OCTOBER, snake + renamed)
    )
    assert one == other


def test_rows_that_differ_in_what_is_not_kept_are_one_figure(tmp_path: Path) -> None:
    expelled = OCTOBER.replace("Title 8,Apprehensions", "Title 42,Expulsions")
    (event,) = events(checked(written(tmp_path, CBP_HEADER + OCTOBER + expelled))[0])
    assert event.count == 2 * 1204


def test_banners_delimiters_packing_and_encodings_change_nothing(tmp_path: Path) -> None:
    plain = events(checked(written(tmp_path, CBP_HEADER + OCTOBER.replace("MEXICO", "CÔTE D'IVOIRE")))[0])
    text = "A title,,\nas of 2024-11-01,,\n,,\n" + CBP_HEADER + OCTOBER.replace("MEXICO", "CÔTE D'IVOIRE")
    for content in (
        text.encode(),
        text.encode("utf-8-sig"),
        text.encode("latin-1"),
        gzip.compress(text.encode("latin-1")),
        text.replace('"1,204"', "1204").replace(",", "|").encode(),
        text.replace('"1,204"', "1 204").replace(",", "\t").replace("\n", "\r\n").encode(),
    ):
        assert events(checked(written(tmp_path, content))[0]) == plain


def test_people_of_one_minute_are_a_group_and_ages_are_not_read(tmp_path: Path) -> None:
    text = "appr_datetime,sector_code,age,gender,citizenship,status_when_found\n" + (
        "2012-07-01T00:30:00,BLW,31,Male,INDIA,IN TRAVEL\n"
        "2012-07-01T00:30:00,BLW,31,Male,INDIA,IN TRAVEL\n"
        "2012-01-01T11:34:00,SPW,52,Female,MEXICO,TRAVEL/SEEKING\n"
        "2012-01-01T11:35:00,SPW,52,Female,MEXICO,IN INSTITUTION\n"
        "yesterday,SPW,52,Female,MEXICO,IN TRAVEL\n"
    )
    sent, rows = checked(written(tmp_path, text))
    alone, one, other = events(sent)
    assert alone.group_id is None
    assert alone.occurred_at.isoformat() == "2012-01-01T11:34:00-08:00"
    assert one.group_id == other.group_id is not None
    assert one.event_id != other.event_id
    assert not any(b"Male" in record.value or b'"31"' in record.value for record in sent)
    assert rows.skipped == {"met in an institution": 1}
    assert rows.rejected[0].detail.startswith('appr_datetime "yesterday" is no date such as 2022-11-03')


def test_us_dates_with_am_and_pm_give_the_ids_of_iso_dates(tmp_path: Path) -> None:
    iso = "appr_datetime,sector_code,citizenship,status_when_found\n2013-07-04T14:15:00,SPW,PERU,IN TRAVEL\n"
    banner = '"A title"|||\n"from when to when"|||\n|||\n'
    american = banner + (
        '"APPR_DT_TIME"|"SECTOR"|"CITIZENSHIP"|"STATUS_WHEN_FOUND"\n'
        '7/4/2013 2:15:00 PM|"SPW"|"PERU"|"IN TRAVEL"\n'
    )
    one, other = (events(checked(written(tmp_path, text))[0]) for text in (iso, american))
    assert one == other


def test_a_user_s_own_layout_is_read(tmp_path: Path) -> None:
    own = (SHIPPED / "uk-boats-weekly.toml").read_text()
    own = own.replace("week ending", "settimana").replace("migrants arrived", "persone")
    own = own.replace('id = "uk-boats-weekly"', 'id = "mine"').replace("names_last_day = true", "")
    layout = load(written(tmp_path, own, "mine.toml"), Layout)
    table = written(tmp_path, "settimana,persone\n2024-01-07,20\n2024-01-14,21\n")  # from Sunday
    found = events(checked(table, layout)[0])
    assert [(f"{event.occurred_at:%Y-%m-%d}", event.count) for event in found] == [
        ("2024-01-08", 20),
        ("2024-01-15", 21),
    ]


def test_the_layout_of_the_page_is_one(tmp_path: Path) -> None:
    page = Path(__file__).parents[3].joinpath("docs/events.md").read_text()
    text = page.partition("```toml\n")[2].partition("```")[0]
    layout = load(written(tmp_path, text, "page.toml"), Layout)
    sent, _ = checked(written(tmp_path, "Day,Port,People\n03/11/2022,Laredo Field Office,12\n"), layout)
    assert [event.count for event in events(sent)] == [12]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('count = ["migrants arrived", "migrants"]', "", "no column 'count' in [columns]"),
        ('sector = "english-channel"', 'sector = "{place}"', "no column 'place' in [columns]"),
        ('"unknown"', '"men"', "demographic 'men' is none of single_adult"),
        ('demographic = "unknown"', "", "event.demographic is missing"),
        ('kind = "date"', 'kind = "guess"', "time.kind"),
        ('period = "week"', "", "without a period, time.kind must be moment"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused_with_its_fault(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = (SHIPPED / "uk-boats-weekly.toml").read_text()
    assert old in text
    with pytest.raises(DocumentError) as raised:
        load(written(tmp_path, text.replace(old, new), "mine.toml"), Layout)
    assert reason in str(raised.value)
