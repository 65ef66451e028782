"""A request to the console becomes a control, or is refused with a sentence for each fault."""

import datetime as dt
import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.console.requests import REQUESTS, control_of, forms, submitted
from alerts.console.roles import Principal
from alerts.lifecycle.alert import Assessment, Severity
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import Route
from streams.contract.controls import Capacity, Control, Names, PolicyDate, Sensitivity, Withdrawn

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
WHO = {"by": "anna", "reason": "drill"}
ALERT, OTHER = "d68cc07d11", "d68cc07dff"
NAMES = Names(
    sectors=frozenset({"swanton", "rcmp-quebec", "northern"}),
    questions=frozenset({"surge", "drop"}),
    sinks=frozenset({"slack", "duty"}),
    alerts=frozenset({ALERT, OTHER}),
    keys=frozenset({"silence/swanton-all"}),
)
AT = {**WHO, "at": NOW}
REQUESTED: list[tuple[dict, Control]] = [
    ({"kind": "acknowledge", "alert_id": "d68cc07d1"}, Acknowledge(**AT, alert_id=ALERT)),
    (
        {"kind": "silence", "sector": "swanton", "hours": 12},
        Silence(**AT, name="swanton-all", sector="swanton", until=NOW + dt.timedelta(hours=12)),
    ),
    (
        {"kind": "silence", "sector": "rcmp-*", "question": "surge", "hours": 0.5},
        Silence(
            **AT,
            name="rcmp-all-surge",
            sector="rcmp-*",
            question="surge",
            until=NOW + dt.timedelta(hours=0.5),
        ),
    ),
    (
        {"kind": "silence", "sector": "swanton", "hours": 2, "starts": "2026-03-02T22:00:00Z"},
        Silence(
            **AT,
            name="swanton-all-2026-03-02T22:00Z",
            sector="swanton",
            starts=dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC),
            until=dt.datetime(2026, 3, 3, tzinfo=dt.UTC),
        ),
    ),
    (
        {"kind": "silence", "sector": "*", "hours": 8, "repeats": "FREQ=DAILY", "notify": "slack"},
        Silence(
            **AT,
            name=f"all-all-{NOW:%Y-%m-%dT%H:%MZ}",
            starts=NOW,
            until=NOW + dt.timedelta(days=90),
            repeats="FREQ=DAILY",
            hours=8,
            notify="slack",
        ),
    ),
    (
        {"kind": "policy", "name": "STCA", "date": "2023-03-25", "sectors": ["rcmp-*"]},
        PolicyDate(**AT, name="STCA", date=dt.date(2023, 3, 25), sectors=("rcmp-*",)),
    ),
    (
        {"kind": "capacity", "sector": "swanton", "people_per_day": 60},
        Capacity(**AT, sector="swanton", people_per_day=60),
    ),
    (
        {"kind": "sensitivity", "sector": "*", "false_alarms_per_month": 0.5},
        Sensitivity(**AT, sector="*", false_alarms_per_month=0.5),
    ),
    (
        {"kind": "route", "name": "night", "sinks": ["duty"], "least": "critical"},
        Reroute(**AT, name="night", route=Route(name="night", sinks=("duty",), least=Severity.CRITICAL)),
    ),
    ({"kind": "route", "name": "night", "sinks": []}, Reroute(**AT, name="night")),
    ({"kind": "withdraw", "key": "silence/swanton-all"}, Withdrawn(**AT, withdraws="silence/swanton-all")),
    (
        {"kind": "acknowledge", "alert_id": "d68cc07d1", "assessment": "bad_data"},
        Acknowledge(**AT, alert_id=ALERT, assessment=Assessment.BAD_DATA),
    ),
    ({"kind": "acknowledge", "alert_id": "d68cc07d1", "assessment": ""}, Acknowledge(**AT, alert_id=ALERT)),
]


def control_from(body: bytes, signed_in: str = "") -> Control:
    return control_of(submitted(body), NOW, NAMES, signed_in)


@pytest.mark.parametrize(("body", "control"), REQUESTED)
def test_a_request_becomes_its_control(body, control):
    assert control_from(json.dumps({**body, **WHO}).encode()) == control


