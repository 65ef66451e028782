"""Files of events: what is read, what is skipped, what is refused, and what is said of it."""

import csv
import gzip
import io
import json
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.contract.dead_letters import Reason
from streams.contract.events import Encounter
from streams.contract.sectors import registry
from streams.counting.decoder import Decoder
from streams.producers.files import read
from streams.producers.outgoing import Outgoing
from streams.producers.pacing import paced, speed
from streams.producers.rows import Checked, InputError

PLACES = registry()
NOW = 1_800_000_000.0
DATA = Path(os.environ.get("SURGEWATCH_DATA") or Path(__file__).parents[4] / "shared/data")
CBP = "cbp_nationwide_encounters_fy20_fy22_aor.csv.gz"
SINGLE = "usbp_blw_spw_events_2012_2019.csv"
CBP_HEADER = (
    "Fiscal Year,Month Grouping,Month (abbv),Component,Land Border Region,Area of Responsibility,AOR (Abbv),"
    "Demographic,Citizenship,Title of Authority,Encounter Type,Encounter Count\n"
)
OCTOBER = (
    "2025 (FYTD),FYTD,OCT,U.S. Border Patrol,Southwest Land Border,San Diego Sector,SDC,UC / Single Minors,"
    'MEXICO,Title 8,Apprehensions,"1,204"\n'
)
GOOD = {
    "event_id": "e1",
    "occurred_at": "2022-11-03T14:05:00Z",
    "sector": "SWB",
    "crossing_type": "between_ports",
    "demographic": "unknown",
    "count": 2,
}


def checked(path: Path) -> tuple[list[Outgoing], Checked]:
    rows = Checked(read(str(path), PLACES), Decoder(PLACES), NOW)
    return list(rows), rows


def events(records: Iterable[Outgoing]) -> list[Encounter]:
    return [Encounter.model_validate_json(record.value, strict=True) for record in records]


