"""A Slack channel by its incoming webhook: a message for each notice, one a second as Slack asks.

Where many notices wait they become one digest: a line for each alert, the gravest first.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from alerts.lifecycle.alert import Notice
from alerts.sinks import DigestedSink, Outcome, Refused, Request, http_outcome
from alerts.sinks.slack.block_kit import digest, message

CLOSED: Final = (b"channel_is_archived", b"no_service")


class SlackSink(DigestedSink):
    """Posts to one incoming webhook, that is to one channel."""

    def request(self, notice: Notice, now: float) -> Request:
        """Return the message."""
        return self._request(message(notice, self.links, self.language))

    def digest(self, notices: Sequence[Notice], now: float, summary: str = "") -> Request:
        """Return one message for them all."""
        return self._request(digest(notices, self.links, summary, self.language))

    def _request(self, payload: dict[str, Any]) -> Request:
        body = msgspec.json.encode(payload)
        return Request(self.url.get_secret_value(), {"content-type": "application/json"}, body)

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the HTTP status means; a channel that is gone or archived refuses for good."""
        is_success = 200 <= status < 300
        if not is_success and (status in (404, 410) or body in CLOSED):
            return Refused(body.decode(errors="replace")[:60] or "gone", gone=True)
        return http_outcome(status, headers)
