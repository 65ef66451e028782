"""Routes that operators change at run time."""

import datetime as dt

from alerts.lifecycle.alert import Reason, Severity
from alerts.notices.routing import QuietHours, Route, Routing
from streams.contract.questions import Question

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
