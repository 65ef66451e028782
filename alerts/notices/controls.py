"""Controls of alerts: what operators say about alerts at run time, on the compacted topic `controls`."""

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from alerts.lifecycle.alert import Alert
from alerts.notices.routing import Route
from streams.contract.controls import Capacity, Control, Names, PolicyDate, Sensitivity, Withdrawn, missing
from streams.contract.events import Word


class Silence(Control):
    """Nothing is told about these sectors until then; alerts live on."""

    kind: Literal["silence"] = "silence"
    name: Word
    sector: Word = "*"  # an id or a glob
    question: Word = "*"
    until: AwareDatetime

    @property
    def key(self) -> str:
        return f"silence/{self.name}"

    @property
    def effect(self) -> str:
        what = "alerts" if self.question == "*" else self.question
        return f"nobody is told of {what} in {self.sector} until {self.until:%Y-%m-%d %H:%M %Z}"

    def unknown(self, names: Names) -> list[str]:
        return [
            *missing("sector", [self.sector], names.sectors),
            *missing("question", [self.question], names.questions),
        ]

    def holds(self, alert: Alert, now: float) -> bool:
        """Is this alert silenced now? (`now`: epoch seconds by the wall, for it is people who want quiet.)"""
        return (
            now < self.until.timestamp()
            and fnmatchcase(alert.sector, self.sector)
            and fnmatchcase(alert.question, self.question)
        )


class Acknowledge(Control):
    """Somebody has seen an alert and takes care of it: no reminders from now on."""

    kind: Literal["ack"] = "ack"
    alert_id: Word

    @property
    def key(self) -> str:
        return f"ack/{self.alert_id}"

    @property
    def effect(self) -> str:
        return f"{self.by} takes care of alert {self.alert_id}"

    def unknown(self, names: Names) -> list[str]:
        return missing("alert", [self.alert_id], names.alerts, globs=False)


class Reroute(Control):
    """From now on the route of this name, of the routes' file or a new one, is this one."""

    kind: Literal["route"] = "route"
    name: Word
    route: Route | None = None  # none: it is off

    @property
    def key(self) -> str:
        return f"route/{self.name}"

    @property
    def effect(self) -> str:
        if self.route is None:
            return f"route {self.name} is off"
        return f"route {self.name} brings what is {self.route.least} or more to {', '.join(self.route.sinks)}"

    def unknown(self, names: Names) -> list[str]:
        return missing("sink", self.route.sinks if self.route else (), names.sinks, globs=False)


Any = Silence | Acknowledge | Reroute | PolicyDate | Capacity | Sensitivity | Withdrawn
CONTROL: TypeAdapter[Any] = TypeAdapter(Annotated[Any, Field(discriminator="kind")])


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
