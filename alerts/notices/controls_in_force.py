"""The controls in force: silences, acknowledgements and routes, and what they mean for one alert and sink."""

import datetime as dt
import math
from typing import Final, NamedTuple

from alerts.lifecycle.alert import Alert, Assessment, Reason, Severity
from alerts.lifecycle.policies import Policies
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.routing import ALL_REASONS, Routing
from alerts.notices.silence_times import Window, in_force, last_end
from streams.contract.controls import Control, Withdrawn


class Attention(NamedTuple):
    """How an alert concerns a sink now."""

    covered: bool  # a route brings it there, if not now, then at another time; or the author of a silence
    admitted: frozenset[Reason]  # the reasons for which it may be notified now; none in a silence
    acknowledged_by: str = ""
    assessment: Assessment | None = None
    silenced_by: str = ""
    silenced_until: float = 0.0  # epoch seconds
    unsilenced_at: float = 0.0  # epoch seconds: when the last silence over it ended
    unattended_since: float = 0.0  # epoch seconds: when its acknowledgement was over, if it is


class Silenced(NamedTuple):
    """What the silences over one alert mean now. Times in epoch seconds."""

    by: str = ""  # nobody: none is in force
    until: float = 0.0
    notified: frozenset[str] = frozenset()  # sinks of authors, which are sent the alert all the same
    ended_at: float = 0.0  # the last one that is over


class Acknowledged(NamedTuple):
    """Who takes care of an alert, and what they found it to be."""

    by: str = ""
    assessment: Assessment | None = None
    expired_at: float = 0.0  # epoch seconds: when that was over, if it is


ONE_DEED: Final = 60.0  # seconds: two answers of one person within them are one
Timed = tuple[Silence, list[Window]]


class ControlsInForce:
    """The silences and acknowledgements in force, and the routes as they were changed.

    The policies give the hours after which acknowledgements expire.
    """

    def __init__(self, routing: Routing | None = None, policies: Policies | None = None) -> None:
        self.routing = routing or Routing(())
        self._policies = policies or Policies()
        self._silences: dict[str, Timed] = {}
        self._covering: dict[tuple[str, str], list[Timed]] = {}  # by sector and question; made when asked for
        self._acknowledgements: dict[str, Acknowledge] = {}
        self._answered_at: dict[str, float] = {}  # by alert: when it was last acknowledged, or that withdrawn
        self.version = 0  # counts the changes

    def apply(self, control: Control) -> None:
        """Apply a control; those that are not about alerts change nothing."""
        self.version += 1
        match control:
            case Silence():
                self._set(control)
            case Acknowledge():
                self._acknowledgements[control.alert_id] = control
                self._answered_at[control.alert_id] = control.at.timestamp()
            case Reroute():
                self.routing.change(control.name, control.route)
            case Withdrawn():
                self.withdraw(control.key, control.at.timestamp())

    def withdraw(self, key: str, at: float) -> None:
        """Withdraw the control under a key; a silence ends at `at` (epoch seconds)."""
        self.version += 1
        if key.startswith("route/"):
            self.routing.restore(_name(key))
        elif key.startswith("ack/"):
            self._acknowledgements.pop(_name(key), None)
            self._answered_at[_name(key)] = at
        elif key in self._silences:
            self._set(self._silences[key][0].ended(at))

    def _set(self, silence: Silence) -> None:
        self._silences[silence.key] = silence, silence.windows()
        self._covering.clear()

    def is_known(self, answer: Acknowledge) -> bool:
        """Return whether this acknowledgement was set before, or anything newer.

        Where one deed is read in two ways, their times may be a little apart.
        """
        at, known = answer.at.timestamp(), self._acknowledgements.get(answer.alert_id)
        is_same = known is not None and known.by == answer.by and at - known.at.timestamp() < ONE_DEED
        return is_same or at <= self._answered_at.get(answer.alert_id, 0.0)

    def holds(self, control: Control) -> bool:
        """Return whether exactly this silence or acknowledgement is in force."""
        silence, _ = self._silences.get(control.key, (None, ()))
        return control in (silence, self._acknowledgements.get(_name(control.key)))

    def about(self, alert: Alert, until: dt.datetime | None = None) -> list[Control]:
        """Return the acknowledgement of an alert, and the silences over it while it lasted.

        `until`: when it was over; None: it stands.
        """
        since = alert.raised_at or alert.onset
        silences = [
            silence
            for silence, _ in self._silences.values()
            if silence.covers(alert) and silence.until >= since and (until is None or silence.at <= until)
        ]
        known = self._acknowledgements.get(alert.alert_id)
        return [*silences, *([known] if known else [])]

    def attention(self, sink: str, alert: Alert, now: float) -> Attention:
        """Return how an alert concerns a sink at `now` (epoch seconds of processing time)."""
        routes = self.routing.covering(sink, alert)
        silenced = self._silenced(alert, now)
        taken = self._taken(alert, now)
        is_author = sink in silenced.notified and self.routing.takes(sink, alert)
        admitted: frozenset[Reason] = ALL_REASONS if is_author else frozenset()
        if not silenced.by:
            admitted = admitted.union(*(route.reasons for route in routes if not route.is_quiet(alert, now)))
        return Attention(
            covered=bool(routes) or is_author,
            admitted=admitted,
            acknowledged_by=taken.by,
            assessment=taken.assessment,
            silenced_by=silenced.by,
            silenced_until=silenced.until,
            unsilenced_at=silenced.ended_at,
            unattended_since=taken.expired_at,
        )

    def annotate(self, alert: Alert, now: float) -> Alert:
        """Return the alert with who acknowledged and who silenced it, as of `now`."""
        taken = self._taken(alert, now)
        annotations = {
            "acknowledged_by": taken.by,
            "assessment": taken.assessment,
            "silenced_by": self._silenced(alert, now).by,
        }
        is_same = all(getattr(alert, name) == value for name, value in annotations.items())
        return alert if is_same else alert.model_copy(update=annotations)

    def _taken(self, alert: Alert, now: float) -> Acknowledged:
        """Return who takes care of an alert. An acknowledgement that was withdrawn is over from then on."""
        known = self._acknowledgements.get(alert.alert_id)
        if known is None:
            return Acknowledged(expired_at=self._answered_at.get(alert.alert_id, 0.0))
        hours = self._policies.of(alert.question).acknowledgement_hours or math.inf
        ends = known.at.timestamp() + 3600 * hours
        return Acknowledged(known.by, known.assessment) if now < ends else Acknowledged(expired_at=ends)

    def _silenced(self, alert: Alert, now: float) -> Silenced:
        """Return what the silences over an alert mean at `now`."""
        found = Silenced()
        for silence, windows in self._over(alert):
            window = in_force(windows, now)
            if window is None:
                found = found._replace(ended_at=max(found.ended_at, last_end(windows, now)))
                continue
            is_for_author = alert.severity is Severity.CRITICAL or now >= window.warns
            found = found._replace(
                by=found.by or silence.by,
                until=max(found.until, window.end),
                notified=found.notified | ({silence.notify} if silence.notify and is_for_author else set()),
            )
        return found

    def _over(self, alert: Alert) -> list[Timed]:
        """Return the silences over an alert, whenever they are in force."""
        place = alert.sector, alert.question
        if place not in self._covering:
            self._covering[place] = [timed for timed in self._silences.values() if timed[0].covers(alert)]
        return self._covering[place]


def _name(key: str) -> str:
    return key.partition("/")[2]
