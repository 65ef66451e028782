"""Alertmanager: alerts as labels, by its API v2, under the labels that the shipped rules give them.

Alertmanager forgets what it does not hear of again. So what stands is posted anew every minute, as by
Prometheus, and ends by itself some time after nobody posts it any more. Severity is a label, by which routes
choose: an alert that gets worse is another one there, and the request that begins it ends the lesser one.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.lifecycle.alert import RANK, Alert, Notice, Reason, Severity, State
from alerts.notices.links import NOWHERE, Links
from alerts.notices.notices import lines, title
from alerts.sinks import Outcome, Request, http_outcome
from streams.contract.questions import Scope

LASTS: Final = 15  # times the interval of posting that an alert stands without another word


@dataclass(frozen=True)
class AlertmanagerSink:
    """Posts to one Alertmanager; what stands, `every` so many seconds."""

    name: str
    url: str
    links: Links = NOWHERE
    every: float = 60.0
    spacing: float = 0.0
    private: bool = True  # an Alertmanager stands inside

    def request(self, notice: Notice, now: float) -> Request | None:
        """The alert as it is now, and the end of what it was before it got worse."""
        alert = notice.alert
        lesser = (one for one in Severity if RANK[one] < RANK[alert.severity])
        ended = [self._entry(alert.model_copy(update={"severity": one}), now, now) for one in lesser]
        if alert.state is State.RESOLVED:
            return self._post([self._entry(alert, now, now), *ended])
        return self._post([self._standing(alert, now), *ended])

    def standing(self, alerts: Sequence[Alert], now: float) -> Request:
        """What stands, said again."""
        return self._post([self._standing(alert, now) for alert in alerts])

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """As HTTP says."""
        return http_outcome(status, headers)

    def _post(self, entries: Sequence[dict[str, Any]]) -> Request:
        body = msgspec.json.encode(entries)
        return Request(f"{self.url.rstrip('/')}/api/v2/alerts", {"content-type": "application/json"}, body)

    def _standing(self, alert: Alert, now: float) -> dict[str, Any]:
        return self._entry(alert, now, now + LASTS * self.every)

    def _entry(self, alert: Alert, now: float, ends: float) -> dict[str, Any]:
        """One alert of the API. Alertmanager lives in time by the wall, not in event time."""
        began = alert.told_at.timestamp() if alert.told_at else now
        return {
            "labels": labels(alert),
            "annotations": {
                "summary": title(alert),
                "description": "\n".join(lines(alert, Reason.FIRST)),
                "alert_id": alert.alert_id,
                "onset": alert.onset.isoformat(),
                "dashboard_url": self.links.dashboard(alert),
                "runbook_url": self.links.runbook(alert),
            },
            "startsAt": _moment(min(began, now)),
            "endsAt": _moment(ends),
            "generatorURL": self.links.alert(alert),
        }


def labels(alert: Alert) -> dict[str, str]:
    """The identity. As in `deploy/prometheus/rules`: an alert that comes both ways is one."""
    found = {
        "alertname": "Surgewatch" + "".join(part.capitalize() for part in alert.question.split("_")),
        "component": "surge",
        "scope": "border" if alert.question.entry.scope is Scope.BORDER else "sector",
        "question": alert.question.value,
        "severity": alert.severity.value,
        "sector": alert.sector,
        "border": alert.border,
        "subject": alert.subject,
    }
    return {name: value for name, value in found.items() if value}


def _moment(epoch: float) -> str:
    return dt.datetime.fromtimestamp(epoch, dt.UTC).isoformat()
