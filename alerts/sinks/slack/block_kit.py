"""Slack's Block Kit: a notice as a message, and many as one digest, within Slack's limits.

Data are shown as they are: nothing in them can mention a channel, make a link or change the type.
"""

from collections.abc import Sequence
from typing import Any, Final

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.notices.digests import digest_title, gravest_first, more_line
from alerts.notices.links import NOWHERE, Links
from alerts.notices.wording import facts, foot

SECTION: Final = 3_000  # characters of a section's text
HEADER: Final = 150
FIELD: Final = 2_000
LINES: Final = 20  # of a digest; nobody reads a longer one
LINE: Final = 140  # characters, so that the lines of a digest fit into a section
LINES_IN_SECTION: Final = 3  # they stay below SECTION, all escaped and with their links
MARKS: Final = {
    Severity.CRITICAL: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.INFO: ":large_blue_circle:",
}
REASON_MARKS: Final = {Reason.RESOLVED: ":white_check_mark:", Reason.ACKNOWLEDGED: ":eyes:"}
# Slack has no escape for what formats text, so these are shown by characters that look alike.
ALIKE: Final = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})


def message(notice: Notice, links: Links = NOWHERE, language: Language = ENGLISH) -> dict[str, Any]:
    """Return the payload of a notice."""
    shown = blocks(notice, links, mark=mark(notice), language=language)
    return payload(f"{notice.headline}\n{notice.text}", shown)


def blocks(notice: Notice, links: Links, *, mark: str, language: Language) -> list[Block]:
    """Return the blocks of a notice; `mark`: the emoji before its headline."""
    alert = notice.alert
    blocks: list[Block] = [
        HeaderBlock(text=plain(f"{mark} {notice.headline}", HEADER, emoji=True)),
        SectionBlock(fields=_fields(notice, language)),
    ]
    if notice.details:
        blocks.append(SectionBlock(text=plain(notice.details, SECTION)))
    elements: list[Any] = [plain(foot(alert, language), FIELD)]
    found = " · ".join(f"<{link.url}|{link.text}>" for link in links.of(alert, language))
    elements += [_marked(found)] if found else []
    return [*blocks, ContextBlock(elements=elements)]


def digest(
    notices: Sequence[Notice], links: Links = NOWHERE, summary: str = "", language: Language = ENGLISH
) -> dict[str, Any]:
    """Return the payload for many notices: the gravest first, what is over last, then the summary."""
    gravest = gravest_first(notices)
    title = digest_title(gravest, language) if gravest else summary
    lines = [f"{mark(one)} {_line(one, links)}" for one in gravest[:LINES]]
    blocks: list[Block] = [HeaderBlock(text=plain(title, HEADER))]
    blocks += [
        SectionBlock(text=_marked("\n".join(lines[at : at + LINES_IN_SECTION])))
        for at in range(0, len(lines), LINES_IN_SECTION)
    ]
    more = len(gravest) - LINES
    ends = [more_line(more, language)] if more > 0 else []
    ends += [_inert(summary)] if summary else []
    ends += [f"<{links.console}|{language.gettext('console')}>"] if links.console else []
    if ends:
        blocks.append(ContextBlock(elements=[_marked(" · ".join(ends))]))
    texts = [title, *(one.headline for one in gravest[:LINES]), *([summary] if gravest and summary else [])]
    return payload("\n".join(texts), blocks)


def payload(text: str, blocks: Sequence[Block]) -> dict[str, Any]:
    """Return the payload: `text` for notifications and clients without blocks, and the blocks."""
    return {
        "text": _cut(_inert(text), SECTION),
        "mrkdwn": False,
        "blocks": [block.to_dict() for block in blocks],
    }


def _line(notice: Notice, links: Links) -> str:
    text, url = _inert(_cut(notice.headline, LINE)), links.alert(notice.alert)
    return f"<{url}|{text}>" if url else text


def mark(notice: Notice) -> str:
    """Return the emoji of a notice."""
    is_taken = notice.reason is Reason.FIRST and notice.alert.acknowledged_by
    return REASON_MARKS.get(Reason.ACKNOWLEDGED if is_taken else notice.reason, MARKS[notice.alert.severity])


def _fields(notice: Notice, language: Language) -> list[Any]:
    """Return labels on the left, values on the right."""
    rows = facts(notice, language, has_chart=True)
    return [text for name, value in rows.items() for text in (_marked(f"*{name}*"), plain(value, FIELD))]


def plain(text: str, limit: int, *, emoji: bool = False) -> PlainTextObject:
    """Return text that is shown as it is, cut to a number of characters."""
    return PlainTextObject(text=_cut(_escape(text), limit), emoji=emoji)


def _marked(text: str) -> MarkdownTextObject:
    """Return text in Slack's markdown. Verbatim: an address in the data does not become a link by itself."""
    return MarkdownTextObject(text=text, verbatim=True)


def _inert(text: str) -> str:
    """Return text that Slack's markdown leaves alone."""
    return _escape(text).translate(ALIKE)


def _escape(text: str) -> str:
    """Escape Slack's three control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    """Cut to a number of characters, not in the middle of an escaped one."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    start = cut.rfind("&", len(cut) - 5)
    return (cut[:start] if start >= 0 and ";" not in cut[start:] else cut) + "…"
