"""What operators have set on alerts: silences, acknowledgements, routes."""

from alerts.lifecycle.alert import Alert
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import Routing
from streams.contract.controls import Control, Withdrawn


class Marks:
    """The silences and acknowledgements that stand; changes of routes are passed on."""

    def __init__(self, routing: Routing | None = None) -> None:
        self._routing = routing or Routing(())
        self._silences: dict[str, Silence] = {}
        self._acknowledged: dict[str, Acknowledge] = {}

    def apply(self, control: Control) -> None:
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
