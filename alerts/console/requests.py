"""What people can request on the console: the table of requests, their forms, and how they become controls.

A request is validated by its model and by building the control, with the same checks of names as on the
command line.
"""

import dataclasses
import datetime as dt
import functools
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from alerts.console.control_requests import BY_KIND, ControlRequest, EmptyBody
from alerts.console.faults import understood
from alerts.console.roles import Principal, Role, needed
from alerts.console.rows import Json
from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Assessment, Severity
from alerts.notices.controls import checked
from streams.contract.controls import Control, Names
from streams.contract.sentences import FaultsError, invalid, sentence

BODY: Final[TypeAdapter[Json]] = TypeAdapter(dict[str, Any])
SET_BY_SERVER: Final = {"at", "until"}


class Field(NamedTuple):
    """One field of a form. `type` is that of an HTML input; `list`: names separated by commas."""

    name: str
    label: str
    type: str = "text"
    required: bool = True
    value: str = ""
    example: str = ""
    suggest: str = ""  # the kind of names to choose from: sectors, sinks, severities, assessments


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One kind of request.

    `about`: the kind of row that has its button (alerts, controls), and `given`: the fields that are taken
    from that row, by its names for them.
    """

    kind: str
    title: str
    meaning: str
    about: str = ""
    given: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fields: tuple[Field, ...] = ()


SECTOR: Final = Field("sector", "Sector", example="swanton", suggest="sectors")
REQUESTS: Final = (
    Request(
        kind="acknowledge",
        title="Acknowledge",
        meaning="You take care of this alert. No more reminders.",
        about="alerts",
        given={"alert_id": "id"},
        fields=(Field("assessment", "Found to be", "choice", required=False, suggest="assessments"),),
    ),
    Request(
        kind="silence",
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
    ),
    Request(
        kind="policy",
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
        title="Capacity",
        meaning="How many people a day the sector can take in.",
        fields=(SECTOR, Field("people_per_day", "People a day", "number")),
    ),
    Request(
        kind="sensitivity",
        title="Sensitivity",
        meaning="False alarms a month that you accept from the sector. * is the default for all sectors.",
        fields=(SECTOR, Field("false_alarms_per_month", "False alarms a month", "number", value="0.5")),
    ),
    Request(
        kind="route",
        title="Route",
        meaning="Alerts from this severity up go to these sinks. The name of an existing route replaces it.",
        fields=(
            Field("name", "Name", example="night"),
            Field("sinks", "Sinks (none: route off)", "list", required=False, suggest="sinks"),
            Field("least", "From severity", "choice", value="info", suggest="severities"),
        ),
    ),
    Request(
        kind="withdraw",
        title="Withdraw",
        meaning="It is no longer in force.",
        about="controls",
        given={"key": "id"},
    ),
)
WHO: Final = (Field("by", "Your name"), Field("reason", "Reason", "textarea"))


class Submitted(NamedTuple):
    """The body of a request, of which only the kind is checked."""

    body: bytes
    model: type[ControlRequest]
    role: Role  # that it needs


def submitted(body: bytes) -> Submitted:
    """Return a body with its kind of request; raises FaultsError where it is none."""
    try:
        content = BODY.validate_json(body)
        json.loads(body, object_pairs_hook=_once)
    except ValidationError as error:
        raise invalid("the body is not a JSON object") from error
    kind = content.get("kind")
    model = BY_KIND.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise invalid("kind: one of {kinds}", kinds=", ".join(BY_KIND))
    if own := content.keys() & SET_BY_SERVER:
        raise FaultsError(*(sentence("{name}: set by the server", name=name) for name in sorted(own)))
    return Submitted(body, model, needed(str(kind), content.get("key")))


def _once(pairs: list[tuple[str, Any]]) -> Json:
    """Return an object of JSON; raises FaultsError where a name is in it twice, as readers differ then."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise invalid("a name is in the body twice")
    return content


def control_of(request: Submitted, now: dt.datetime, names: Names, signed_in: str = "") -> Control:
    """Return the control of a request; raises FaultsError with a sentence for each fault.

    `signed_in` is the name of who sends it; empty where that is not known.
    """
    try:
        return _control_of(request, now, names, signed_in)
    except ValidationError as error:
        raise understood(error) from error


def _control_of(request: Submitted, now: dt.datetime, names: Names, signed_in: str) -> Control:
    read = request.model.model_validate_json(request.body)
    by = signed_in or read.by
    if by is None:
        raise invalid("{field}: {fault}", field="by", fault=sentence("Field required"))
    if read.by not in (None, by):
        raise invalid("by: you are signed in as {by}", by=by)
    return checked(read.control(by, now), names)


def check_nothing(body: bytes) -> None:
    """Check that a body is an empty object; raises FaultsError."""
    try:
        EmptyBody.model_validate_json(body)
    except ValidationError as error:
        raise understood(error) from error


def forms(names: Names, principal: Principal, language: Language = ENGLISH, *, sign_in: str = "") -> Json:
    """Return what a page needs for requests: forms, the names to choose from, and who is signed in.

    Who is signed in gets the forms of their role. Others get all, to be sent with the shared token.
    `sign_in` is where people sign in; empty: nowhere.
    """
    allowed = [one for one in REQUESTS if not principal.name or principal.may(_least(one.kind))]
    who = WHO[1:] if principal.name else WHO
    return {
        "forms": [_form(request, who, language) for request in allowed],
        "names": {
            "sectors": sorted(names.sectors),
            "sinks": sorted(names.sinks or ()),
            "severities": [severity.value for severity in Severity],
            "assessments": ["", *(assessment.value for assessment in Assessment)],
        },
        "me": {
            "name": principal.name,
            "role": principal.role.value if principal.role else None,
            "sign_in": sign_in,
        },
    }


def _least(kind: str) -> Role:
    """Return the least role for which a form is of use: some controls may be withdrawn by operators."""
    return Role.OPERATE if kind == "withdraw" else needed(kind)


def _form(request: Request, who: tuple[Field, ...], language: Language) -> Json:
    properties = _properties(request.kind)
    return {
        "kind": request.kind,
        "title": language.pgettext("request", request.title),
        "meaning": language.pgettext("request", request.meaning),
        "about": request.about,
        "given": dict(request.given),
        "fields": [
            {
                **field._asdict(),
                "label": language.pgettext("request", field.label),
                **_bounds(properties[field.name]),
            }
            for field in (*request.fields, *who)
        ],
    }


@functools.cache
def _properties(kind: str) -> Mapping[str, Any]:
    """Return the JSON schemas of the fields of a kind of request."""
    return dict(BY_KIND[kind].model_json_schema()["properties"])


def _bounds(schema: Mapping[str, Any]) -> Json:
    """Return the bounds of a field, as its model has them."""
    schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    bounds = {
        "min": schema.get("minimum", schema.get("exclusiveMinimum")),
        "max": schema.get("maximum"),
        "longest": schema.get("maxLength"),
    }
    return {bound: value for bound, value in bounds.items() if value is not None}
