"""Controls of alerts: what operators say about alerts at run time, on the compacted topic `controls`."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from alerts.alert import Alert
from streams.controls import Capacity, Control, PolicyDate, Sensitivity
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


AnyControl = Annotated[
    Silence | Acknowledge | PolicyDate | Capacity | Sensitivity, Field(discriminator="kind")
]
CONTROL: TypeAdapter[Silence | Acknowledge | PolicyDate | Capacity | Sensitivity] = TypeAdapter(AnyControl)


class Marks:
    """The silences and acknowledgements that stand."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}
        self._acknowledged: dict[str, Acknowledge] = {}

    def hear(self, control: Control) -> None:
        """Take what an operator said; what is not about alerts is passed over."""
        match control:
            case Silence():
                self._silences[control.key] = control
            case Acknowledge():
                self._acknowledged[control.alert_id] = control

    def withdraw(self, key: str) -> None:
        """A control was withdrawn."""
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
