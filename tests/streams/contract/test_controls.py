"""Controls hold only what can be applied; what refers to nothing is named."""

import datetime as dt
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from streams.contract.controls import Confirm, Names, PolicyDate, StreamControl, dated, missing

CONTROL: TypeAdapter[StreamControl] = TypeAdapter(StreamControl)
BY = {"by": "m.tremblay", "at": "2023-03-25T00:00:00Z", "reason": "a drill"}
NAMES = Names(sectors=frozenset({"swanton", "rcmp-quebec"}), questions=frozenset({"surge"}))


@pytest.mark.parametrize("date", ["2023-02-30", "2026-02-29", "0000-01-01", "9999-12-31", "23-3-2023", ""])
def test_a_date_that_no_calendar_has_is_refused(date: str) -> None:
    with pytest.raises(ValidationError):
        CONTROL.validate_python({"kind": "policy", "name": "x", "sectors": ["swanton"], "date": date, **BY})


@given(value=st.one_of(st.floats(max_value=0), st.just(float("nan")), st.just(float("inf")), st.just(1e9)))
def test_a_capacity_is_a_plausible_number_of_people(value: float) -> None:
    with pytest.raises(ValidationError):
        CONTROL.validate_python({"kind": "capacity", "sector": "swanton", "people_per_day": value, **BY})


@given(
    date=st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31)),
    sectors=st.lists(st.just("swanton"), min_size=1),
)
def test_a_control_survives_its_wire_form(date: dt.date, sectors: list[str]) -> None:
    control = PolicyDate(name="treaty", date=date, sectors=tuple(sectors), **BY)  # type: ignore[arg-type]
    assert CONTROL.validate_json(control.model_dump_json()) == control


@pytest.mark.parametrize(
    ("hours", "taken"),
    [(-48, dt.timedelta(hours=-48)), (0.9, dt.timedelta(hours=0.9)), (9e4, dt.timedelta(0))],
)
def test_a_control_of_the_future_is_dated_to_its_record(hours: float, taken: dt.timedelta) -> None:
    """What counts from its time on, as an acknowledgement that expires, would never end else."""
    now = dt.datetime(2023, 3, 25, tzinfo=dt.UTC)
    control = Confirm(sector="swanton", by="anna", at=now + dt.timedelta(hours=hours), reason="shut")
    assert dated(control, now.timestamp()).at == now + taken


@pytest.mark.parametrize(
    ("body", "unknown"),
    [
        ({"kind": "policy", "name": "x", "date": "2023-03-25", "sectors": ["rcmp-*", "swanton"]}, []),
        (
            {"kind": "policy", "name": "x", "date": "2023-03-25", "sectors": ["swantn", "zz"]},
            ["unknown sector 'swantn'; nearest known: swanton", "unknown sector 'zz'"],
        ),
        ({"kind": "capacity", "sector": "rcmp-*", "people_per_day": 8}, ["unknown sector 'rcmp-*'"]),
        ({"kind": "confirm", "sector": "swanton"}, []),
        ({"kind": "confirm", "sector": "swan*"}, ["unknown sector 'swan*'; nearest known: swanton"]),
        ({"kind": "sensitivity", "sector": "*", "false_alarms_per_month": 0.1}, []),
        ({"kind": "withdrawn", "withdraws": "capacity/x"}, []),
    ],
)
def test_names_that_refer_to_nothing_are_named_with_the_nearest_known(
    body: dict[str, Any], unknown: list[str]
) -> None:
    found = CONTROL.validate_python({**body, **BY}).unknown(NAMES)
    assert [str(one).partition("; nearest known: rcmp")[0] for one in found] == unknown


@pytest.mark.parametrize("sectors", [["x"] * 501, ["*"] * 200_000])
def test_a_policy_date_for_more_names_than_anybody_types_is_refused(sectors: list[str]) -> None:
    with pytest.raises(ValidationError, match="at most 500"):
        PolicyDate.model_validate(BY | {"name": "a", "date": "2023-03-25", "sectors": sectors})


def test_unknown_names_cost_little_however_many_there_are() -> None:
    known = frozenset(f"sector-{number:05d}" for number in range(5_000))
    started = time.process_time()
    faults = missing("unknown sector {name}", [f"sectors-{number}" for number in range(500)], known)
    assert len(faults) == 500
    assert "nearest known" in str(faults[0])
    assert time.process_time() - started < 10
