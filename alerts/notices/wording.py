"""Phrases of notices: names of places and questions, lengths, times, how sure, sparklines."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from alerts.languages.language import ENGLISH, Language, gettext_noop, ngettext_noop
from alerts.lifecycle.alert import MOST_PARTS, Alert, Assessment, Notice, Reason, Severity, State
from streams.contract.cadence import Cadence
from streams.contract.questions import Question
from streams.contract.sectors import Registry
from streams.contract.verdicts import Evidence

FEW: Final = 10  # people, below which a decimal matters
BARS: Final = "▁▂▃▄▅▆▇█"
LEADS: Final = {
    Reason.FIRST: "{title}",
    Reason.WORSE: gettext_noop("Worse: {title}"),
    Reason.STILL: gettext_noop("Still: {title}"),
    Reason.UNANSWERED: gettext_noop("Not acknowledged: {title}"),
    Reason.ACKNOWLEDGED: gettext_noop("Acknowledged: {title}"),
    Reason.UPDATED: "{title}",
    Reason.RESOLVED: gettext_noop("Resolved: {title}"),
}
HANDED_OVER: Final = gettext_noop("No longer sent here: {title}")
ASSESSMENTS: Final = {
    Assessment.NOT_A_SURGE: gettext_noop("not a surge"),
    Assessment.BAD_DATA: gettext_noop("bad data"),
}
SEVERITIES: Final = {
    Severity.INFO: gettext_noop("info"),
    Severity.WARNING: gettext_noop("warning"),
    Severity.CRITICAL: gettext_noop("critical"),
}

GROUPS: Final = {
    "crossing_type=between_ports": gettext_noop("between ports"),
    "crossing_type=at_port": gettext_noop("at ports"),
    "demographic=single_adult": gettext_noop("single adults"),
    "demographic=family_unit": gettext_noop("families"),
    "demographic=unaccompanied_minor": gettext_noop("unaccompanied minors"),
    "demographic=accompanied_minor": gettext_noop("accompanied minors"),
    "demographic=unknown": gettext_noop("unknown demographic"),
    "citizenship=OTHER": gettext_noop("other citizenships"),
}

LENGTHS: Final = {
    Cadence.HOUR: ngettext_noop("{n} hour", "{n} hours"),
    Cadence.DAY: ngettext_noop("{n} day", "{n} days"),
    Cadence.WEEK: ngettext_noop("{n} week", "{n} weeks"),
    Cadence.MONTH: ngettext_noop("{n} month", "{n} months"),
}


def lead(alert: Alert, reason: Reason, *, handed_over: bool = False) -> str:
    """Return the message that a title is shown by: what is new about its alert."""
    if handed_over:
        return HANDED_OVER
    is_taken = reason is Reason.FIRST and alert.acknowledged_by
    return LEADS[Reason.ACKNOWLEDGED if is_taken else reason]


def place(sector: str) -> str:
    """Return a sector's id as people write it: `rcmp-quebec` is `RCMP Quebec`."""
    known = {"rcmp": "RCMP", "cbsa": "CBSA"}
    return " ".join(known.get(part, part.capitalize()) for part in sector.split("-"))


def places(sectors: Sequence[str], language: Language, *, most: int) -> str:
    """Return the names of sectors, of the first ones where there are many."""
    named = ", ".join(place(sector) for sector in sectors[:most])
    if (more := len(sectors) - most) > 0:
        n = language.number(more) + beyond(len(sectors))
        return language.gettext("{items} and {n} more", items=named, n=n)
    return named


def beyond(sectors: int) -> str:
    """Return the mark of a number that may be larger: an alert holds MOST_PARTS sectors of a source."""
    return "+" if sectors >= MOST_PARTS else ""


def group(name: str, language: Language) -> str:
    """Return a group of people as people write it: `citizenship=HAITI` is `Haiti`, in French `Haïti`."""
    if name in GROUPS:
        return language.gettext(GROUPS[name])
    value = (name.partition("=")[2] or name).replace("_", " ")
    return language.country(value.title() if value.isupper() and len(value) > 3 else value)


def question_title(question: Question, language: Language) -> str:
    """Return what a question is called."""
    return language.pgettext("question", question.entry.title)


def length(periods: int, cadence: Cadence, language: Language) -> str:
    """Return so many periods: `3 days`."""
    return language.ngettext(*LENGTHS[cadence], periods)


