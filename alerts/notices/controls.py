"""Controls of alerts: silences, acknowledgements and routes, on the compacted topic `controls`."""

import datetime as dt
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, field_validator, model_validator

from alerts.lifecycle.alert import Alert, Assessment
from alerts.notices import silence_times
from alerts.notices.routing import Route, known_zone
from alerts.notices.silence_times import Window
from alerts.notices.wording import ASSESSMENTS
from streams.contract.controls import (
    YEARS,
    Capacity,
    Confirm,
    Control,
    Names,
    PolicyDate,
    Sensitivity,
    Withdrawn,
    missing,
)
from streams.contract.events import Word

Rule = Annotated[
    str,
    AfterValidator(silence_times.known_rule),
    Field(json_schema_extra={"pattern": silence_times.RULE}),
]
MINUTE: Final = "%Y-%m-%d %H:%M %Z"


class Silence(Control):
    """Send nothing new about these sectors for a time. What stands when it ends is sent then.

    It begins at once or when it `starts`, and ends at `until`. With `repeats` it comes again by that rule,
    for `hours` each time. `notify` is the sink of its author: critical alerts that it holds back are sent
    there, and all of them when it is about to end.
    """

    kind: Literal["silence"] = "silence"
    name: Word
    sector: Word = "*"  # an id or a glob
    question: Word = "*"
    starts: AwareDatetime | None = None
    until: AwareDatetime
    repeats: Rule | None = None
    hours: Annotated[float, Field(gt=0, le=24 * 7)] | None = None
    time_zone: str = "UTC"  # of the days and hours of `repeats`
    notify: Word | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return known_zone(name)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.starts is not None and self.starts >= self.until:
            raise ValueError("it ends before it starts")
        if self.repeats is None:
            return self
        if self.starts is None or self.hours is None:
            raise ValueError("a silence that repeats needs starts and hours")
        if self.starts.year not in YEARS:
            raise ValueError(f"the year of starts must be from {YEARS[0]} to {YEARS[-1]}")
        if self.until - self.starts > silence_times.LONGEST:
            raise ValueError(f"a silence repeats for at most {silence_times.LONGEST.days} days")
        return self

    @property
    def key(self) -> str:
        return f"silence/{self.name}"

    @property
    def effect(self) -> str:
        what = "alerts" if self.question == "*" else self.question
        begins = f"from {self.starts:{MINUTE}} " if self.starts else ""
        each = f", {self.hours:g} hours each time: {self.repeats} ({self.time_zone})" if self.repeats else ""
        return f"no notices of {what} in {self.sector} {begins}until {self.until:{MINUTE}}{each}"

    def windows(self) -> list[Window]:
        """Return the times at which it is in force, in order."""
        if self.repeats is None or self.starts is None or self.hours is None:
            return silence_times.once(self.starts, self.until, self.at)
        return silence_times.repeated(
            self.repeats, self.starts, self.until, hours=self.hours, time_zone=self.time_zone
        )

    def unknown(self, names: Names) -> list[str]:
        return [
            *missing("sector", [self.sector], names.sectors),
            *missing("question", [self.question], names.questions),
            *missing("sink", [self.notify] if self.notify else [], names.sinks, globs=False),
        ]

    def covers(self, alert: Alert) -> bool:
        """Return whether the alert is one of those that are silenced."""
        return fnmatchcase(alert.sector, self.sector) and fnmatchcase(alert.question, self.question)

    def ended(self, at: float) -> Self:
        """Return this silence as over from `at` (epoch seconds) at the latest."""
        end = dt.datetime.fromtimestamp(at, dt.UTC)
        return self.model_copy(update={"until": min(self.until, end)})


class Acknowledge(Control):
    """Somebody takes care of an alert: no reminders and no escalation from now on.

    `assessment`: what it was found to be, where that is known.
    """

    kind: Literal["ack"] = "ack"
    alert_id: Word
    assessment: Assessment | None = None

    @property
    def key(self) -> str:
        return f"ack/{self.alert_id}"

    @property
    def effect(self) -> str:
        if self.assessment is None:
            return f"{self.by} takes care of alert {self.alert_id}"
        return f"{self.by} marks alert {self.alert_id} as {ASSESSMENTS[self.assessment]}"

    def unknown(self, names: Names) -> list[str]:
        return missing("alert", [self.alert_id], names.alerts, globs=False)


class Reroute(Control):
    """Replace the route of this name, of the routes document or a new one."""

    kind: Literal["route"] = "route"
    name: Word
    route: Route | None = None  # None: the route is off

    @property
    def key(self) -> str:
        return f"route/{self.name}"

    @property
    def effect(self) -> str:
        if self.route is None:
            return f"route {self.name} is off"
        return f"route {self.name} sends {self.route.least} and above to {', '.join(self.route.sinks)}"

    def unknown(self, names: Names) -> list[str]:
        return missing("sink", self.route.sinks if self.route else (), names.sinks, globs=False)


Any = Silence | Acknowledge | Reroute | PolicyDate | Capacity | Sensitivity | Confirm | Withdrawn
CONTROL: TypeAdapter[Any] = TypeAdapter(Annotated[Any, Field(discriminator="kind")])


def sinks_of(control: Control) -> set[str]:
    """Return the sinks that a control names."""
    match control:
        case Reroute(route=Route(sinks=sinks)):
            return set(sinks)
        case Silence(notify=str(sink)):
            return {sink}
    return set()


def checked(control: Control, names: Names) -> Control:
    """Return the control, an abbreviated alert id completed.

    Raises ValueError with a sentence for each name in it that refers to nothing.
    """
    if isinstance(control, Acknowledge) and names.alerts is not None:
        control = control.model_copy(update={"alert_id": full_alert_id(control.alert_id, names.alerts)})
    if unknown := control.unknown(names):
        raise ValueError("; ".join(unknown))
    return control


def full_alert_id(prefix: str, alert_ids: Collection[str]) -> str:
    """Return the one alert id that begins with `prefix`; raises ValueError if none or several do."""
    if prefix in alert_ids:
        return prefix
    found = sorted(one for one in alert_ids if one.startswith(prefix)) if prefix else []
    if not found:
        raise ValueError(f"no alert {prefix!r}")
    if len(found) > 1:
        raise ValueError(f"{len(found)} alerts begin with {prefix!r}: {', '.join(found[:3])}")
    return found[0]
