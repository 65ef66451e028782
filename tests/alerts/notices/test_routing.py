"""Routes that operators change at run time."""

import datetime as dt
from collections.abc import Collection

import pytest

from alerts.lifecycle.alert import Alert, Reason, Severity, State
from alerts.lifecycle.policies import Policy
from alerts.lifecycle.state_machine import step
from alerts.notices.routing import QuietHours, Route, Routing, count_unrouted
from streams.contract.questions import Question
from tests.alerts.made import FIRST_DAY, verdict

NIGHT = QuietHours(start=dt.time(22), end=dt.time(6))
CALL = Route(
    name="call", sinks=("duty",), reason=(Reason.UNANSWERED,), question=(Question.SURGE,), quiet=NIGHT
)


def changed(route: Route | None, name: str = "call") -> Routing:
    routing = Routing([CALL])
    routing.change(name, route)
    return routing


def test_a_changed_route_keeps_its_questions_reasons_and_quiet_hours() -> None:
    (route,) = changed(Route(name="call", sinks=("lead",), least=Severity.CRITICAL)).in_force()
    assert route == CALL.model_copy(update={"sinks": ("lead",), "least": Severity.CRITICAL})


def test_a_changed_route_of_one_border_does_not_become_one_of_all() -> None:
    north = CALL.model_copy(update={"border": ("northern",), "sector": ("rcmp-*",)})
    routing = Routing([north])
    routing.change("call", Route(name="call", sinks=("lead",)))
    assert routing.in_force() == [north.model_copy(update={"sinks": ("lead",)})]
    routing.change("call", Route(name="call", sinks=("lead",), border=("*",), sector=("*",)))
    assert (routing.in_force()[0].border, routing.in_force()[0].sector) == (("*",), ("*",))


def test_what_a_change_names_is_as_it_says() -> None:
    wanted = Route(
        name="call",
        sinks=("duty",),
        reason=(Reason.WORSE,),
        question=(Question.DROP,),
        quiet=QuietHours(start=dt.time(20), end=dt.time(8)),
    )
    assert changed(wanted).in_force() == [wanted]


def test_a_new_route_and_one_that_is_off_have_nothing_of_another() -> None:
    new = Route(name="new", sinks=("lead",))
    assert changed(new, "new").in_force() == [CALL, new]
    assert changed(None).in_force() == []


def test_a_route_that_is_taken_back_is_as_in_the_document() -> None:
    routing = changed(Route(name="call", sinks=("lead",)))
    routing.restore("call")
    assert routing.in_force() == [CALL]


def test_a_sink_that_no_route_leads_to_is_named() -> None:
    assert changed(Route(name="call", sinks=("lead",))).without_route(["duty", "lead"]) == ["duty"]


def fires(severity: Severity = Severity.CRITICAL, **more: object) -> Alert:
    alert = step(None, verdict(3, breach=True), Policy(), at=FIRST_DAY)
    assert alert is not None
    return alert.model_copy(update={"severity": severity, **more})


def unrouted(alert: Alert, *routes: Route, sinks: Collection[str] = ("duty",)) -> bool:
    return count_unrouted([alert], Routing(routes), sinks) == {("northern", alert.severity.value): 1}


@pytest.mark.parametrize(
    "route",
    [
        Route(sinks=("duty",), border=("southwest",)),
        Route(sinks=("duty",), sector=("rcmp-*",)),
        Route(sinks=("duty",), question=(Question.DROP,)),
        Route(sinks=("duty",), reason=(Reason.UNANSWERED,)),
        Route(sinks=("gone",)),
    ],
)
def test_an_alert_that_no_route_brings_to_anybody_is_counted(route: Route) -> None:
    assert unrouted(fires(), route)
    assert not unrouted(fires(), route, Route(sinks=("duty",), border=("north*",)))


def test_a_switched_off_route_leaves_its_alerts_unrouted_until_it_is_back() -> None:
    routing = Routing([Route(name="all", sinks=("duty",))])
    routing.change("all", None)
    assert count_unrouted([fires()], routing, ["duty"]).total() == 1
    routing.restore("all")
    assert count_unrouted([fires()], routing, ["duty"]).total() == 0


@pytest.mark.parametrize(
    "more", [{"state": State.RESOLVED}, {"state": State.PENDING}, {"silenced_by": "anna"}]
)
def test_what_nobody_needs_to_be_sent_is_not_counted(more: dict[str, object]) -> None:
    assert not unrouted(fires(**more))


def test_quiet_hours_only_hold_back_and_no_sinks_at_all_are_another_way_to_notify() -> None:
    assert not unrouted(fires(Severity.WARNING), Route(sinks=("duty",), quiet=NIGHT))
    assert not unrouted(fires(), sinks=())
