"""Controls are checked before they are published: what they refer to has to exist."""

import datetime as dt

import pytest

from alerts.notices.controls import Acknowledge, Reroute, Silence, checked, full_alert_id
from alerts.notices.routing import Route
from streams.contract.controls import Capacity, Control, Names, PolicyDate, Withdrawn
from streams.contract.questions import Question
from tests.alerts.one_sink import REGISTRY

AT = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
WHO = {"by": "anna", "at": AT, "reason": "drill"}
IDS = {"d68cc07d1f", "d68cc07e22", "0b7e4fd21c"}
NAMES = Names(
    sectors=frozenset(REGISTRY.by_id) | {"northern"},
    questions=frozenset(Question),
    sinks=frozenset({"duty", "chat"}),
    routes=frozenset({"night"}),
    alerts=frozenset(IDS),
    over=frozenset({"0b7e4fd21c"}),
    keys=frozenset({"silence/all"}),
)


def test_a_unique_prefix_of_an_alert_id_is_enough() -> None:
    taken = checked(Acknowledge(alert_id="d68cc07d", **WHO), NAMES)
    assert isinstance(taken, Acknowledge)
    assert taken.alert_id == "d68cc07d1f"


@pytest.mark.parametrize(
    ("prefix", "fault"), [("nope", "no alert"), ("", "no alert"), ("d68", "2 alerts begin")]
)
def test_a_prefix_of_no_alert_or_of_several_is_refused(prefix: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        full_alert_id(prefix, IDS)


def test_a_silence_of_now_replaces_no_planned_one() -> None:
    starts = AT.astimezone(dt.timezone(dt.timedelta(hours=-5)))
    names = [Silence.name_of("rcmp-*", "surge", at) for at in (None, starts, AT + dt.timedelta(days=7))]
    assert names == ["rcmp-all-surge", "rcmp-all-surge-2023-01-01T00:00Z", "rcmp-all-surge-2023-01-08T00:00Z"]
    assert len(Silence.name_of("s" * 64, "surge", AT)) == 64


def test_an_alert_that_is_over_cannot_be_acknowledged() -> None:
    with pytest.raises(ValueError, match="alert 0b7e4fd21c is over, so there is nothing to acknowledge"):
        checked(Acknowledge(alert_id="0b7e", **WHO), NAMES)


@pytest.mark.parametrize(
    ("control", "fault"),
    [
        (
            Silence(name="x", sector="swantn", until=AT, **WHO),
            "unknown sector 'swantn'; nearest known: swanton",
        ),
        (Silence(name="x", question="surgee", until=AT, **WHO), "unknown question 'surgee'"),
        (Capacity(sector="atlantis", people_per_day=8, **WHO), "unknown sector 'atlantis'"),
        (PolicyDate(name="x", date="2023-03-25", sectors=("rcmp-*", "nowhere"), **WHO), "unknown sector"),
        (Reroute(name="x", route=Route(sinks=("nosuch",)), **WHO), "unknown sink 'nosuch'"),
        (Reroute(name="nigt", route=None, **WHO), "unknown route 'nigt'; nearest known: night"),
        (Withdrawn(withdraws="silence/none", **WHO), "unknown control 'silence/none'"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(control: Control, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        checked(control, NAMES)


@pytest.mark.parametrize(
    "control",
    [
        Silence(name="x", sector="*", until=AT, **WHO),
        Silence(name="x", sector="rcmp-*", question="s*", until=AT, **WHO),
        Silence(name="x", sector="northern", until=AT, **WHO),
        Reroute(name="night", route=None, **WHO),
        Withdrawn(withdraws="silence/all", **WHO),
    ],
)
def test_what_exists_is_taken_as_it_is(control: Control) -> None:
    assert checked(control, NAMES) == control
