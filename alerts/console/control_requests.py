"""The bodies of `POST /api/controls`, and the control that each becomes.

A body is a control without its time, which the server sets. Types are strict: a number in quotes is text.
"""

import datetime as dt
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from alerts.lifecycle.alert import Assessment, Severity
from alerts.notices.controls import Acknowledge, Reroute, Rule, Silence
from alerts.notices.routing import Route
from streams.contract.controls import (
    MOST_PEOPLE,
    Capacity,
    Control,
    Explanation,
    Person,
    PolicyDate,
    Sensitivity,
    Withdrawn,
    plausible,
)
from streams.contract.events import Identifier
from streams.contract.sentences import invalid

MOST_HOURS = 24 * 90  # of a silence
REPEATING = dt.timedelta(days=90)  # for which a silence repeats


STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class EmptyBody(BaseModel):
    """An empty object: the path names all there is."""

    model_config = STRICT


class ControlRequest(BaseModel):
    """What every request has: who sends it, and why.

    `by` is needed with the shared token, which has no name. Else it is the name that is signed in.
    """

    model_config = STRICT

    by: Person | None = None
    reason: Annotated[Explanation, StringConstraints(strip_whitespace=True)]

    def control(self, by: str, now: dt.datetime) -> Control:
        """Return the control; raises ValidationError where there is no such control."""
        raise NotImplementedError


class AcknowledgeRequest(ControlRequest):
    """Take care of an alert: no more reminders."""

    kind: Literal["acknowledge"]
    alert_id: Annotated[Identifier, Field(description="the alert's id, or a unique beginning of it")]
    assessment: Annotated[
        Assessment | Literal[""], Field(description="what it was found to be; empty: not known")
    ] = ""

    def control(self, by: str, now: dt.datetime) -> Acknowledge:
        return Acknowledge(
            by=by,
            reason=self.reason,
            at=now,
            alert_id=self.alert_id,
            assessment=self.assessment or None,
        )


class SilenceRequest(ControlRequest):
    """Send no notices about these sectors for some hours: now, later, or again and again for 90 days."""

    kind: Literal["silence"]
    sector: Annotated[Identifier, Field(description="a sector's id, or a glob")]
    question: Annotated[Identifier, Field(description="a question, or * for all")] = "*"
    hours: Annotated[float, Field(gt=0, le=MOST_HOURS)]
    starts: Annotated[
        AwareDatetime | None, Field(description="when it begins; now, where it is left out")
    ] = None
    repeats: Annotated[Rule | None, Field(description="a rule of RFC 5545 by which it comes again")] = None
    time_zone: Annotated[str, Field(max_length=64, description="of the days of `repeats`")] = "UTC"
    notify: Annotated[Identifier | None, Field(description="your sink: it still gets what is critical")] = (
        None
    )

    @field_validator("starts")
    @classmethod
    def _plausible(cls, starts: dt.datetime | None) -> dt.datetime | None:
        if starts is not None:
            plausible(starts)
        return starts

    def control(self, by: str, now: dt.datetime) -> Silence:
        lasts = REPEATING if self.repeats else dt.timedelta(hours=self.hours)
        starts = self.starts or (now if self.repeats else None)
        until = (starts or now) + lasts
        if until <= now:
            raise invalid("it is over already")
        return Silence(
            by=by,
            reason=self.reason,
            at=now,
            name=Silence.name_of(self.sector, self.question, starts),
            sector=self.sector,
            question=self.question,
            starts=starts,
            until=until,
            repeats=self.repeats,
            hours=self.hours if self.repeats else None,
            time_zone=self.time_zone,
            notify=self.notify,
        )


class PolicyRequest(ControlRequest):
    """From this day on, a new level is normal in these sectors."""

    kind: Literal["policy"]
    name: Identifier
    date: dt.date
    sectors: Annotated[tuple[Identifier, ...], Field(min_length=1, description="ids or globs")]

    def control(self, by: str, now: dt.datetime) -> PolicyDate:
        return PolicyDate(
            by=by, reason=self.reason, at=now, name=self.name, date=self.date, sectors=self.sectors
        )


class CapacityRequest(ControlRequest):
    """How many people a day a sector can take in."""

    kind: Literal["capacity"]
    sector: Identifier
    people_per_day: Annotated[float, Field(gt=0, le=MOST_PEOPLE)]

    def control(self, by: str, now: dt.datetime) -> Capacity:
        return Capacity(
            by=by, reason=self.reason, at=now, sector=self.sector, people_per_day=self.people_per_day
        )


class SensitivityRequest(ControlRequest):
    """False alarms a month that are accepted from a sector."""

    kind: Literal["sensitivity"]
    sector: Annotated[Identifier, Field(description="a sector's id, or * for all")]
    false_alarms_per_month: Annotated[float, Field(gt=0, le=30)]

    def control(self, by: str, now: dt.datetime) -> Sensitivity:
        return Sensitivity(
            by=by,
            reason=self.reason,
            at=now,
            sector=self.sector,
            false_alarms_per_month=self.false_alarms_per_month,
        )


class RouteRequest(ControlRequest):
    """Send alerts from this severity up to these sinks; without sinks the route is off."""

    kind: Literal["route"]
    name: Identifier
    sinks: tuple[str, ...]
    least: Severity = Severity.INFO

    def control(self, by: str, now: dt.datetime) -> Reroute:
        route = Route(name=self.name, sinks=self.sinks, least=self.least) if self.sinks else None
        return Reroute(by=by, reason=self.reason, at=now, name=self.name, route=route)


class WithdrawRequest(ControlRequest):
    """Take a control back."""

    kind: Literal["withdraw"]
    key: Annotated[
        str, Field(pattern=r"^[a-z]+/.+$", max_length=200, description="kind/name, as on the board")
    ]

    def control(self, by: str, now: dt.datetime) -> Withdrawn:
        return Withdrawn(by=by, reason=self.reason, at=now, withdraws=self.key)


AnyRequest = (
    AcknowledgeRequest
    | SilenceRequest
    | PolicyRequest
    | CapacityRequest
    | SensitivityRequest
    | RouteRequest
    | WithdrawRequest
)
BODY = Annotated[AnyRequest, Field(discriminator="kind")]
BY_KIND: dict[str, type[ControlRequest]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(AnyRequest)
}
