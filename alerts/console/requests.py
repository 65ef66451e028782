"""What a console may ask for: small requests, which the worker makes controls of.

They bear no time and no key: both are the server's to say.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from alerts.lifecycle.alert import Severity
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import Route
from streams.contract.controls import Capacity, Control, PolicyDate, Sensitivity, Withdrawn
from streams.contract.events import Word

Why = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class Asked(BaseModel):
    """Who asks and why: part of every request."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    by: Word
    reason: Why


class AskAcknowledge(Asked):
    """Somebody has taken this alert on: no more reminders."""

    kind: Literal["acknowledge"] = "acknowledge"
    alert_id: Name


class AskSilence(Asked):
    """Tell nobody about this sector (and question, "" for all) for so many hours."""

    kind: Literal["silence"] = "silence"
    sector: Name
    question: Annotated[str, Field(max_length=32)] = ""
    hours: Annotated[float, Field(gt=0, le=24 * 90)]


class AskPolicy(Asked):
    """From `date` on these sectors have a new level."""

    kind: Literal["policy"] = "policy"
    name: Word
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    sectors: Annotated[tuple[Name, ...], Field(min_length=1, max_length=200)]


class AskCapacity(Asked):
    """So many people a day are what this sector can take in."""

    kind: Literal["capacity"] = "capacity"
    sector: Word
    people_per_day: Annotated[float, Field(gt=0)]


class AskSensitivity(Asked):
    """Accept so many false alarms a month of this sector ("*": of each that has no budget of its own)."""

    kind: Literal["sensitivity"] = "sensitivity"
    sector: Word
    false_alarms_per_month: Annotated[float, Field(gt=0, le=30)]


class AskRoute(Asked):
    """The route of this name brings what is that severe to these sinks (none: it is off)."""

    kind: Literal["route"] = "route"
    name: Word
    sinks: Annotated[tuple[Word, ...], Field(max_length=20)]
    least: Severity = Severity.INFO


class AskWithdraw(Asked):
    """What stands under this key shall hold no longer."""

    kind: Literal["withdraw"] = "withdraw"
    key: Name


Ask = AskAcknowledge | AskSilence | AskPolicy | AskCapacity | AskSensitivity | AskRoute | AskWithdraw
ASK: TypeAdapter[Ask] = TypeAdapter(Annotated[Ask, Field(discriminator="kind")])


def control_of(ask: Ask, now: dt.datetime) -> Control:
    """The control that was asked for; raises ValueError where it cannot be."""
    said = {"by": ask.by, "at": now, "reason": ask.reason}
    body = ask.model_dump(exclude={"kind", "by", "reason"})
    match ask:
        case AskAcknowledge():
            return Acknowledge(**said, **body)
        case AskPolicy():
            return PolicyDate(**said, **body)
        case AskCapacity():
            return Capacity(**said, **body)
        case AskSensitivity():
            return Sensitivity(**said, **body)
        case AskWithdraw():
            return Withdrawn(**said, withdraws=ask.key)
        case AskRoute():
            route = Route(name=ask.name, sinks=ask.sinks, least=ask.least) if ask.sinks else None
            return Reroute(**said, name=ask.name, route=route)
        case AskSilence():
            return Silence(
                **said,
                name=f"{ask.sector}-{ask.question or 'all'}"[:64],
                sector=ask.sector,
                question=ask.question or "*",
                until=now + dt.timedelta(hours=ask.hours),
            )
