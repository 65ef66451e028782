"""The year of a table that stands above its header: that of its figures, never that of its release."""

import re

from streams.producers.cells import is_next_year

YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
_YEAR_OF = re.compile(r"\byear\W{1,3}((?:19|20)\d{2})\b", re.IGNORECASE)
_MONTH = r"[^\W\d_]{3,10}\.?"
_DATE = re.compile(
    r"\b(?:\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2}|(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}"
    rf"|\d{{1,2}}\.? {_MONTH},? (?:19|20)\d{{2}}|{_MONTH} \d{{1,2}},? (?:19|20)\d{{2}})\b"
)
_RELEASED = re.compile(
    r"(?:updated?|publi(?:shed|cation|\u00e9e?s?)|released?|extracted|retrieved|accessed|generated|produced"
    r"|as (?:of|at)|copyright|\u00a9|mise? \u00e0 jour|au)\b"
    rf"\W*(?:(?:on|in|le|the|date|of)\W+)*(?:{_DATE.pattern}|(?:{_MONTH} )?(?:19|20)\d{{2}}\b)",
    re.IGNORECASE,
)
_FISCAL = re.compile(r"\b(?:fiscal|financial|exercice|FY ?\d)", re.IGNORECASE)
_NO_PEOPLE = re.compile(  # but thousands of them, parts, rates, means, or what they have changed by
    r"\b(?:in|en) (?:hundreds|thousands|millions|milliers|miles|mill[io]on[ei]s|tausend|migliaia)\b"
    r"|^\W*(?:thousands|millions)\W*$|(?<=\()thousands(?=\))|['\u2019]000s?\b|(?<=\()000s?(?=\))"
    r"|(?<=in )000s\b|\b1[,. \u00a0]?000s\b|\bx ?1[,. \u00a0]?000\b|\bunits?: 1[,. \u00a0]?000\b"
    r"|\b(?:in|en|as an?|as) (?:%|per ?cent\b|percentages?\b|pourcentages?\b|porcentajes?\b)"
    r"|(?:%|\b(?:per ?cent(?:age)?|shares?)) of (?:the )?totals?\b"
    r"|^\W*(?:%|percentages?|per ?cent)\W*$|(?<=\()%(?=\))"
    r"|\bper 10{0,2}[,. \u00a0]?000\b|\bindex\b[^\n]*= ?100\b"
    r"|\b(?:daily|weekly|monthly|moving|rolling|running) (?:averages?|means?|medians?)\b"
    r"|\bmoyennes? mobiles?\b"
    r"|\b(?:changes?|differences?) (?:on|from|over|since) (?:the )?(?:previous|last|prior|same)"
    r" (?:day|week|month|quarter|year|period)s?\b"
    r"|\bseasonally adjusted\b|\bforecasts?\b|\bprojections?\b",
    re.IGNORECASE | re.MULTILINE,
)
_CUMULATIVE = re.compile(
    r"\b(?:cumulative|cumulati[fv][aeio]?s?|cumul(?:\u00e9e?s?)?|acumulad[oa]s?|kumuliert)\b"
    r"|\b(?:running|rolling|moving) (?:totals?|sums?)\b|\b(?:rolling|moving) \d+.(?:month|week|day)"
    r"|\b\d+.(?:month|week|day)s? (?:rolling|moving|running)\b",
    re.IGNORECASE,
)
_TWO_YEARS = re.compile(r"\b((?:19|20)\d{2}) ?[-\u2013/] ?((?:19|20)?\d{2})\b")
_SHORT = re.compile(r"\bFY ?(?:20)?(\d{2})\b", re.IGNORECASE)


def year_above(text: str, *, is_fiscal: bool) -> int | None:
    """The one year that a text names; None where it names none or several, or none that is of this kind.

    A fiscal year (`is_fiscal`) is named by the year in which it ends.

    >>> year_above("Calendar year 2018, updated on 2019-02-01", is_fiscal=False)
    2018
    >>> year_above("Fiscal year 2018-19", is_fiscal=True), year_above("Fiscal year 2018", is_fiscal=False)
    (2019, None)
    """
    kept = _without_release(text)
    if is_fiscal:
        kept = _SHORT.sub(r" 20\1 ", _TWO_YEARS.sub(_end, kept))
    elif _FISCAL.search(kept) or any(_is_span(found) for found in _TWO_YEARS.finditer(kept)):
        return None
    years = set(_YEAR_OF.findall(kept)) or set(YEAR.findall(kept if is_fiscal else text))
    return int(years.pop()) if len(years) == 1 and YEAR.search(kept) else None


def unlike_figures(text: str, *, is_cumulative: bool) -> str | None:
    """Return what a text above a table makes of its figures, if they are no people of one period each.

    >>> unlike_figures("Detections (in thousands)", is_cumulative=False)
    'in thousands'
    >>> unlike_figures("Detections by month. Shares may not add up", is_cumulative=False)
    """
    found = _NO_PEOPLE.search(text) or (None if is_cumulative else _CUMULATIVE.search(text))
    return found[0] if found else None


def names_year(text: str) -> bool:
    """Return whether a text names a year of figures, of whatever kind."""
    return bool(YEAR.search(kept := _without_release(text)) or _SHORT.search(kept))


def _without_release(text: str) -> str:
    """A text without the date of its release. A single date is that; two may be a span."""
    kept = _RELEASED.sub(" ", text)
    return _DATE.sub(" ", kept) if len(_DATE.findall(kept)) == 1 else kept


def _is_span(found: re.Match[str]) -> bool:
    return is_next_year(int(found[1]), int(found[2]))


def _end(found: re.Match[str]) -> str:
    return f" {int(found[1]) + 1} " if _is_span(found) else found[0]
