"""Real files of agencies are read with their totals equal."""

import csv
import gzip
import io
import os
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.streams.producers.reading import PLACES, checked, events

DATA = Path(os.environ.get("SURGEWATCH_DATA") or Path(__file__).parents[4] / "shared/data")
CBP = "cbp_nationwide_encounters_fy20_fy22_aor.csv.gz"

pytestmark = pytest.mark.data


def real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {name} in {DATA} (set SURGEWATCH_DATA)")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a plain table, read by themselves."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode()
    return list(csv.DictReader(io.StringIO(text.lstrip("#"))))


def total(path: Path) -> int:
    """People of all events that are read of a file, none of whose rows may be refused."""
    sent, rows = checked(path)
    assert not rows.reasons
    assert not rows.unlabelled
    return sum(event.count for event in events(sent))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("official/cbp_aor_snake_case_excerpt.csv", "encounter_count"),
        ("official/cbp_by_state_fy20_excerpt.csv", "Encounter Count"),
        ("official/cbp_by_state_fy22_25_excerpt.csv", "Encounter Count"),
        ("official/uk_small_boats_daily_excerpt.csv", "migrants"),
        ("official/uk_small_boats_daily_long_excerpt.csv", "migrants_arrived"),
        ("official/uk_small_boats_weekly_excerpt.csv", "migrants_arrived"),
        (CBP, "Encounter Count"),
        ("rcmp_interceptions_month.csv", "interceptions"),
        ("uk_channel_daily.csv", "migrants"),
    ],
)
def test_the_people_of_a_table_are_all_sent(name: str, column: str) -> None:
    path = real(name)
    assert total(path) == sum(int(row[column] or 0) for row in rows_of(path))


def test_sums_since_january_are_sent_as_months() -> None:
    path = real("official/uk_small_boats_monthly_wide.csv")
    years = {name for name in rows_of(path)[0] if re.fullmatch(r"\d{4}", name)}
    assert total(path) == sum(max(int(row[year] or 0) for row in rows_of(path)) for year in years)


@pytest.mark.parametrize(
    ("name", "day", "report", "people"),
    [
        ("official/italy_sbarchi_per_report_excerpt.csv", "Data", "Data_Report", "Valore"),
        ("italy_daily_vintages.csv", "date", "report_date", "arrivals"),
    ],
)
def test_the_latest_report_of_each_day_holds(name: str, day: str, report: str, people: str) -> None:
    path = real(name)
    latest = {
        row[day]: int(row[people])
        for row in sorted(rows_of(path), key=lambda row: row[report])
        if row[day] <= row[report]
    }
    assert total(path) == sum(latest.values())


def test_the_release_of_single_apprehensions_is_read() -> None:
    sent, rows = checked(real("official/usbp_single_apprehensions_layout.txt"))
    assert [record.key for record in sent] == [b"blaine", b"blaine"]
    assert rows.skipped == {"met in an institution": 1}


def test_people_of_the_cbp_file_are_all_sent_to_their_sectors() -> None:
    path = real(CBP)
    wanted: Counter[str] = Counter()
    for row in rows_of(path):
        wanted[PLACES.find(row["Area of Responsibility"]).id] += int(row["Encounter Count"])
    sent, _ = checked(path)
    found: Counter[str] = Counter()
    for event in events(sent):
        found[event.sector] += event.count
    assert found == wanted
    assert len(found) == 41
    assert len({event.event_id for event in events(sent)}) == len(sent)
    assert all(a.at <= b.at for a, b in pairwise(sent))


def test_the_single_apprehensions_are_all_sent_but_those_in_institutions() -> None:
    sent, rows = checked(real("usbp_blw_spw_events_2012_2019.csv"))
    assert Counter(record.key for record in sent) == {b"blaine": 1591, b"spokane": 667}
    assert rows.skipped == {"met in an institution": 656}
    assert not rows.reasons
