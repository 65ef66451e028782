"""What people do with our incidents in PagerDuty: from its webhooks (v3), and from its REST API.

An incident that somebody acknowledges or resolves there is one that somebody takes care of. What
integrations do counts for nothing: they only repeat what Surgewatch has sent.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

from alerts.lifecycle.alert import Assessment
from alerts.notices.controls import Acknowledge
from alerts.sinks import Request
from streams.contract.controls import LONGEST_PERSON

API: Final = "https://api.pagerduty.com"
SIGNATURE: Final = "x-pagerduty-signature"
DONE: Final = {"incident.acknowledged": "acknowledged", "incident.resolved": "resolved"}
PERSON: Final = ("user_reference", "user")


class IncidentChange(NamedTuple):
    """What somebody did with an incident."""

    alert_id: str
    by: str
    at: AwareDatetime
    deed: str  # acknowledged or resolved

    def control(self, assessment: Assessment | None) -> Acknowledge:
        """Return the acknowledgement that it is; `assessment`: what the alert was found to be before."""
        return Acknowledge(
            alert_id=self.alert_id,
            by=self.by,
            at=self.at,
            reason=f"{self.deed} in PagerDuty",
            assessment=assessment,
        )


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Agent(_Model):
    type: str = ""
    summary: str | None = None

    @property
    def name(self) -> str:
        """Return a person's name; nothing for an integration."""
        if self.type not in PERSON:
            return ""
        shown = "".join(one if one.isprintable() else " " for one in self.summary or "")
        return " ".join(shown.split())[:LONGEST_PERSON] or "somebody"


class _Acknowledgement(_Model):
    at: AwareDatetime
    acknowledger: _Agent


class _Incident(_Model):
    incident_key: str | None = None
    status: str = ""
    last_status_change_at: AwareDatetime | None = None
    last_status_change_by: _Agent | None = None
    acknowledgements: tuple[_Acknowledgement, ...] = ()


class _Event(_Model):
    event_type: str
    occurred_at: AwareDatetime
    agent: _Agent | None = None
    data: _Incident


class _Webhook(_Model):
    event: _Event


class _Incidents(_Model):
    incidents: tuple[_Incident, ...]


def is_signed(body: bytes, header: str, secrets: Sequence[SecretStr]) -> bool:
    """Return whether one of the signatures in the header is by one of the secrets.

    PagerDuty sends several signatures while a secret is rotated; each of its subscriptions has its own.
    """
    given = [part.strip().encode(errors="surrogateescape") for part in header.split(",")]
    right = [_signature(body, one.get_secret_value().encode()) for one in secrets]
    return any(hmac.compare_digest(one, other) for one in given for other in right)


def _signature(body: bytes, secret: bytes) -> bytes:
    return b"v1=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


def read_webhook(body: bytes) -> IncidentChange | None:
    """Return what somebody did by a webhook's event; None for all other events. Raises ValueError."""
    event = _Webhook.model_validate_json(body).event
    by = event.agent.name if event.agent else ""
    deed = DONE.get(event.event_type)
    if deed is None or not by or not event.data.incident_key:
        return None
    return IncidentChange(event.data.incident_key, by, event.occurred_at, deed)


def look_up(alert_id: str, token: SecretStr, api: str = API) -> Request:
    """Return the request for the newest incident of an alert."""
    query = {"incident_key": alert_id, "date_range": "all", "sort_by": "created_at:desc", "limit": 1}
    headers = {
        "accept": "application/vnd.pagerduty+json;version=2",
        "authorization": f"Token token={token.get_secret_value()}",
    }
    return Request(f"{api.rstrip('/')}/incidents?{urlencode(query)}", headers, b"", method="GET")


def read_incidents(alert_id: str, body: bytes) -> IncidentChange | None:
    """Return what somebody did with the newest incident of an alert. Raises ValueError."""
    incidents = _Incidents.model_validate_json(body).incidents
    if not incidents:
        return None
    (newest, *_) = incidents
    if newest.status == "resolved" and newest.last_status_change_by and newest.last_status_change_at:
        by = newest.last_status_change_by.name
        return IncidentChange(alert_id, by, newest.last_status_change_at, "resolved") if by else None
    if newest.status != "acknowledged":
        return None
    people = [one for one in newest.acknowledgements if one.acknowledger.name]
    if not people:
        return None
    last = max(people, key=lambda one: one.at)
    return IncidentChange(alert_id, last.acknowledger.name, last.at, "acknowledged")
