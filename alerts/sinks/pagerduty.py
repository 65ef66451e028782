"""PagerDuty Events v2: an alert triggers, is acknowledged, and resolves, under one dedup key."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import SecretStr

from alerts.lifecycle.alert import RANK, Notice, Reason, Severity
from alerts.notices.links import NOWHERE, Links
from alerts.sinks import Outcome, Refused, Request, Retry, http_outcome

URL: Final = "https://events.pagerduty.com/v2/enqueue"
SUMMARY: Final = 1_024  # characters
_ACTION: Final = {Reason.RESOLVED: "resolve", Reason.ACKNOWLEDGED: "acknowledge"}
_URGENCY: Final = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


@dataclass(frozen=True)
class PagerDutySink:
    """Pages one service by its routing key, for alerts from a severity on."""

    name: str
    routing_key: SecretStr
    least: Severity = Severity.WARNING
    url: str = URL
    links: Links = NOWHERE
    spacing: float = 0.0
    private: bool = False

    def request(self, notice: Notice, now: float) -> Request | None:
        """The event, or None for an alert that is below what pages."""
        if RANK[notice.alert.severity] < RANK[self.least]:
            return None
        event = {"routing_key": self.routing_key.get_secret_value(), **page(notice, self.links)}
        return Request(self.url, {"content-type": "application/json"}, msgspec.json.encode(event))

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """202 is delivered; 400 is an event that never will be; 403 and 5xx may pass."""
        if status == 400:
            return Refused("invalid_event")
        return Retry("http_403") if status == 403 else http_outcome(status, headers)


def page(notice: Notice, links: Links = NOWHERE) -> dict[str, Any]:
    """The event without its routing key."""
    alert, evidence = notice.alert, notice.alert.latest.evidence
    event: dict[str, Any] = {
        "event_action": _ACTION.get(notice.reason, "trigger"),
        "dedup_key": alert.alert_id,
    }
    if notice.reason not in _ACTION:
        event["payload"] = {
            "summary": notice.headline[:SUMMARY],
            "source": alert.sector,
            "severity": _URGENCY[alert.severity],
            "timestamp": alert.updated.isoformat(),
            "group": alert.border,
            "class": alert.question,
            "custom_details": {
                "text": notice.text,
                "observed": evidence.observed,
                "expected": evidence.expected,
                "p_value": evidence.p_value,
                "since": alert.onset.isoformat(),
            },
        }
        event["client"], event["client_url"] = "Surgewatch", links.alert(alert)
        event["links"] = [{"href": link.url, "text": link.text} for link in links.of(alert)]
    return event
