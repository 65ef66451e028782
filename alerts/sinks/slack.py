"""Slack: one message a notice, in Block Kit, by an incoming webhook. A message a second, as Slack asks."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import SecretStr
from slack_sdk.models.blocks import Block, ContextBlock, HeaderBlock, MarkdownTextObject, SectionBlock

from alerts.alert import Alert, Notice, Reason, Severity
from alerts.notices import headline, place, sparkline, sureness
from alerts.sinks import Outcome, Refused, Request, http_outcome

SECTION: Final = 3_000  # characters of a section's text
HEADER: Final = 150
FIELD: Final = 2_000
_MARK: Final = {
    Severity.CRITICAL: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.INFO: ":large_blue_circle:",
}


@dataclass(frozen=True)
class SlackSink:
    """Posts to one incoming webhook, that is to one channel."""

    name: str
    url: SecretStr
    console: str = ""  # where links lead to
    spacing: float = 1.0
    private: bool = False

    def request(self, notice: Notice, now: float) -> Request | None:
        """The message."""
        body = msgspec.json.encode(message(notice, self.console))
        return Request(self.url.get_secret_value(), {"content-type": "application/json"}, body)

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """As HTTP says; a channel that is gone or archived refuses for good."""
        if status in (404, 410) or body in (b"channel_is_archived", b"no_service"):
            return Refused(body.decode(errors="replace")[:60] or "gone", gone=True)
        return http_outcome(status, headers)


def message(notice: Notice, console: str = "") -> dict[str, Any]:
    """The payload: `text` for what shows no blocks, and the blocks."""
    alert = notice.alert
    mark = ":white_check_mark:" if notice.reason is Reason.RESOLVED else _MARK[alert.severity]
    blocks: list[Block] = [
        HeaderBlock(text=_cut(headline(alert, notice.reason), HEADER)),
        SectionBlock(fields=[MarkdownTextObject(text=_cut(text, FIELD)) for text in _fields(alert)]),
        SectionBlock(text=MarkdownTextObject(text=_cut(_escape(notice.text), SECTION))),
    ]
    foot = [f"{mark} {alert.severity} · {alert.border or 'no border'} · alert `{alert.alert_id[:8]}`"]
    if console:
        foot.append(f"<{console}#alert-{alert.alert_id}|console>")
    blocks.append(ContextBlock(elements=[MarkdownTextObject(text=" · ".join(foot))]))
    return {
        "text": f"{notice.headline}\n{notice.text}"[:SECTION],
        "blocks": [block.to_dict() for block in blocks],
    }


def _fields(alert: Alert) -> list[str]:
    evidence = alert.latest.evidence
    return [
        f"*Seen*\n{evidence.observed:,.0f}",
        f"*Expected*\n{evidence.expected:,.0f} ({evidence.lower:,.0f} to {evidence.upper:,.0f})",
        f"*Where*\n{_escape(place(alert.sector))}",
        f"*Since*\n{alert.onset:%Y-%m-%d}",
        f"*How sure*\n{sureness(evidence.p_value)}",
        f"*Last {len(evidence.recent[-28:])}*\n{sparkline(evidence.recent)}",
    ]


def _escape(text: str) -> str:
    """Slack's three control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
