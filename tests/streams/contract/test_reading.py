"""Records of other workers are read leniently: newer fields are ignored, nonsense is a reason."""

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.cadence import Cadence
from streams.contract.reading import LATEST, Timed, Unusable, produced_at, read
from streams.contract.verdicts import Evidence, Question, Verdict

NOW = 1_700_000_000


class Greeting(Timed):
    name: str
    at: dt.datetime

    @property
    def event_time(self) -> dt.datetime:
        return self.at


def record(value: bytes | None, timestamp: int = NOW * 1000) -> SimpleNamespace:
    return SimpleNamespace(value=value, timestamp=timestamp)


def greeting(at: float, further: str = "") -> bytes:
    moment = dt.datetime.fromtimestamp(at, dt.UTC).isoformat()
    return f'{{"name": "a", "at": "{moment}"{further}}}'.encode()


@given(value=st.none() | st.binary(), timestamp=st.integers(-(2**63), 2**63 - 1))
def test_any_bytes_are_read_or_unreadable(value: bytes | None, timestamp: int) -> None:
    assert read(Greeting, record(value, timestamp)) is Unusable.UNREADABLE


def test_a_field_of_a_later_version_is_ignored() -> None:
    found = read(Greeting, record(greeting(NOW, ', "mood": {"score": 1}')))
    assert found == read(Greeting, record(greeting(NOW)))
    assert isinstance(found, Greeting)


@pytest.mark.parametrize(("ahead", "usable"), [(0, True), (3600, True), (3601, False), (10**9, False)])
def test_a_record_may_be_an_hour_ahead_of_the_broker_and_no_more(ahead: int, usable: bool) -> None:
    found = read(Greeting, record(greeting(NOW + ahead)))
    assert (found is not Unusable.FUTURE) is usable


def test_without_the_brokers_time_nothing_is_of_the_future() -> None:
    assert isinstance(read(Greeting, record(greeting(NOW * 2), timestamp=-1)), Greeting)


@given(st.lists(st.tuples(st.just("produced_at") | st.text(), st.none() | st.binary())))
def test_any_headers_give_a_time_that_is_a_date(headers: list[tuple[str, bytes | None]]) -> None:
    assert 0 <= produced_at(headers) <= LATEST


@pytest.mark.parametrize(
    ("value", "found"),
    [(b"1700000000123", 1700000000123), (b"1.5", 0), (b"", 0), (None, 0), (b"9" * 5000, 0), (b"-1", 0)],
)
def test_a_header_that_is_no_whole_number_counts_as_absent(value: bytes | None, found: int) -> None:
    assert produced_at([("produced_at", value)]) == found


VERDICT = Verdict.of(
    question=Question.SURGE,
    sector="swanton",
    cadence=Cadence.DAY,
    period=dt.datetime.fromtimestamp(NOW, dt.UTC),
    as_of=dt.datetime.fromtimestamp(NOW, dt.UTC),
    closed=True,
    breach=False,
    evidence=Evidence(observed=1, expected=1, lower=0, upper=2, p_value=0.5, alpha=0.01),
)


def with_new_fields(value: dict[str, Any]) -> bytes:
    """The JSON of a later version: a new field beside the known ones, at every level."""
    evidence = {**value["evidence"], "season": "winter"}
    return json.dumps({**value, "evidence": evidence, "model": {"name": "b"}}).encode()


def test_a_verdict_of_a_later_version_is_the_verdict_that_this_version_knows() -> None:
    value = with_new_fields(VERDICT.model_dump(mode="json"))
    assert read(Verdict, record(value)) == VERDICT


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1.0", "1e19"])
def test_numbers_that_count_nobody_are_unreadable(number: str) -> None:
    value = VERDICT.model_dump_json().replace('"upper":2.0', f'"upper":{number}')
    assert number in value
    assert read(Verdict, record(value.encode())) is Unusable.UNREADABLE


@pytest.mark.parametrize("number", [10**400, 2**63])
def test_whole_numbers_beyond_an_int64_are_unreadable(number: int) -> None:
    value = VERDICT.model_dump_json().replace('"window":1,', f'"window":{number},')
    assert str(number) in value
    assert read(Verdict, record(value.encode())) is Unusable.UNREADABLE


def test_a_verdict_of_next_year_is_of_the_future() -> None:
    later = VERDICT.model_copy(update={"as_of": VERDICT.as_of + dt.timedelta(days=365)})
    assert read(Verdict, record(later.model_dump_json().encode())) is Unusable.FUTURE
