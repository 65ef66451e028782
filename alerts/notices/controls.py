"""Controls of alerts: silences, acknowledgements and routes, on the compacted topic `controls`."""

import datetime as dt
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AwareDatetime, Field, TypeAdapter

from alerts.lifecycle.alert import Alert
from alerts.notices.routing import Route
from streams.contract.controls import Capacity, Control, PolicyDate, Sensitivity, Withdrawn
from streams.contract.events import Word
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question


class Silence(Control):
    """Send nothing new about these sectors until then. What stands when it ends is sent then."""

    kind: Literal["silence"] = "silence"
    name: Word
    sector: Word = "*"  # an id or a glob
    question: Word = "*"
    until: AwareDatetime

    @property
    def key(self) -> str:
        return f"silence/{self.name}"

    @property
    def says(self) -> str:
        what = "alerts" if self.question == "*" else self.question
        return f"no notices of {what} in {self.sector} until {self.until:%Y-%m-%d %H:%M %Z}"

    def covers(self, alert: Alert) -> bool:
        """Return whether the alert is one of those that are silenced."""
        return fnmatchcase(alert.sector, self.sector) and fnmatchcase(alert.question, self.question)

    def ended(self, at: float) -> Self:
        """Return this silence as over from `at` (epoch seconds) at the latest."""
        end = dt.datetime.fromtimestamp(at, dt.UTC)
        return self.model_copy(update={"until": min(self.until, end)})


class Acknowledge(Control):
    """Somebody takes care of an alert: no reminders and no escalation from now on."""

    kind: Literal["ack"] = "ack"
    alert_id: Word

    @property
    def key(self) -> str:
        return f"ack/{self.alert_id}"

    @property
    def says(self) -> str:
        return f"{self.by} takes care of alert {self.alert_id}"


class Reroute(Control):
    """Replace the route of this name, of the routes document or a new one."""

    kind: Literal["route"] = "route"
    name: Word
    route: Route | None = None  # None: the route is off

    @property
    def key(self) -> str:
        return f"route/{self.name}"

    @property
    def says(self) -> str:
        if self.route is None:
            return f"route {self.name} is off"
        return f"route {self.name} sends {self.route.least} and above to {', '.join(self.route.sinks)}"


Any = Silence | Acknowledge | Reroute | PolicyDate | Capacity | Sensitivity | Withdrawn
CONTROL: TypeAdapter[Any] = TypeAdapter(Annotated[Any, Field(discriminator="kind")])


class Known(NamedTuple):
    """What a control may refer to. None: that is not known here, so it is not checked."""

    registry: Registry
    sinks: Collection[str] | None = None
    alert_ids: Collection[str] | None = None
    keys: Collection[str] | None = None  # of the controls in force


def check(control: Control, known: Known) -> Control:
    """Return the control, an abbreviated alert id completed; raises ValueError naming what it refers to."""
    match control:
        case Acknowledge() if known.alert_ids is not None:
            return control.model_copy(update={"alert_id": full_alert_id(control.alert_id, known.alert_ids)})
        case Silence():
            _check_sectors([control.sector], known.registry)
            if not any(fnmatchcase(question, control.question) for question in Question):
                raise ValueError(f"unknown question {control.question!r}: one of {', '.join(Question)}")
        case Reroute(route=Route() as route):
            _check_sinks(route, known.sinks)
        case Capacity() | Sensitivity():
            _check_sectors([control.sector], known.registry)
        case PolicyDate():
            _check_sectors(control.sectors, known.registry)
        case Withdrawn() if known.keys is not None and control.key not in known.keys:
            raise ValueError(f"no control {control.key!r}: `surgewatch controls` lists those in force")
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


def _check_sectors(names: Collection[str], registry: Registry) -> None:
    known = {
        *registry.by_id,
        *(sector.border for sector in registry.sector),
    }  # alerts of a border bear its name
    for name in names:
        if not any(fnmatchcase(sector, name) for sector in known):
            near = registry.nearest(name)
            hint = f"; nearest known: {near.id}" if near else ""
            raise ValueError(f"unknown sector {name!r}{hint}")


def _check_sinks(route: Route, sinks: Collection[str] | None) -> None:
    unknown = sorted(set(route.sinks) - set(sinks)) if sinks is not None else []
    if unknown:
        raise ValueError(f"unknown sinks {', '.join(unknown)}: one of {', '.join(sorted(sinks or ()))}")