def written(folder: Path, content: str | bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        read(str(path), PLACES)
    return str(raised.value)


def test_ndjson_is_sent_as_it_is_written_and_keyed_by_the_sector_s_id(tmp_path: Path) -> None:
    line = json.dumps(GOOD)
    (record,), _ = checked(written(tmp_path, f"\n{line}\n"))
    assert record == (b"swanton", line.encode(), 1667484300)


def test_csv_with_the_contract_s_fields_is_read_and_empty_cells_are_left_out(tmp_path: Path) -> None:
    text = "sector,event_id,count,occurred_at,crossing_type,demographic,group_id\n" + (
        "Quebec,a,3,2022-11-03T14:05:00-04:00,between_ports,family_unit,\n"
    )
    (event,) = events(checked(written(tmp_path, text))[0])
    assert (event.sector, event.count, event.group_id) == ("Quebec", 3, None)


def test_gzip_is_unpacked_whatever_the_name(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps(GOOD).encode())
    assert len(checked(written(tmp_path, packed))[0]) == 1


def test_bad_rows_are_told_with_number_and_reason_and_good_ones_are_sent(tmp_path: Path) -> None:
    lines = [
        json.dumps(GOOD),
        "{broken",
        "",
        json.dumps(GOOD | {"sector": "swnton"}),
        json.dumps(GOOD | {"name": "x"}),
        json.dumps(GOOD),
    ]
    sent, rows = checked(written(tmp_path, "\n".join(lines)))
    assert len(sent) == 2
    assert [(bad.position, bad.reason) for bad in rows.rejected] == [
        (2, Reason.MALFORMED_JSON),
        (4, Reason.UNKNOWN_SECTOR),
        (5, Reason.UNKNOWN_FIELD),
    ]
    assert rows.reasons == {"malformed_json": 1, "unknown_sector": 1, "unknown_field": 1}


def test_a_million_bad_rows_do_not_fill_the_memory(tmp_path: Path) -> None:
    _, rows = checked(written(tmp_path, "{\n" * 5_000))
    assert rows.reasons["malformed_json"] == 5_000
    assert len(rows.rejected) == 1_000


def test_a_wrong_cell_refuses_its_row_alone(tmp_path: Path) -> None:
    text = "event_id,occurred_at,sector,crossing_type,demographic,count\n" + "".join(
        f"{n},2022-11-03T14:05:00Z,swanton,between_ports,unknown,{count}\n"
        for n, count in enumerate(["1", "three", "-1", "NaN", "", "2"])
    )
    sent, rows = checked(written(tmp_path, text))
    assert [event.count for event in events(sent)] == [1, 2]
    assert [bad.position for bad in rows.rejected] == [3, 4, 5, 6]


def test_a_row_that_is_not_utf_8_is_refused_alone(tmp_path: Path) -> None:
    header = b"event_id,occurred_at,sector,crossing_type,demographic,count,citizenship\n"
    row = b"%s,2022-11-03T14:05:00Z,swanton,between_ports,unknown,1,%s\n"
    sent, rows = checked(written(tmp_path, header + row % (b"a", b"C\xd4TE") + row % (b"b", b"CUBA")))
    assert [event.event_id for event in events(sent)] == ["b"]
    assert rows.rejected[0][:2] == (2, Reason.MALFORMED_JSON)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"event_id,occurred_at,sector,crossing_type,demographic,count\n", "has no events in it"),
        (
            b"event_id,when\na,b\n",
            "file:1: a header of no known kind: unknown column 'when', no column 'occurred_at'",
        ),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text"),
        (gzip.compress(b"x" * 1000)[:-12], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes, said: str
) -> None:
    assert said in refusal(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named() -> None:
    assert "/nowhere/at/all cannot be read" in refusal(Path("/nowhere/at/all"))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    with suppress(InputError):
        checked(written(tmp_path, content))


def test_a_cbp_row_is_the_tally_of_a_calendar_month_on_the_sector_s_clock(tmp_path: Path) -> None:
    (event,) = events(checked(written(tmp_path, CBP_HEADER + OCTOBER))[0])
    assert (
        event.occurred_at.astimezone(ZoneInfo("America/Los_Angeles")).isoformat()
        == "2024-10-01T00:00:00-07:00"
    )
    assert (event.sector, event.count, event.period) == ("San Diego Sector", 1204, "month")
    assert (event.crossing_type, event.demographic) == ("between_ports", "unaccompanied_minor")


def test_sector_and_field_office_of_one_name_are_two_places(tmp_path: Path) -> None:
    office = OCTOBER.replace("San Diego Sector", "San Diego Field Office").replace(
        "U.S. Border Patrol", "Office of Field Operations"
    )
    sent, _ = checked(written(tmp_path, CBP_HEADER + OCTOBER + office))
    assert [record.key for record in sent] == [b"san-diego", b"san-diego-field-office"]
    assert [event.crossing_type for event in events(sent)] == ["between_ports", "at_port"]


def test_a_cbp_table_read_again_or_in_another_order_gives_the_same_ids(tmp_path: Path) -> None:
    rows = [OCTOBER, OCTOBER.replace("MEXICO", "CUBA"), OCTOBER.replace("OCT", "NOV")]
    first = events(checked(written(tmp_path, CBP_HEADER + "".join(rows)))[0])
    again = events(checked(written(tmp_path, CBP_HEADER + "".join(reversed(rows))))[0])
    assert {event.event_id for event in first} == {event.event_id for event in again}
    assert len({event.event_id for event in first}) == 3


def test_a_cbp_row_without_a_month_or_a_count_is_refused(tmp_path: Path) -> None:
    rows = (
        OCTOBER.replace("OCT", "Octember")
        + OCTOBER.replace('"1,204"', "many")
        + OCTOBER.replace('"1,204"', "0")
    )
    sent, found = checked(written(tmp_path, CBP_HEADER + rows))
    assert sent == []
    assert sorted(bad.position for bad in found.rejected) == [2, 3]
    assert found.skipped == {"count of 0": 1}


def test_single_apprehensions_keep_no_age_and_share_a_group(tmp_path: Path) -> None:
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
    assert not any(b"Male" in record.value or b"31" in record.value for record in sent[:1])
    assert rows.skipped == {"met in an institution": 1}
    assert [bad.position for bad in rows.rejected] == [6]


def test_speeds_are_read_as_people_write_them() -> None:
    assert [speed("1000x"), speed("2.5"), speed("max")] == [1000, 2.5, float("inf")]
    for wrong in ("0x", "-1", "fast", "", "nan", "1e3"):
        with pytest.raises(ValueError, match="is no speed"):
            speed(wrong)


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([1.0, 60.0, float("inf")]))
def test_a_replay_keeps_the_order_and_no_record_comes_before_its_time(
    times: list[int], factor: float
) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        assert seconds > 0
        now += seconds

    told = []
    for record in paced([Outgoing(b"k", b"v", at) for at in times], factor, lambda: now, sleep):
        assert now >= (record.at - times[0]) / factor - 1e-6
        told.append(record.at)
    assert told == times
    assert now <= max(0, max(times) - times[0]) / factor + 1e-6


def real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {name} in {DATA} (set SURGEWATCH_DATA)")
    return path


@pytest.mark.data
def test_people_of_the_cbp_file_are_all_sent_to_their_sectors() -> None:
    path = real(CBP)
    wanted: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())):
        wanted[PLACES.find(row["Area of Responsibility"]).id] += int(row["Encounter Count"])
    sent, rows = checked(path)
    told: Counter[str] = Counter()
    for record, event in zip(sent, events(sent), strict=True):
        told[record.key.decode()] += event.count
    assert told == wanted
    assert len(told) == 41
    assert not rows.reasons
    assert len({event.event_id for event in events(sent)}) == len(sent)
    assert all(a.at - b.at < 7 * 3600 for a, b in pairwise(sent))  # sorted, but for the sectors' clocks


@pytest.mark.data
def test_the_single_apprehensions_are_all_sent_but_those_in_institutions() -> None:
    sent, rows = checked(real(SINGLE))
    assert Counter(record.key for record in sent) == {b"blaine": 1591, b"spokane": 667}
    assert rows.skipped == {"met in an institution": 656}
    assert not rows.reasons
