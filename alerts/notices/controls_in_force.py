"""The controls in force: silences, acknowledgements and routes, and what they mean for one alert and sink."""

import math
from typing import NamedTuple

from alerts.lifecycle.alert import Alert, Reason
from alerts.lifecycle.policies import Policies
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import Routing
from streams.contract.controls import Control, Withdrawn


class Attention(NamedTuple):
    """How an alert concerns a sink now."""

    covered: bool  # a route brings it there, if not now, then at another time of day
    admitted: frozenset[Reason]  # the reasons for which it may be notified now; none in a silence
    acknowledged_by: str = ""
    silenced_by: str = ""
    unsilenced_at: float = 0.0  # epoch seconds: when the last silence over it ended
    unattended_since: float = 0.0  # epoch seconds: when its acknowledgement expired, if it did


class ControlsInForce:
    """The silences and acknowledgements in force, and the routes as they were changed.

    The policies give the hours after which acknowledgements expire.
    """

    def __init__(self, routing: Routing | None = None, policies: Policies | None = None) -> None:
        self.routing = routing or Routing(())
        self._policies = policies or Policies()
        self._silences: dict[str, Silence] = {}
        self._acknowledgements: dict[str, Acknowledge] = {}
        self._answered_at: dict[str, float] = {}  # by alert: when it was last acknowledged, or that withdrawn

    def apply(self, control: Control) -> None:
        """Apply a control; those that are not about alerts change nothing."""
        match control:
            case Silence():
                self._silences[control.key] = control
            case Acknowledge():
                self._acknowledgements[control.alert_id] = control
                self._answered_at[control.alert_id] = control.at.timestamp()
            case Reroute():
                self.routing.change(control.name, control.route)
            case Withdrawn():
                self.withdraw(control.key, control.at.timestamp())

    def withdraw(self, key: str, at: float) -> None:
        """Withdraw the control under a key; a silence ends at `at` (epoch seconds)."""
        kind, _, name = key.partition("/")
        if kind == "route":
            self.routing.restore(name)
        elif kind == "ack":
            self._acknowledgements.pop(name, None)
            self._answered_at[name] = at
        elif key in self._silences:
            self._silences[key] = self._silences[key].ended(at)

    def answered_at(self, alert_id: str) -> float:
        """Return when an alert was last acknowledged, or that withdrawn (epoch seconds; 0: never)."""
        return self._answered_at.get(alert_id, 0.0)

    def attention(self, sink: str, alert: Alert, now: float) -> Attention:
        """Return how an alert concerns a sink at `now` (epoch seconds of processing time)."""
        routes = self.routing.covering(sink, alert)
        silenced_by, unsilenced_at = self._silence(alert, now)
        acknowledged_by, unattended_since = self._acknowledgement(alert, now)
        admitted: frozenset[Reason] = frozenset()
        if not silenced_by:
            admitted = admitted.union(*(route.reasons for route in routes if not route.is_quiet(alert, now)))
        return Attention(
            covered=bool(routes),
            admitted=admitted,
            acknowledged_by=acknowledged_by,
            silenced_by=silenced_by,
            unsilenced_at=unsilenced_at,
            unattended_since=unattended_since,
        )

    def mark(self, alert: Alert, now: float) -> Alert:
        """Return the alert with who acknowledged and who silenced it, as of `now`."""
        marks = {
            "acknowledged_by": self._acknowledgement(alert, now)[0],
            "silenced_by": self._silence(alert, now)[0],
        }
        is_same = all(getattr(alert, name) == value for name, value in marks.items())
        return alert if is_same else alert.model_copy(update=marks)

    def _acknowledgement(self, alert: Alert, now: float) -> tuple[str, float]:
        """Return who takes care of an alert, or when that expired (0: it did not)."""
        known = self._acknowledgements.get(alert.alert_id)
        if known is None:
            return "", 0.0
        hours = self._policies.of(alert.question).acknowledgement_hours or math.inf
        ends = known.at.timestamp() + 3600 * hours
        return (known.by, 0.0) if now < ends else ("", ends)

    def _silence(self, alert: Alert, now: float) -> tuple[str, float]:
        """Return who silenced an alert, and when the last of the silences that are over ended."""
        over = [one for one in self._silences.values() if one.covers(alert)]
        by = next((one.by for one in over if now < one.until.timestamp()), "")
        ended = (until for one in over if (until := one.until.timestamp()) <= now)
        return by, max(ended, default=0.0)
