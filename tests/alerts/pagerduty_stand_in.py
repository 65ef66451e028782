"""A stand-in for what PagerDuty sends and answers, in the shapes that its documentation shows."""

import datetime as dt
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SECRET, OTHER_SECRET, TOKEN = "whs-first", "whs-second", "api-token"
ANNA = {
    "id": "PLH1HKV",
    "type": "user_reference",
    "summary": "Anna Nowak",
    "html_url": "https://acme.example",
}
INTEGRATION = {"id": "PXY", "type": "events_api_v2_inbound_integration_reference", "summary": "Surgewatch"}


def webhook(
    alert_id: str | None,
    at: dt.datetime,
    *,
    event: str = "incident.acknowledged",
    agent: dict[str, Any] | None = ANNA,
) -> bytes:
    """The body of a webhook (v3)."""
    incident = {
        "id": "PGR0VU2",
        "type": "incident",
        "self": "https://api.pagerduty.com/incidents/PGR0VU2",
        "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
        "number": 2,
        "status": event.removeprefix("incident."),
        "incident_key": alert_id,
        "created_at": at.isoformat(),
        "title": "Surge at Swanton",
        "service": {"id": "PF9KMXH", "summary": "Duty", "type": "service_reference"},
        "assignees": [ANNA],
    }
    return json.dumps(
        {
            "event": {
                "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
                "event_type": event,
                "resource_type": "incident",
                "occurred_at": at.isoformat(),
                "agent": agent,
                "client": None,
                "data": incident,
            }
        }
    ).encode()


def signed(body: bytes, *secrets: str) -> dict[str, str]:
    """The headers of a webhook; several signatures while a secret is rotated."""
    found = [f"v1={hmac.new(one.encode(), body, hashlib.sha256).hexdigest()}" for one in secrets]
    return {"Content-Type": "application/json", "X-PagerDuty-Signature": ",".join(found)}


@dataclass
class Api:
    """The REST API: one incident for each key, and how it answers."""

    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    body: str | None = None
    asked: list[str] = field(default_factory=list)

    def acknowledge(self, key: str, at: dt.datetime, by: dict[str, Any] = ANNA) -> None:
        """Somebody acknowledges the incident of a key."""
        change = {"last_status_change_at": at.isoformat(), "last_status_change_by": INTEGRATION}
        self.incidents[key] = {
            "incident_key": key,
            "status": "acknowledged",
            "acknowledgements": [{"at": at.isoformat(), "acknowledger": by}],
            **change,
        }

    def resolve(self, key: str, at: dt.datetime, by: dict[str, Any] = ANNA) -> None:
        """Somebody resolves the incident of a key."""
        change = {"last_status_change_at": at.isoformat(), "last_status_change_by": by}
        self.incidents[key] = {"incident_key": key, "status": "resolved", "acknowledgements": [], **change}

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a question for incidents."""
        if request.headers.get("Authorization") != f"Token token={TOKEN}":
            return web.Response(status=401)
        key = request.query["incident_key"]
        self.asked.append(key)
        if self.body is not None:
            return web.Response(text=self.body)
        found = [self.incidents[key]] if key in self.incidents else []
        return web.json_response({"incidents": found, "limit": 1, "more": False}, status=self.status)
