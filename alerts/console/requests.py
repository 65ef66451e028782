"""What may be asked for on the console: the table of requests, their forms, and how they become controls.

A request is a control without its time, which the server sets. It is validated by building the control, by
the same models and checks of names as on the command line.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic import Field as Constraint

from alerts.console.rows import Json
from alerts.lifecycle.alert import Severity
from alerts.notices.controls import Acknowledge, Reroute, Silence, checked
from streams.contract.controls import YEARS, Capacity, Control, Names, PolicyDate, Sensitivity, Withdrawn

MOST_HOURS: Final = 24 * 90  # of a silence
REPEATING: Final = dt.timedelta(days=90)  # for which a silence repeats
HOURS: TypeAdapter[float] = TypeAdapter(
    Annotated[float, Constraint(gt=0, le=MOST_HOURS, allow_inf_nan=False)]
)
START: TypeAdapter[dt.datetime | None] = TypeAdapter(AwareDatetime | None)
BODY: TypeAdapter[Json] = TypeAdapter(dict[str, Any])

T = TypeVar("T")
SET_BY_SERVER: Final = {"at", "until"}

Fill = Callable[[Json, dt.datetime], Json]


class Field(NamedTuple):
    """One field of a form. `type` is that of an HTML input; `list`: names separated by commas."""

    name: str
    label: str
    type: str = "text"
    required: bool = True
    value: str = ""
    example: str = ""
    suggest: str = ""  # the kind of names to choose from: sectors, sinks, severities


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One kind of request.

    `about`: the kind of row it is asked of (alerts, controls), and `given`: the fields that are taken from
    that row, by its names for them. `fill` turns the body into the control's fields; it may raise ValueError.
    """

    kind: str
    control: type[Control]
    title: str
    meaning: str
    about: str = ""
    given: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    fill: Fill = lambda body, now: body


def _silence(body: Json, now: dt.datetime) -> Json:
    given = {name: value for name, value in body.items() if value != ""}  # fields that were left empty
    sector, question = given.get("sector", "*"), given.get("question", "*")
    hours = _read(HOURS, given.pop("hours", None), "hours")
    starts = _read(START, given.pop("starts", None), "starts")
    if starts and starts.year not in YEARS:
        raise ValueError(f"starts: the year must be from {YEARS[0]} to {YEARS[-1]}")
    until = (starts or now) + (REPEATING if "repeats" in given else dt.timedelta(hours=hours))
    return {
        "name": f"{sector}-{question}".replace("*", "all")[:64],
        **given,
        "question": question,
        "starts": starts if "repeats" not in given else starts or now,
        "hours": hours if "repeats" in given else None,
        "until": until,
    }


def _read(kind: TypeAdapter[T], value: object, name: str) -> T:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise ValueError(_sentences(error, name)) from error


def _route(body: Json, now: dt.datetime) -> Json:
    rest = {name: value for name, value in body.items() if name not in ("sinks", "least")}
    if "sinks" not in body:
        raise ValueError("sinks: Field required")
    route = {name: body[name] for name in ("name", "sinks", "least") if name in body}
    return {**rest, "route": route if body["sinks"] else None}


def _withdrawal(body: Json, now: dt.datetime) -> Json:
    rest = {name: value for name, value in body.items() if name != "key"}
    if "key" not in body:
        raise ValueError("key: Field required")
    return {**rest, "withdraws": body["key"]}


