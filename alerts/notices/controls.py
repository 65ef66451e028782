"""Controls of alerts: silences, acknowledgements and routes, on the compacted topic `controls`."""

import datetime as dt
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, field_validator, model_validator

from alerts.lifecycle.alert import Alert, Assessment, State
from alerts.notices import silence_times
from alerts.notices.routing import Route, known_zone
from alerts.notices.silence_times import Window
from streams.contract.controls import (
    Capacity,
    Confirm,
    Control,
    Names,
    PolicyDate,
    Sensitivity,
    Withdrawn,
    missing,
    plausible,
)
from streams.contract.events import Identifier
from streams.contract.sentences import FaultsError, Sentence, invalid, sentence

LONGEST_NAME: Final = 64  # characters
Rule = Annotated[
    str,
    AfterValidator(silence_times.known_rule),
    Field(json_schema_extra={"pattern": silence_times.RULE}),
]


class Silence(Control):
    """Send nothing new about these sectors for a time. What stands when it ends is sent then.

    It begins at once or when it `starts`, and ends at `until`. With `repeats` it comes again by that rule,
    for `hours` each time. `notify` is the sink of its author: critical alerts that it holds back are sent
    there, and all of them when it is about to end.
    """

    kind: Literal["silence"] = "silence"
    name: Identifier
    sector: Identifier = "*"  # an id or a glob
    question: Identifier = "*"
    starts: AwareDatetime | None = None
    until: AwareDatetime
    repeats: Rule | None = None
    hours: Annotated[float, Field(gt=0, le=24 * 7)] | None = None
    time_zone: str = "UTC"  # of the days and hours of `repeats`
    notify: Identifier | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return known_zone(name)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.starts is not None and self.starts >= self.until:
            raise invalid("it ends before it starts")
        if self.repeats is None:
            return self
        if self.starts is None or self.hours is None:
            raise invalid("a silence that repeats needs starts and hours")
        plausible(self.starts)
        if self.until - self.starts > silence_times.LONGEST:
            raise invalid("a silence repeats for at most {days} days", days=silence_times.LONGEST.days)
        return self

    @property
    def key(self) -> str:
        return f"silence/{self.name}"

    @staticmethod
    def name_of(sector: str, question: str, starts: dt.datetime | None) -> str:
        """Return the name of a silence that is given none.

        One that begins at once replaces the one before. Those that are planned stand beside it.
        """
        planned = "" if starts is None else f"-{starts.astimezone(dt.UTC):%Y-%m-%dT%H:%MZ}"
        return f"{sector}-{question}".replace("*", "all")[: LONGEST_NAME - len(planned)] + planned

    def windows(self) -> list[Window]:
        """Return the times at which it is in force, in order."""
        if self.repeats is None or self.starts is None or self.hours is None:
            return silence_times.once(self.starts, self.until, self.at)
        return silence_times.repeated(
            self.repeats, self.starts, self.until, hours=self.hours, time_zone=self.time_zone
        )

    def unknown(self, names: Names) -> list[Sentence]:
        return [
            *missing("unknown sector {name}", [self.sector], names.sectors),
            *missing("unknown question {name}", [self.question], names.questions),
            *missing("unknown sink {name}", [self.notify] if self.notify else [], names.sinks, globs=False),
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
    alert_id: Identifier
    assessment: Assessment | None = None

    @property
    def key(self) -> str:
        return f"ack/{self.alert_id}"

    def unknown(self, names: Names) -> list[Sentence]:
        if self.alert_id in names.over:
            return [
                sentence("alert {alert} is over, so there is nothing to acknowledge", alert=self.alert_id)
            ]
        return missing("unknown alert {name}", [self.alert_id], names.alerts, globs=False)


class Reroute(Control):
    """Replace the route of this name, of the routes document or a new one."""

    kind: Literal["route"] = "route"
    name: Identifier
    route: Route | None = None  # None: the route is off

    @property
    def key(self) -> str:
        return f"route/{self.name}"

    def unknown(self, names: Names) -> list[Sentence]:
        if self.route is None:
            return missing("unknown route {name}", [self.name], names.routes, globs=False)
        sinks = missing("unknown sink {name}", self.route.sinks, names.sinks, globs=False)
        return sinks + ([] if names.border_of is None else self.route.unknown(names.border_of))


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

    Raises FaultsError with a sentence for each name in it that refers to nothing, or to what is over.
    """
    if isinstance(control, Acknowledge) and names.alerts is not None:
        control = control.model_copy(update={"alert_id": full_alert_id(control.alert_id, names.alerts)})
    if unknown := control.unknown(names):
        raise FaultsError(*unknown)
    return control


def over(alerts: Iterable[Alert]) -> frozenset[str]:
    """Return the ids of the alerts that are resolved."""
    return frozenset(alert.alert_id for alert in alerts if alert.state is State.RESOLVED)


def full_alert_id(prefix: str, alert_ids: Collection[str]) -> str:
    """Return the one alert id that begins with `prefix`; raises FaultsError if none or several do."""
    if prefix in alert_ids:
        return prefix
    found = sorted(one for one in alert_ids if one.startswith(prefix)) if prefix else []
    if not found:
        raise invalid("no alert {name}", name=repr(prefix))
    if len(found) > 1:
        raise invalid(
            "{number} alerts begin with {name}: {alerts}",
            number=len(found),
            name=repr(prefix),
            alerts=", ".join(found[:3]),
        )
    return found[0]
