"""Webhook: a signed JSON notice, by Standard Webhooks 1.0 (standardwebhooks.com).

`webhook-id` is the notice's id, the same over retries. The signature covers id, time and body.
"""

import datetime as dt
from dataclasses import dataclass, field

from pydantic import SecretStr
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Notice
from alerts.sinks import Outcome, Request, http_outcome


@dataclass(frozen=True)
class WebhookSink:
    """Posts notices to one URL, signed with one secret; raises ValueError where that is none."""

    name: str
    url: SecretStr
    secret: SecretStr
    spacing: float = 0.0
    private: bool = False
    language: Language = ENGLISH
    _signer: Webhook = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            signer = Webhook(self.secret.get_secret_value())
        except EmptyWebhookSecretError as error:
            raise ValueError("its secret is empty") from error
        object.__setattr__(self, "_signer", signer)

    def request(self, notice: Notice, now: float) -> Request:
        """Return the signed request."""
        body = notice.model_dump_json()
        moment = dt.datetime.fromtimestamp(int(now), dt.UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": notice.notice_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": self._signer.sign(notice.notice_id, moment, body),
        }
        return Request(self.url.get_secret_value(), headers, body.encode())

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the HTTP status means."""
        return http_outcome(status, headers)