SECTOR: Final = Field("sector", "Sector", example="swanton", suggest="sectors")
REQUESTS: Final = (
    Request(
        kind="acknowledge",
        control=Acknowledge,
        title="Acknowledge",
        meaning="You take care of this alert. No more reminders.",
        about="alerts",
        given={"alert_id": "id"},
    ),
    Request(
        kind="silence",
        control=Silence,
        title="Silence",
        meaning="No notices about it for this time. It is still counted and shown here.",
        about="alerts",
        given={"sector": "sector", "question": "question"},
        fields=(
            Field("hours", "Hours", "number", value="8"),
            Field("starts", "Starts (empty: now)", required=False, example="2026-12-01T22:00:00-05:00"),
            Field("repeats", "Repeats for 90 days", required=False, example="FREQ=WEEKLY;BYDAY=SA,SU"),
            Field("notify", "Your sink, for what is critical", required=False, suggest="sinks"),
        ),
        fill=_silence,
    ),
    Request(
        kind="policy",
        control=PolicyDate,
        title="Policy date",
        meaning="From this day on, a new level is normal in these sectors.",
        fields=(
            Field("name", "Name", example="parole-process-ends"),
            Field("date", "First day", "date"),
            Field("sectors", "Sectors (ids or globs)", "list", example="rcmp-*, swanton", suggest="sectors"),
        ),
    ),
    Request(
        kind="capacity",
        control=Capacity,
        title="Capacity",
        meaning="How many people a day the sector can take in.",
        fields=(SECTOR, Field("people_per_day", "People a day", "number")),
    ),
    Request(
        kind="sensitivity",
        control=Sensitivity,
        title="Sensitivity",
        meaning="False alarms a month that you accept from the sector. * is the default for all sectors.",
        fields=(SECTOR, Field("false_alarms_per_month", "False alarms a month", "number", value="0.5")),
    ),
    Request(
        kind="route",
        control=Reroute,
        title="Route",
        meaning="Alerts from this severity up go to these sinks. The name of an existing route replaces it.",
        fields=(
            Field("name", "Name", example="night"),
            Field("sinks", "Sinks (none: route off)", "list", required=False, suggest="sinks"),
            Field("least", "From severity", "choice", value="info", suggest="severities"),
        ),
        fill=_route,
    ),
    Request(
        kind="withdraw",
        control=Withdrawn,
        title="Withdraw",
        meaning="It is no longer in force.",
        about="controls",
        given={"key": "id"},
        fill=_withdrawal,
    ),
)
WHO: Final = (Field("by", "Your name"), Field("reason", "Reason", "textarea"))
_BY_KIND: Final = {request.kind: request for request in REQUESTS}


def control_of(body: bytes, now: dt.datetime, names: Names) -> Control:
    """Return the control that is asked for; raises ValueError with a sentence for each fault."""
    try:
        asked = BODY.validate_json(body)
    except ValidationError as error:
        raise ValueError("the body is not a JSON object") from error
    kind = asked.pop("kind", None)
    request = _BY_KIND.get(kind) if isinstance(kind, str) else None
    if request is None:
        raise ValueError(f"kind: one of {', '.join(_BY_KIND)}")
    if own := asked.keys() & SET_BY_SERVER:
        raise ValueError("; ".join(f"{name}: set by the server" for name in sorted(own)))
    filled = request.fill(asked, now)
    try:
        control = request.control.model_validate({**filled, "at": now})
    except ValidationError as error:
        raise ValueError(_sentences(error)) from error
    return checked(control, names)


def _sentences(error: ValidationError, name: str = "") -> str:
    """Return one sentence for each fault: the field, and what is wrong with it."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        field = name or ".".join(map(str, fault["loc"]))
        faults.append(f"{field}: {fault['msg']}")
    return "; ".join(faults)


def forms(names: Names) -> Json:
    """Return what a page needs to ask: a form for each request, and the names to choose from."""
    return {
        "forms": [_form(request) for request in REQUESTS],
        "names": {
            "sectors": sorted(names.sectors),
            "sinks": sorted(names.sinks or ()),
            "severities": [severity.value for severity in Severity],
        },
    }


def _form(request: Request) -> Json:
    properties = request.control.model_json_schema()["properties"]
    fields = [
        {**field._asdict(), **_bounds(field.name, properties.get(field.name, {}))}
        for field in (*request.fields, *WHO)
    ]
    return {
        "kind": request.kind,
        "title": request.title,
        "meaning": request.meaning,
        "about": request.about,
        "given": dict(request.given),
        "fields": fields,
    }


def _bounds(name: str, schema: Mapping[str, Any]) -> Json:
    """Return the bounds of a field, as its model has them."""
    schema = HOURS.json_schema() if name == "hours" else schema
    bounds = {
        "min": schema.get("minimum", schema.get("exclusiveMinimum")),
        "max": schema.get("maximum"),
        "longest": schema.get("maxLength"),
    }
    return {bound: value for bound, value in bounds.items() if value is not None}