REFUSED = [
    ({"kind": "launch"}, "kind: one of acknowledge, silence"),
    ({"kind": ["silence"]}, "kind: one of"),
    ({"kind": "acknowledge", "alert_id": "d68cc07d"}, "2 alerts begin with 'd68cc07d'"),
    ({"kind": "acknowledge", "alert_id": "nope"}, "no alert 'nope'"),
    ({"kind": "acknowledge"}, "alert_id: Field required"),
    ({"kind": "silence", "sector": "atlantis", "hours": 1}, "unknown sector 'atlantis'"),
    ({"kind": "silence", "sector": "swanton", "question": "surgee", "hours": 1}, "nearest known: surge"),
    ({"kind": "silence", "sector": "swanton", "hours": -1}, "hours: Input should be greater than 0"),
    ({"kind": "silence", "sector": "swanton", "hours": 1e9}, "hours: Input should be less than"),
    ({"kind": "silence", "sector": "swanton"}, "hours: "),
    (
        {"kind": "silence", "sector": "*", "hours": 1, "starts": "9999-12-31T00:00:00Z"},
        "the year must be from 1900 to 2200",
    ),
    ({"kind": "silence", "sector": "*", "hours": 1, "starts": "tomorrow"}, "starts: "),
    ({"kind": "silence", "sector": "*", "hours": 1, "starts": "2020-01-01T00:00:00Z"}, "it is over already"),
    ({"kind": "silence", "sector": "*", "hours": 5e-324}, "it is over already"),
    ({"kind": "silence", "sector": "*", "hours": 1, "repeats": "FREQ=SECONDLY"}, "repeats: "),
    ({"kind": "silence", "sector": "*", "hours": 1, "notify": "nobody"}, "unknown sink 'nobody'"),
    ({"kind": "silence", "sector": "swanton", "hours": 1, "colour": "red"}, "colour: Extra inputs"),
    ({"kind": "silence", "sector": "swanton", "hours": 1, "until": "2099-01-01"}, "until: set by the server"),
    ({"kind": "capacity", "sector": "swanton", "people_per_day": 1, "at": "2001-01-01T00:00Z"}, "at: set by"),
    ({"kind": "policy", "name": "x", "date": "2026-02-29", "sectors": ["swanton"]}, "date: "),
    ({"kind": "policy", "name": "x", "date": "0026-01-01", "sectors": ["swanton"]}, "year must be from"),
    ({"kind": "policy", "name": "x", "date": "2026-02-28", "sectors": []}, "sectors: "),
    ({"kind": "capacity", "sector": "swanton", "people_per_day": 0}, "people_per_day: "),
    ({"kind": "capacity", "sector": "swanton", "people_per_day": "many"}, "people_per_day: "),
    ({"kind": "route", "name": "night", "sinks": ["nosuch"]}, "unknown sink 'nosuch'"),
    ({"kind": "route", "name": "night"}, "sinks: Field required"),
    ({"kind": "withdraw", "key": "silence/nosuch"}, "unknown control 'silence/nosuch'"),
    ({"kind": "withdraw"}, "key: "),
]


@pytest.mark.parametrize(("body", "sentence"), REFUSED)
def test_a_request_that_cannot_be_a_control_is_refused_with_a_sentence(body, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        control_from(json.dumps({**body, **WHO}).encode())


@pytest.mark.parametrize(
    "who",
    [{"by": "anna"}, {"reason": "drill"}, {"by": " ", "reason": "drill"}, {"by": "anna", "reason": " "}],
)
def test_a_request_without_a_name_or_a_reason_is_refused(who):
    with pytest.raises(ValueError, match=r"by: |reason: "):
        control_from(json.dumps({**REQUESTED[6][0], **who}).encode())


@pytest.mark.parametrize(
    "twice", [b'"kind": "withdraw"', b'"by": "eve"', b'"people_per_day": 7', b'"x": {"a": 1, "a": 2}']
)
def test_a_name_that_is_in_a_body_twice_is_refused(twice):
    body = json.dumps({**REQUESTED[6][0], **WHO}).encode()
    with pytest.raises(ValueError, match="a name is in the body twice"):
        control_from(b"{%b, %b" % (twice, body[1:]))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_a_number_that_is_not_finite_is_refused(number):
    body = json.dumps({**REQUESTED[6][0], **WHO}).replace("60", number)
    with pytest.raises(ValueError, match=r"people_per_day: |not a JSON object"):
        control_from(body.encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = sorted({name for body, _ in REQUESTED for name in body} - {"kind"} | {"by", "reason", "until", "at"})
BODIES = st.builds(
    lambda kind, fields: json.dumps({"kind": kind, **fields}).encode(errors="surrogatepass"),
    st.sampled_from([request.kind for request in REQUESTS]) | VALUES,
    st.dictionaries(st.sampled_from(FIELDS), VALUES),
)


@given(BODIES | st.binary())
def test_whatever_is_asked_is_a_control_or_a_sentence(body):
    """Nothing else than ValueError is raised, so no body gives a 500."""
    with suppress(ValueError):
        assert control_from(body).at == NOW


def test_each_form_has_the_bounds_of_its_model():
    by_kind = {form["kind"]: form for form in forms(NAMES, Principal())["forms"]}
    hours, *_ = by_kind["silence"]["fields"]
    assert (hours["min"], hours["max"]) == (0, 2160)
    _, people, *_ = by_kind["capacity"]["fields"]
    assert (people["min"], people["max"]) == (0, 1_000_000)
    assert by_kind["capacity"]["fields"][-2]["longest"] == 254
