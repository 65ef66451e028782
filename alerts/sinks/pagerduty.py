"""PagerDuty Events v2: an alert is triggered, acknowledged and resolved under one dedup key.

All alerts on one source are one incident, however many sectors the source carries.

What people do with its incident there comes back by `webhook_secrets` or `api_token`: see
`alerts.worker.pagerduty_answers`.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import msgspec
from pydantic import SecretStr

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.notices.links import NOWHERE, Links
from alerts.sinks import Outcome, Refused, Request, Retry, http_outcome

URL: Final = "https://events.pagerduty.com/v2/enqueue"
SUMMARY: Final = 1_024  # characters
_ACTION: Final = {Reason.RESOLVED: "resolve", Reason.ACKNOWLEDGED: "acknowledge"}
_URGENCY: Final = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


@dataclass(frozen=True)
class PagerDutySink:
    """Pages one service by its routing key."""

    one_per_source: ClassVar[bool] = True
    keyed: ClassVar[bool] = True
    acknowledges: ClassVar[bool] = True

    name: str
    routing_key: SecretStr
    url: str = URL
    links: Links = NOWHERE
    spacing: float = 0.0
    private: bool = False
    language: Language = ENGLISH
    webhook_secrets: tuple[SecretStr, ...] = field(default=(), repr=False)
    api_token: SecretStr | None = None
    api_url: str = ""

    def request(self, notice: Notice, now: float) -> Request:
        """Return the event."""
        event = {
            "routing_key": self.routing_key.get_secret_value(),
            **page(notice, self.links, self.language),
        }
        return Request(self.url, {"content-type": "application/json"}, msgspec.json.encode(event))

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the answer means: 400 is for good; 403, 429 and 5xx may pass."""
        if status == 400:
            return Refused("invalid_event")
        return Retry("http_403") if status == 403 else http_outcome(status, headers)


def page(notice: Notice, links: Links = NOWHERE, language: Language = ENGLISH) -> dict[str, Any]:
    """Return the event without its routing key."""
    alert, evidence = notice.alert, notice.alert.latest.evidence
    event: dict[str, Any] = {
        "event_action": _ACTION.get(notice.reason, "trigger"),
        "dedup_key": alert.alert_id,
    }
    if notice.reason not in _ACTION:
        event["payload"] = {
            "summary": notice.headline[:SUMMARY],
            "source": evidence.source or alert.sector,
            "severity": _URGENCY[alert.severity],
            "timestamp": alert.updated.isoformat(),
            "group": alert.border,
            "class": alert.question,
            "custom_details": _details(notice),
        }
        event["client"], event["client_url"] = "Surgewatch", links.alert(alert)
        event["links"] = [{"href": link.url, "text": link.text} for link in links.of(alert, language)]
    return event


def _details(notice: Notice) -> dict[str, Any]:
    """Return what an incident shows beside its title: figures, or the sectors of a source."""
    alert, evidence = notice.alert, notice.alert.latest.evidence
    figures: dict[str, Any] = {
        "observed": evidence.observed,
        "expected": evidence.expected,
        "p_value": evidence.p_value,
    }
    if evidence.source:
        figures = {"sectors": [part.sector for part in alert.parts if not part.sends] or [alert.sector]}
    return {"text": notice.text, **figures, "since": notice.since, "data_up_to": notice.as_of}
