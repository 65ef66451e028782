"""The HTML part of a mail: tables and inline styles, as mail clients show nothing else alike.

The chart is a table of bars: clients block images until they are allowed, and strip SVG. Every text is
escaped.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from alerts.languages.language import Language
from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.notices.digests import digest_line
from alerts.notices.links import Links
from alerts.notices.wording import facts, foot

COLOURS: Final = {Severity.CRITICAL: "#c62828", Severity.WARNING: "#ef6c00", Severity.INFO: "#1565c0"}
OVER: Final = "#2e7d32"
BAR: Final = "#b0bec5"
BARS: Final = 28
HEIGHT: Final = 48  # pixels of the highest bar
FONT: Final = "font-family:Arial,Helvetica,sans-serif;font-size:14px;color:#212121"
TABLE: Final = '<table role="presentation" cellpadding="0" cellspacing="0" border="0"'


def page(notice: Notice, links: Links, language: Language) -> str:
    """Return the page of one notice."""
    alert = notice.alert
    parts = [
        _heading(notice.headline, _colour(notice)),
        _figures(notice, language),
        _chart(alert.latest.evidence.recent, _colour(notice), language),
        *(f"<p>{escape(line)}</p>" for line in notice.details.splitlines()),
        _links((link.text, link.url) for link in links.of(alert, language)),
        f'<p style="color:#757575">{escape(foot(alert, language))}</p>',
    ]
    return _document(notice.headline, parts, language)


def digest_page(
    title: str, notices: Sequence[Notice], links: Links, *, summary: str, language: Language
) -> str:
    """Return the page of many notices: a row for each of them."""
    rows = "".join(_row(notice, links, language) for notice in notices)
    parts = [
        _heading(title, _colour(notices[0]) if notices else BAR),
        f"{TABLE}>{rows}</table>",
        f"<p>{escape(summary)}</p>" if summary else "",
        _links([(language.gettext("console"), links.console)] if links.console else []),
    ]
    return _document(title, parts, language)


def _document(title: str, parts: Sequence[str], language: Language) -> str:
    return (
        f'<!doctype html><html lang="{language.code}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="{FONT}">{"".join(parts)}</body></html>'
    )


def _heading(text: str, colour: str) -> str:
    style = f"border-left:6px solid {colour};padding:4px 10px;font-size:18px;font-weight:bold"
    return f'{TABLE}><tr><td style="{style}">{escape(text)}</td></tr></table>'


def _figures(notice: Notice, language: Language) -> str:
    rows = facts(notice, language, has_reach=True)
    cells = (
        f'<tr><td style="padding:2px 16px 2px 0;color:#757575">{escape(name)}</td>'
        f"<td>{escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f'{TABLE} style="margin:12px 0">{"".join(cells)}</table>'


def _chart(values: Sequence[float], colour: str, language: Language) -> str:
    """Draw the last periods as bars; the last of them in the alert's colour."""
    shown = list(values)[-BARS:]
    if not shown:
        return ""
    top = max(*shown, 1.0)
    heights = [max(1, round(max(value, 0.0) / top * HEIGHT)) for value in shown]
    bars = "".join(_bar(height, BAR) for height in heights[:-1]) + _bar(heights[-1], colour)
    text = language.ngettext(
        "The last period; it has {top}.",
        "The last {n} periods, the newest on the right; the highest is {top}.",
        len(shown),
        top=language.number(top),
    )
    return f'{TABLE}><tr>{bars}</tr></table><p style="color:#757575;margin:4px 0 12px">{text}</p>'


def _bar(height: int, colour: str) -> str:
    bar = f'<td width="7" height="{height}" bgcolor="{colour}" style="font-size:0;line-height:0">&nbsp;</td>'
    return f'<td valign="bottom" style="padding-right:2px">{TABLE}><tr>{bar}</tr></table></td>'


def _row(notice: Notice, links: Links, language: Language) -> str:
    url = links.alert(notice.alert)
    text = escape(digest_line(notice, language))
    shown = f'<a href="{escape(url)}">{text}</a>' if url else text
    dot = f'<td style="padding:3px 8px 3px 0;color:{_colour(notice)}">&#9679;</td>'
    return f"<tr>{dot}<td>{shown}</td></tr>"


def _links(links: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> str:
    shown = " · ".join(f'<a href="{escape(url)}">{escape(text)}</a>' for text, url in links)
    return f"<p>{shown}</p>" if shown else ""


def _colour(notice: Notice) -> str:
    return OVER if notice.reason is Reason.RESOLVED else COLOURS[notice.alert.severity]
