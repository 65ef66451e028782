"""Alertmanager: alerts as labels, by its API v2. One lives there until resolved, or not heard of."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from alerts.alert import Alert, Notice, State
from alerts.sinks import Outcome, Request, http_outcome

ALIVE: Final = dt.timedelta(days=2)  # for which an alert stands without another word


@dataclass(frozen=True)
class AlertmanagerSink:
    """Posts to one Alertmanager."""

    name: str
    url: str
    console: str = ""
    spacing: float = 0.0
    private: bool = True  # an Alertmanager stands inside

    def request(self, notice: Notice, now: float) -> Request | None:
        """The alert as it stands."""
        body = msgspec.json.encode([entry(notice, now, self.console)])
        return Request(f"{self.url.rstrip('/')}/api/v2/alerts", {"content-type": "application/json"}, body)

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """As HTTP says."""
        return http_outcome(status, headers)


def labels(alert: Alert) -> dict[str, str]:
    """The identity: what does not change while an alert lives (so no severity)."""
    found = {
        "alertname": "Surgewatch" + "".join(part.capitalize() for part in alert.question.split("_")),
        "sector": alert.sector,
        "border": alert.border,
        "subject": alert.subject,
        "alert_id": alert.alert_id,
        "source": "surgewatch",
    }
    return {name: value for name, value in found.items() if value}


def entry(notice: Notice, now: float, console: str = "") -> dict[str, Any]:
    """One alert of the API; `now` is epoch seconds. Alertmanager lives in its own time, not in event time."""
    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    over = notice.alert.state is State.RESOLVED
    return {
        "labels": labels(notice.alert),
        "annotations": {
            "summary": notice.headline,
            "description": notice.text,
            "severity": notice.alert.severity,
            "onset": notice.alert.onset.isoformat(),
        },
        "startsAt": moment.isoformat(),
        "endsAt": (moment if over else moment + ALIVE).isoformat(),
        "generatorURL": f"{console}#alert-{notice.alert.alert_id}" if console else "",
    }
