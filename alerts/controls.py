"""Controls of alerts: what operators say about alerts at run time, on the compacted topic `controls`."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from alerts.alert import Alert
from alerts.routing import Route, Routing
from streams.controls import Capacity, Control, PolicyDate, Sensitivity, Withdrawn
from streams.events import Word


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
    def says(self) -> str:
        what = "alerts" if self.question == "*" else self.question
        return f"nobody is told of {what} in {self.sector} until {self.until:%Y-%m-%d %H:%M %Z}"

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
    def says(self) -> str:
        return f"{self.by} takes care of alert {self.alert_id}"


class Reroute(Control):
    """From now on the route of this name, of the routes' file or a new one, is this one."""

    kind: Literal["route"] = "route"
    name: Word
    route: Route | None = None  # none: it is off

    @property
    def key(self) -> str:
        return f"route/{self.name}"

    @property
    def says(self) -> str:
        if self.route is None:
            return f"route {self.name} is off"
        return f"route {self.name} brings what is {self.route.least} or more to {', '.join(self.route.sinks)}"


Any = Silence | Acknowledge | Reroute | PolicyDate | Capacity | Sensitivity | Withdrawn
CONTROL: TypeAdapter[Any] = TypeAdapter(Annotated[Any, Field(discriminator="kind")])


class Marks:
    """The silences and acknowledgements that stand; changes of routes are passed on."""

    def __init__(self, routing: Routing | None = None) -> None:
        self._routing = routing or Routing(())
        self._silences: dict[str, Silence] = {}
        self._acknowledged: dict[str, Acknowledge] = {}

    def hear(self, control: Control) -> None:
        """Take what an operator said; what is not about alerts is passed over."""
        match control:
            case Silence():
                self._silences[control.key] = control
            case Acknowledge():
                self._acknowledged[control.alert_id] = control
            case Reroute():
                self._routing.change(control.name, control.route)
            case Withdrawn():
                self.withdraw(control.key)

    def withdraw(self, key: str) -> None:
        """A control was withdrawn."""
        self._routing.restore(key.removeprefix("route/"))
        self._silences.pop(key, None)
        self._acknowledged.pop(key.removeprefix("ack/"), None)

    def on(self, alert: Alert, now: float) -> Alert:
        """The alert with the marks that stand on it now."""
        silence = next((one for one in self._silences.values() if one.holds(alert, now)), None)
        known = self._acknowledged.get(alert.alert_id)
        marks = {"silenced_by": silence.by if silence else "", "acknowledged_by": known.by if known else ""}
        if marks == {name: getattr(alert, name) for name in marks}:
            return alert
        return alert.model_copy(update=marks)
