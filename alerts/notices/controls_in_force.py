"""The controls in force: silences, acknowledgements and routes, and what they mean for one alert and sink."""

from typing import NamedTuple

from alerts.lifecycle.alert import Alert, Assessment, Reason
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import Routing
from streams.contract.controls import Control, Withdrawn


class Attention(NamedTuple):
    """How an alert concerns a sink now."""

    covered: bool  # a route brings it there, if not now, then at another time of day
    admitted: frozenset[Reason]  # the reasons for which it may be notified now; none in a silence
    acknowledged_by: str = ""
    assessment: Assessment | None = None
    silenced_by: str = ""
    unsilenced_at: float = 0.0  # epoch seconds: when the last silence over it ended


class ControlsInForce:
    """The silences and acknowledgements in force, and the routes as they were changed."""

    def __init__(self, routing: Routing | None = None) -> None:
        self.routing = routing or Routing(())
        self._silences: dict[str, Silence] = {}
        self._acknowledgements: dict[str, Acknowledge] = {}

    def apply(self, control: Control) -> None:
        """Apply a control; those that are not about alerts change nothing."""
        match control:
            case Silence():
                self._silences[control.key] = control
            case Acknowledge():
                self._acknowledgements[control.alert_id] = control
            case Reroute():
                self.routing.change(control.name, control.route)
            case Withdrawn():
                self.withdraw(control.key, control.at.timestamp())

    def withdraw(self, key: str, at: float) -> None:
        """Withdraw the control under a key; a silence ends at `at` (epoch seconds)."""
        if key.startswith("route/"):
            self.routing.restore(_name(key))
        elif key.startswith("ack/"):
            self._acknowledgements.pop(_name(key), None)
        elif key in self._silences:
            self._silences[key] = self._silences[key].ended(at)

    def holds(self, control: Control) -> bool:
        """Return whether exactly this silence or acknowledgement is in force."""
        return control in (self._silences.get(control.key), self._acknowledgements.get(_name(control.key)))

    def attention(self, sink: str, alert: Alert, now: float) -> Attention:
        """Return how an alert concerns a sink at `now` (epoch seconds of processing time)."""
        routes = self.routing.covering(sink, alert)
        silenced_by, unsilenced_at = self._silence(alert, now)
        admitted: frozenset[Reason] = frozenset()
        if not silenced_by:
            admitted = admitted.union(*(route.reasons for route in routes if not route.is_quiet(alert, now)))
        by, assessment = self._acknowledged(alert)
        return Attention(
            covered=bool(routes),
            admitted=admitted,
            acknowledged_by=by,
            assessment=assessment,
            silenced_by=silenced_by,
            unsilenced_at=unsilenced_at,
        )

    def mark(self, alert: Alert, now: float) -> Alert:
        """Return the alert with who acknowledged and who silenced it, as of `now`."""
        by, assessment = self._acknowledged(alert)
        marks = {
            "acknowledged_by": by,
            "assessment": assessment,
            "silenced_by": self._silence(alert, now)[0],
        }
        is_same = all(getattr(alert, name) == value for name, value in marks.items())
        return alert if is_same else alert.model_copy(update=marks)

    def _acknowledged(self, alert: Alert) -> tuple[str, Assessment | None]:
        """Return who acknowledged an alert, and what they found it to be."""
        known = self._acknowledgements.get(alert.alert_id)
        return (known.by, known.assessment) if known else ("", None)

    def _silence(self, alert: Alert, now: float) -> tuple[str, float]:
        """Return who silenced an alert, and when the last of the silences that are over ended."""
        over = [one for one in self._silences.values() if one.covers(alert)]
        by = next((one.by for one in over if now < one.until.timestamp()), "")
        ended = (until for one in over if (until := one.until.timestamp()) <= now)
        return by, max(ended, default=0.0)


def _name(key: str) -> str:
    return key.partition("/")[2]
