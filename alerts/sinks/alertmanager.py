"""Alertmanager: alerts as labels, by its API v2, under the labels that the shipped rules give them.

Alertmanager forgets an alert that is not posted again. So what stands is posted every minute, as Prometheus
does, and ends by itself some time after the last post. Severity is a label by which routes choose: an alert
that gets worse is another one there, and the request that begins it ends the lesser one.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import msgspec

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import RANK, Alert, Notice, Reason, Severity
from alerts.notices.links import NOWHERE, Links
from alerts.notices.titles import title
from alerts.sinks import Outcome, Request, http_outcome
from streams.contract.questions import Scope

LASTS: Final = 15  # intervals of posting after which an alert ends that is not posted again


@dataclass(frozen=True)
class AlertmanagerSink:
    """Posts to one Alertmanager; what stands is posted again `every` so many seconds."""

    keyed: ClassVar[bool] = True

    name: str
    url: str
    links: Links = NOWHERE
    every: float = 60.0
    spacing: float = 0.0
    private: bool = True  # an Alertmanager stands inside
    language: Language = ENGLISH

    def request(self, notice: Notice, now: float) -> Request:
        """Return the alert as it is now, and the end of what it was before it got worse."""
        rank = RANK[notice.alert.severity]
        ended = [self._entry(notice, now, now, severity=one) for one in Severity if RANK[one] < rank]
        if notice.reason is Reason.RESOLVED:
            return self._post([self._entry(notice, now, now), *ended])
        return self._post([self._standing(notice, now), *ended])

    def standing(self, notices: Sequence[Notice], now: float) -> Request:
        """Return what stands, to be posted again."""
        return self._post([self._standing(notice, now) for notice in notices])

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the HTTP status means."""
        return http_outcome(status, headers)

    def _post(self, entries: Sequence[dict[str, Any]]) -> Request:
        body = msgspec.json.encode(entries)
        return Request(f"{self.url.rstrip('/')}/api/v2/alerts", {"content-type": "application/json"}, body)

    def _standing(self, notice: Notice, now: float) -> dict[str, Any]:
        return self._entry(notice, now, now + LASTS * self.every)

    def _entry(
        self, notice: Notice, now: float, ends: float, *, severity: Severity | None = None
    ) -> dict[str, Any]:
        """Return one alert of the API. Alertmanager lives in processing time, not in event time."""
        alert = notice.alert
        began = alert.raised_at.timestamp() if alert.raised_at else now
        return {
            "labels": {**labels(alert), "severity": severity or alert.severity},
            "annotations": {
                "summary": notice.label + title(alert, self.language),
                "description": notice.text,
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
    """Return the identity, as in `deploy/prometheus/rules`: an alert that comes both ways is one."""
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
