"""What a console may ask for: small requests, which the worker makes controls of.

They bear no time and no key: both are the server's to say.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from alerts.alert import Severity
from streams.events import Word

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