def clock(moment: dt.datetime, sector: str, registry: Registry, language: Language = ENGLISH) -> str:
    """Return a time by the sector's clock, beside UTC: `2023-03-24 20:00 EDT (2023-03-25 00:00 UTC)`.

    A border, or a sector that is not in the registry, has UTC alone.
    """
    utc = f"{language.minute(moment.astimezone(dt.UTC))} UTC"
    found = registry.by_id.get(sector)
    if found is None or found.time_zone == "UTC":
        return utc
    local = moment.astimezone(ZoneInfo(found.time_zone))
    return f"{language.minute(local)} {local:%Z} ({utc})"


def expected(people: float, language: Language) -> str:
    """Return how many people are expected, with a decimal where they are few: 2 people are 3.3 times 0.6."""
    is_fine = people < FEW and round(people, 1) != round(people)
    return language.number(people, 1 if is_fine else 0)


def normal(evidence: Evidence, language: Language) -> dict[str, str]:
    """Return the smallest and largest count that is normal, as `lower` and `upper`.

    Counts are whole. Rounded to the nearest, the interval would hold counts that are beyond it.
    """
    upper = math.floor(evidence.upper)
    lower = min(math.ceil(evidence.lower), upper)
    return {"lower": language.number(lower), "upper": language.number(upper)}


def sureness(p_value: float, language: Language = ENGLISH) -> str:
    """Return how often chance alone does this, in words."""
    if p_value < 1e-9:
        return language.gettext("chance alone cannot explain it")
    odds = float(f"{1 / max(p_value, 1e-12):.1g}")
    return language.gettext("by chance once in {odds}", odds=language.number(odds))


def facts(
    notice: Notice, language: Language = ENGLISH, *, has_chart: bool = False, has_reach: bool = False
) -> dict[str, str]:
    """Return what a reader needs in five seconds, by its label.

    `has_chart`: a sparkline beside what was seen. `has_reach`: also how far the data reach. Of a source that
    stopped nobody knows what there was to be seen, and of what is over nobody asks how sure it was.
    """
    evidence = notice.alert.latest.evidence
    place_and_time = {
        language.gettext("Where"): _where(notice.alert, language),
        language.gettext("Since"): notice.since,
        **({language.gettext("Data up to"): notice.as_of} if has_reach else {}),
    }
    if evidence.source:
        return place_and_time
    is_over = notice.alert.state is State.RESOLVED
    sure = {} if is_over else {language.gettext("How sure"): sureness(evidence.p_value, language)}
    seen = language.number(evidence.observed)
    likely = language.gettext(
        "{expected} ({lower} to {upper})",
        expected=expected(evidence.expected, language),
        **normal(evidence, language),
    )
    return {
        language.gettext("Seen"): f"{seen}  {sparkline(evidence.recent)}" if has_chart else seen,
        language.gettext("Expected"): likely,
        **place_and_time,
        **sure,
    }


def _where(alert: Alert, language: Language) -> str:
    """Return where it is; of a source with many sectors, those without data, or all where they are back."""
    if len(alert.parts) < 2:
        return place(alert.sector)
    dead = [part.sector for part in alert.parts if not part.sends]
    return places(dead or [part.sector for part in alert.parts], language, most=3)


def foot(alert: Alert, language: Language = ENGLISH) -> str:
    """Return the last line of a message: what an alert is filed under."""
    return language.gettext(
        "{severity} · {border} · alert {alert}",
        severity=language.gettext(SEVERITIES[alert.severity]),
        border=alert.border or language.gettext("no border"),
        alert=alert.alert_id[:8],
    )


def taken(alert: Alert, language: Language = ENGLISH) -> str:
    """Return who acknowledged an alert, and what they found it to be."""
    if alert.assessment is None:
        return language.gettext("{person} takes care of it.", person=alert.acknowledged_by)
    found = language.gettext(ASSESSMENTS[alert.assessment])
    return language.gettext("{person} marked it as {found}.", person=alert.acknowledged_by, found=found)


def sparkline(values: Sequence[float], points: int = 28) -> str:
    """Draw the last values as a line of bars.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    shown = list(values)[-points:]
    top = max(shown, default=0) or 1
    return "".join(
        BARS[min(int(max(value, 0) / top * (len(BARS) - 1) + 0.5), len(BARS) - 1)] for value in shown
    )
