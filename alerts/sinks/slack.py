"""Slack: one message a notice, in Block Kit, by an incoming webhook. A message a second, as Slack asks.

Where many notices wait they become one digest: a line an alert, the gravest first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pydantic import SecretStr
from slack_sdk.models.blocks import Block, ContextBlock, HeaderBlock, MarkdownTextObject, SectionBlock

from alerts.lifecycle.alert import RANK, Alert, Notice, Reason, Severity
from alerts.notices.links import NOWHERE, Links
from alerts.notices.notices import details
from alerts.notices.wording import place, sparkline, sureness
from alerts.sinks import Outcome, Refused, Request, http_outcome

SECTION: Final = 3_000  # characters of a section's text
HEADER: Final = 150
FIELD: Final = 2_000
LINES: Final = 20  # of a digest; one that is longer nobody reads
LINE: Final = 140  # characters, so that the lines of a digest fit into a section
_MARK: Final = {
    Severity.CRITICAL: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.INFO: ":large_blue_circle:",
}
_OWN_MARK: Final = {Reason.RESOLVED: ":white_check_mark:", Reason.ACKNOWLEDGED: ":eyes:"}
_A_SECTION: Final = 3  # lines: they stay below SECTION, all escaped and with their links


@dataclass(frozen=True)
class SlackSink:
    """Posts to one incoming webhook, that is to one channel."""

    name: str
    url: SecretStr
    links: Links = NOWHERE
    spacing: float = 1.0
    private: bool = False
    most: int = 200

    def request(self, notice: Notice, now: float) -> Request | None:
        """The message."""
        return self._request(message(notice, self.links))

    def digest(self, notices: Sequence[Notice], now: float) -> Request:
        """One message for them all."""
        return self._request(digest(notices, self.links))

    def _request(self, payload: dict[str, Any]) -> Request:
        body = msgspec.json.encode(payload)
        return Request(self.url.get_secret_value(), {"content-type": "application/json"}, body)

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """As HTTP says; a channel that is gone or archived refuses for good."""
        if status in (404, 410) or body in (b"channel_is_archived", b"no_service"):
            return Refused(body.decode(errors="replace")[:60] or "gone", gone=True)
        return http_outcome(status, headers)


def message(notice: Notice, links: Links = NOWHERE) -> dict[str, Any]:
    """The payload: `text` for what shows no blocks, and the blocks."""
    alert, mark = notice.alert, _mark(notice)
    said = "\n".join(details(alert, notice.reason))
    blocks: list[Block] = [
        HeaderBlock(text=_cut(f"{mark} {notice.headline}", HEADER)),
        SectionBlock(fields=[MarkdownTextObject(text=_cut(text, FIELD)) for text in _fields(alert)]),
        SectionBlock(text=MarkdownTextObject(text=_cut(_escape(said), SECTION))),
    ]
    foot = [f"{alert.severity} · {alert.border or 'no border'} · alert `{alert.alert_id[:8]}`"]
    foot += [f"<{link.url}|{link.text}>" for link in links.of(alert)]
    blocks.append(ContextBlock(elements=[MarkdownTextObject(text=" · ".join(foot))]))
    return {
        "text": f"{notice.headline}\n{notice.text}"[:SECTION],
        "blocks": [block.to_dict() for block in blocks],
    }


def digest(notices: Sequence[Notice], links: Links = NOWHERE) -> dict[str, Any]:
    """The payload for many notices: what is newest of each alert."""
    newest = {notice.alert.alert_id: notice for notice in notices}
    gravest = sorted(
        newest.values(), key=lambda one: (one.reason is Reason.RESOLVED, -RANK[one.alert.severity])
    )
    kinds = Counter("over" if one.reason is Reason.RESOLVED else str(one.alert.severity) for one in gravest)
    title = f"{len(gravest)} alerts: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    lines = [f"{_mark(one)} {_line(one, links)}" for one in gravest[:LINES]]
    blocks: list[Block] = [
        HeaderBlock(text=_cut(title, HEADER)),
        *(
            SectionBlock(text=MarkdownTextObject(text="\n".join(lines[at : at + _A_SECTION])))
            for at in range(0, len(lines), _A_SECTION)
        ),
    ]
    more = len(gravest) - LINES
    foot = [f"and {more} more"] if more > 0 else []
    foot += [f"<{links.console}|console>"] if links.console else []
    if foot:
        blocks.append(ContextBlock(elements=[MarkdownTextObject(text=" · ".join(foot))]))
    text = "\n".join([title, *(one.headline for one in gravest[:LINES])])
    return {"text": text[:SECTION], "blocks": [block.to_dict() for block in blocks]}


def _line(notice: Notice, links: Links) -> str:
    text, url = _escape(_cut(notice.headline, LINE)), links.alert(notice.alert)
    return f"<{url}|{text}>" if url else text


def _mark(notice: Notice) -> str:
    return _OWN_MARK.get(notice.reason, _MARK[notice.alert.severity])


def _fields(alert: Alert) -> list[str]:
    evidence = alert.latest.evidence
    return [
        f"*DedupIndex*\n{evidence.observed:,.0f}",
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
