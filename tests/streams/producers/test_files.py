"""Files of events: what is read, what is refused, and with which reason."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.contract.dead_letters import Reason
from streams.producers.outgoing import Outgoing
from streams.table_files.faults import InputError
from tests.streams.producers.reading import checked, events, refusal, written

GOOD = {
    "event_id": "e1",
    "occurred_at": "2022-11-03T14:05:00Z",
    "sector": "SWB",
    "crossing_type": "between_ports",
    "demographic": "unknown",
    "count": 2,
}


def test_ndjson_is_sent_as_it_is_written_and_keyed_by_the_sector_s_id(tmp_path: Path) -> None:
    line = json.dumps(GOOD)
    (record,), _ = checked(written(tmp_path, f"\n{line}\n"))
    assert record == Outgoing(b"swanton", line.encode(), 1667484300)


def test_csv_with_the_contract_s_fields_is_read_and_empty_cells_are_left_out(tmp_path: Path) -> None:
    text = "sector,event_id,count,occurred_at,crossing_type,demographic,group_id\n" + (
        "Quebec,a,3,2022-11-03T14:05:00-04:00,between_ports,family_unit,\n"
    )
    (event,) = events(checked(written(tmp_path, text))[0])
    assert (event.sector, event.count, event.group_id) == ("Quebec", 3, None)


def test_gzip_is_unpacked_whatever_the_name(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps(GOOD).encode())
    assert len(checked(written(tmp_path, packed))[0]) == 1


def test_bad_rows_are_named_with_number_and_reason_and_good_ones_are_sent(tmp_path: Path) -> None:
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
    assert rows.rejected[0].detail == 'count "three" is no whole number from 0 to 1,000,000'


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("crossing_type", "USBP", 'crossing_type "USBP" is none of between_ports, at_port'),
        ("demographic", "men", 'demographic "men" is none of single_adult, family_unit,'),
        ("occurred_at", "2022-11-03", 'occurred_at "2022-11-03" is no time with an offset, such as'),
        ("event_id", 7, 'event_id "7" is no text of 1 to 64 characters'),
        ("period", "year", 'period "year" is none of hour, day, week, month'),
    ],
)
def test_a_refused_field_is_named_with_its_value_and_what_is_allowed(
    tmp_path: Path, field: str, value: object, detail: str
) -> None:
    _, rows = checked(written(tmp_path, json.dumps(GOOD | {field: value})))
    assert rows.rejected[0].detail.startswith(detail)


def test_a_row_that_is_not_utf_8_is_refused_alone(tmp_path: Path) -> None:
    header = b"event_id,occurred_at,sector,crossing_type,demographic,count,citizenship\n"
    row = b"%s,2022-11-03T14:05:00Z,swanton,between_ports,unknown,1,%s\n"
    sent, rows = checked(written(tmp_path, header + row % (b"a", b"C\xd4TE") + row % (b"b", b"CUBA")))
    assert [event.event_id for event in events(sent)] == ["b"]
    assert rows.rejected[0][:2] == (2, Reason.MALFORMED_JSON)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"event_id,occurred_at,sector,crossing_type,demographic,count\n", "has no events in it"),
        (
            b"event_id,occurred_at,sector,crossing_type,when,count\na,b,c,d,e,1\n",
            "file:1: looks like encounter events (surgewatch schema); "
            "unknown column 'when', no column 'demographic'",
        ),
        (b"a,b\n1,2\n", "file:1: a header of no known kind"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-12], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert reason in refusal(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named() -> None:
    assert "/nowhere/at/all cannot be read" in refusal(Path("/nowhere/at/all"))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    with suppress(InputError):
        checked(written(tmp_path, content))
