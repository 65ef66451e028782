"""Clauses that verdicts bring as English text (`remark`, `baseline`), in the language of a notice.

Streams know no language. Their clauses are few, and each has one form with figures in it. A clause that is
not known here, of a newer version, stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from alerts.languages.language import Language, gettext_noop
from alerts.notices.wording import length
from streams.contract.cadence import Cadence

Parts = Mapping[str, str]
WITHOUT_FIGURES: Final = (
    gettext_noop("the same hours of two weeks"),
    gettext_noop("nothing is judged without data"),
    gettext_noop("the same days of the week before the silence"),
    gettext_noop("summaries of the border's sectors"),
    gettext_noop("the weeks before the silence"),
    gettext_noop("the months before the silence"),
    gettext_noop("heartbeats of the source"),
)
PERIODS: Final = r"(?P<n>\d+) (?P<cadence>hour|day|week|month)s?"


def clause(text: str, language: Language) -> str:
    """Return a clause of a verdict in a language."""
    if text in WITHOUT_FIGURES:
        return language.gettext(text)
    for pattern, write in WITH_FIGURES.items():
        if found := re.fullmatch(pattern, text):
            return write(language, found.groupdict())
    return text


def _highest_before(language: Language, parts: Parts) -> str:
    return language.gettext("highest before: {people}", people=language.number(int(parts["n"])))


def _level(language: Language, parts: Parts) -> str:
    return language.gettext(
        "level times {ratio} for {length}",
        ratio=language.number(float(parts["ratio"]), 2),
        length=_length(language, parts),
    )


def _hour(language: Language, parts: Parts) -> str:
    return language.gettext(
        "{people} in the hour to {time}, where {expected} are expected",
        people=language.number(int(parts["n"])),
        time=parts["time"],
        expected=language.number(float(parts["expected"]), 1),
    )


def _moved(language: Language, parts: Parts) -> str:
    return language.gettext(
        "{fewer} fewer here, {more} more at {places}",
        fewer=language.number(int(parts["n"])),
        more=language.number(int(parts["more"])),
        places=language.listing(parts["places"].split(" and ")),
    )


def _upstream(language: Language, parts: Parts) -> str:
    return language.gettext(
        "upstream {place} led by {length}", place=parts["place"], length=_length(language, parts)
    )


def _together(language: Language, parts: Parts) -> str:
    return language.gettext("together: {places}", places=parts["places"])


def _vulnerable(language: Language, parts: Parts) -> str:
    kinds = {
        "family units": language.gettext("family units"),
        "unaccompanied minors": language.gettext("unaccompanied minors"),
    }
    found = [kinds.get(kind, kind) for kind in parts["kinds"].split(" and ")]
    return language.gettext("more {kinds} among them", kinds=language.listing(found))


def _regression(language: Language, parts: Parts) -> str:
    length = _length(language, parts)
    if parts["steps"] is None:
        return language.gettext("regression over {length}", length=length)
    return language.ngettext(
        "regression over {length}, with a step at {n} date",
        "regression over {length}, with steps at {n} dates",
        int(parts["steps"]),
        length=length,
    )


def _prior(language: Language, parts: Parts) -> str:
    peers = language.ngettext("prior of {n} like sector", "prior of {n} like sectors", int(parts["peers"]))
    if parts["n"] is None:
        return peers
    return language.gettext("{prior} and {length}", prior=peers, length=_length(language, parts))


def _length(language: Language, parts: Parts) -> str:
    return length(int(parts["n"]), Cadence(parts["cadence"]), language)


WITH_FIGURES: Final[dict[str, Callable[[Language, Parts], str]]] = {
    r"highest before: (?P<n>\d+)": _highest_before,
    rf"level times (?P<ratio>[\d.]+) for {PERIODS}": _level,
    r"(?P<n>\d+) in the hour to (?P<time>\d\d:\d\d), where (?P<expected>[\d.]+) are expected": _hour,
    r"(?P<n>\d+) fewer here, (?P<more>\d+) more at (?P<places>.*)": _moved,
    rf"upstream (?P<place>.+) led by {PERIODS}": _upstream,
    r"together: (?P<places>.+)": _together,
    r"more (?P<kinds>.+) among them": _vulnerable,
    rf"regression over {PERIODS}(, steps at (?P<steps>\d+) dates)?": _regression,
    rf"prior of (?P<peers>\d+) like sectors( and {PERIODS})?": _prior,
}
