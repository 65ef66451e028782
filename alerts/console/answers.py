"""The answers of the console's API as models: the source of its OpenAPI document.

Rows are made as plain JSON values (`board_rows`), for speed. A test holds every answer to these models.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from alerts.console.roles import Role
from alerts.lifecycle.alert import Assessment, Severity, State
from streams.contract.cadence import Cadence
from streams.contract.questions import Question
from streams.contract.verdicts import Contribution, DataStatus


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(Answer):
    """Why a request was not carried out."""

    error: str


class Accepted(Answer):
    """It is on its way."""

    status: Literal["accepted"]


class AcceptedControl(Accepted):
    """The control is on its topic: its key there, and what it changes."""

    key: str
    effect: str


class Neighbour(Contribution):
    """A neighbouring sector's part in what was seen. `name` is its title."""


class Evidence(Answer):
    """Why: observed and expected people in the window, and how sure."""

    observed: float
    expected: float
    lower: float
    upper: float
    p_value: float
    alpha: float
    window: int
    period_lower: float | None
    period_upper: float | None
    share_reported: float
    share_late: float
    tally: bool
    level: float
    baseline: str
    down_weighted: int
    since: AwareDatetime | None
    last_as_high: AwareDatetime | None
    record: bool
    slices: list[Contribution]
    neighbours: list[Neighbour]
    capacity: float | None
    full_at: AwareDatetime | None
    no_data_since: AwareDatetime | None
    source: str
    remark: str


class SectorRow(Answer):
    """A sector: its newest period and its chart.

    `line` has five columns: time (epoch seconds), observed, expected, lower, upper. `alerts` are ids.
    """

    id: str
    title: str
    border: str
    state: Literal["calm", "pending", "info", "warning", "critical"]
    cadence: Cadence
    period: AwareDatetime
    as_of: AwareDatetime
    closed: bool
    data: DataStatus
    no_data_since: AwareDatetime | None
    observed: float
    expected: float
    lower: float
    upper: float
    line: list[list[float | None]]
    alerts: list[str]


class AlertRow(Answer):
    """An alert, in the words of its notices. `cooling` is empty while it is in breach; `window`: `3 days`."""

    id: str
    question: Question
    sector: str
    subject: str
    border: str
    state: State
    severity: Severity
    onset: AwareDatetime
    updated: AwareDatetime
    acknowledged_by: str
    assessment: Assessment | None
    silenced_by: str
    expired: bool
    breaches: int
    title: str
    colour: str
    place: str
    name: str
    figures: str
    size: float
    window: str
    cooling: str
    cadence: Cadence
    period: AwareDatetime
    latest: Evidence
    worst: Evidence


class ControlRow(Answer):
    """A control in force. `until` is empty unless it is a silence; `sectors` are ids or globs."""

    id: str
    kind: str
    by: str
    at: AwareDatetime
    reason: str
    effect: str
    sectors: list[str]
    until: AwareDatetime | Literal[""]


class SinkRow(Answer):
    """How a sink is doing. Times are empty where it has not happened."""

    id: str
    state: Literal["idle", "ok", "failing"]
    delivered_at: AwareDatetime | Literal[""]
    failing_since: AwareDatetime | Literal[""]
    failed_at: AwareDatetime | Literal[""]
    reason: str


class DeliveryRow(Answer):
    """The last try to deliver a notice to a sink."""

    id: str
    sink: str
    notice: str
    alert: str
    headline: str
    outcome: Literal["delivered", "retry", "refused", "dead"]
    detail: str
    at: AwareDatetime


class DeadRow(Answer):
    """A notice that its sink never took."""

    id: str
    sink: str
    notice_id: str
    headline: str
    reason: str
    at: AwareDatetime


class Standing(Answer):
    """How many alerts there are, by severity where they fire, else by state."""

    critical: int
    warning: int
    info: int
    pending: int
    resolved: int


class BoardNews(Answer):
    """The board, whole or what changed. `gone` are the kinds and ids of rows that were removed.

    `complete` is false while a worker that starts still reads its alerts: then none is no all-clear.
    """

    version: int
    whole: bool
    complete: bool
    gone: list[tuple[str, str]]
    standing: Standing
    sectors: list[SectorRow]
    alerts: list[AlertRow]
    controls: list[ControlRow]
    sinks: list[SinkRow]
    deliveries: list[DeliveryRow]
    dead: list[DeadRow]


class FormField(Answer):
    """One field of a form; `type` is that of an HTML input, `suggest` the kind of names to choose from."""

    name: str
    label: str
    type: Literal["text", "number", "date", "list", "choice", "textarea"]
    required: bool
    value: str
    example: str
    suggest: Literal["", "sectors", "sinks", "severities", "assessments"]
    min: float | None = None
    max: float | None = None
    longest: int | None = None


class Form(Answer):
    """One kind of request. `given` are the fields that are taken from a row of the kind `about`."""

    kind: str
    title: str
    meaning: str
    about: Literal["", "alerts", "controls"]
    given: dict[str, str]
    fields: list[FormField]


class KnownNames(Answer):
    """The names to choose from."""

    sectors: list[str]
    sinks: list[str]
    severities: list[Severity]
    assessments: list[Assessment | Literal[""]]


class Me(Answer):
    """Who is signed in; without a name, nobody is. `role` is the highest, in whichever borders.

    `sign_in` is the path at which people sign in; empty: nowhere.
    """

    name: str
    role: Role | None
    sign_in: str


class Forms(Answer):
    """The forms of all requests, the names to choose from, and who is signed in."""

    forms: list[Form]
    names: KnownNames
    me: Me
