"""Microsoft Teams: an Adaptive Card for each notice, by the webhook of a Workflow.

Text of data is in text runs alone, which Teams shows as they are; elsewhere it would read Markdown. Teams
refuses cards of more than 28 KB, so what is least important stands last and is left out first.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from alerts.languages.language import ENGLISH, Language, gettext_noop
from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.notices.digests import digest_line, digest_title, gravest_first, more_line
from alerts.notices.links import NOWHERE, Link, Links
from alerts.notices.wording import facts, foot
from alerts.sinks import DigestedSink, Outcome, Refused, Request, http_outcome

SIZE: Final = 20_000  # bytes; what Teams adds has to fit into its 28 KB too
TEXT: Final = 1_000  # characters of one block
LINES: Final = 20  # of a digest; nobody reads a longer one
STYLES: Final = {Severity.CRITICAL: "attention", Severity.WARNING: "warning", Severity.INFO: "accent"}
OVER: Final = "good"
FALLBACK: Final = gettext_noop("A notice by Surgewatch that this client cannot show.")

Json = dict[str, Any]


class TeamsSink(DigestedSink):
    """Posts to one Workflow, that is to one channel or chat."""

    def request(self, notice: Notice, now: float) -> Request:
        """Return the card of a notice."""
        return self._request(card(notice, self.links, self.language))

    def digest(self, notices: Sequence[Notice], now: float, summary: str = "") -> Request:
        """Return one card for them all."""
        return self._request(digest_card(notices, self.links, summary, self.language))

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the HTTP status means; a workflow that was deleted refuses for good."""
        return Refused("gone", gone=True) if status == 404 else http_outcome(status, headers)

    def _request(self, made: Json) -> Request:
        headers = {"content-type": "application/json"}
        return Request(self.url.get_secret_value(), headers, _within_size(made))


def card(notice: Notice, links: Links = NOWHERE, language: Language = ENGLISH) -> Json:
    """Return the card of one notice."""
    alert = notice.alert
    rows = facts(notice, language, has_chart=True)
    body = [
        _heading(notice.headline, _style(notice)),
        *(_block(_run(f"{name}  ", weight="Bolder"), _run(value)) for name, value in rows.items()),
        _block(_run(foot(alert, language), isSubtle=True, size="Small")),
        *(_block(_run(line)) for line in notice.details.splitlines()),
    ]
    return _card(body, links.of(alert, language), language)


def digest_card(
    notices: Sequence[Notice], links: Links = NOWHERE, summary: str = "", language: Language = ENGLISH
) -> Json:
    """Return the card of many notices: the gravest first, what is over last, then the summary."""
    gravest = gravest_first(notices)
    title = digest_title(gravest, language) if gravest else summary
    more = len(gravest) - LINES
    body = [
        _heading(title, _style(gravest[0]) if gravest else "emphasis"),
        *(_block(_run(digest_line(one, language), **_target(one, links))) for one in gravest[:LINES]),
        *([_block(_run(more_line(more, language), isSubtle=True))] if more > 0 else []),
        *([_block(_run(summary))] if summary and gravest else []),
    ]
    console = [Link(language.gettext("console"), links.console)] if links.console else []
    return _card(body, console, language)


def _card(body: Sequence[Json], links: Iterable[Link], language: Language) -> Json:
    actions = [{"type": "Action.OpenUrl", "title": link.text, "url": link.url} for link in links]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": language.gettext(FALLBACK),
        "msteams": {"width": "Full"},
        "body": list(body),
        "actions": actions,
    }


def _within_size(made: Json) -> bytes:
    """Return the message with the card, without as many of its last blocks as it takes to fit."""
    body = list(made["body"])
    while True:
        content = {**made, "body": body}
        kind = "application/vnd.microsoft.card.adaptive"
        attachment = {"contentType": kind, "contentUrl": None, "content": content}
        message = msgspec.json.encode({"type": "message", "attachments": [attachment]})
        if len(message) <= SIZE or len(body) == 1:
            return message
        body.pop()


def _heading(text: str, style: str) -> Json:
    run = _run(text, weight="Bolder", size="Large")
    return {"type": "Container", "style": style, "bleed": True, "items": [_block(run)]}


def _block(*runs: Json) -> Json:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **look: Any) -> Json:
    return {"type": "TextRun", "text": _inert(text), **look}


def _target(notice: Notice, links: Links) -> Json:
    url = links.alert(notice.alert)
    return {"selectAction": {"type": "Action.OpenUrl", "url": url}} if url else {}


def _inert(text: str) -> str:
    """Return text that is not too long and in which no function of a card, `{{DATE(…)}}`, is called."""
    cut = text if len(text) <= TEXT else text[: TEXT - 1] + "…"
    return cut.replace("{{", "{ {")


def _style(notice: Notice) -> str:
    return OVER if notice.reason is Reason.RESOLVED else STYLES[notice.alert.severity]
