"""Titles: one line on what an alert is about, where, and its figures."""

import datetime as dt
from typing import Final, NamedTuple

from alerts.languages.language import ENGLISH, Language, gettext_noop
from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import deviation
from alerts.notices.wording import beyond, expected, group, length, place, places, question_title
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Question, Verdict

SHOWN: Final = 3  # sectors in a title
DAYS_FROM: Final = 48  # hours without data from which on they are shown as days

LAST_HEARTBEAT: Final = gettext_noop("Last heartbeat {time} UTC.")


class Last(NamedTuple):
    """The messages on what came last, and on what was expected."""

    came: str
    expected: str


LAST_EVENT: Final = Last(
    gettext_noop("Last event {time} UTC."), gettext_noop("{expected} a day were expected.")
)
LAST_TALLY: Final = {
    Cadence.WEEK: Last(
        gettext_noop("Last tally up to {time} UTC."), gettext_noop("{expected} a week were expected.")
    ),
    Cadence.MONTH: Last(
        gettext_noop("Last tally up to {time} UTC."), gettext_noop("{expected} a month were expected.")
    ),
}


class Title(NamedTuple):
    """What it is and where, and its figures; without figures where the name has them."""

    name: str
    figures: str = ""


def title(alert: Alert, language: Language = ENGLISH) -> str:
    """Return the title: `Surge at RCMP Quebec: 181 in 1 day, expected 98 (×1.8)`."""
    name, shown = parts(alert, language)
    return language.gettext("{name}: {figures}", name=name, figures=shown) if shown else name


def parts(alert: Alert, language: Language = ENGLISH) -> Title:
    """Return the title in its parts; of an alert that is over, at its worst.

    So is a silence that has ended, while its alert stays open in case it comes again.
    """
    if len(alert.parts) > 1:
        return Title(_of_parts(alert, language))
    is_over = alert.state is State.RESOLVED
    has_ended = alert.question is Question.SILENCE and not alert.latest.breach
    verdict = alert.worst if is_over or has_ended else alert.latest
    if alert.question is Question.STRAIN and verdict.evidence.capacity:
        return _capacity(verdict, verdict.evidence.capacity, language, is_over=is_over)
    if alert.question is Question.SILENCE and verdict.evidence.no_data_since is not None:
        if alert.recurrences and not is_over:
            return Title(_unsteady(verdict, language))
        return Title(_no_data(verdict, verdict.evidence.no_data_since, language))
    return Title(_name(verdict, language), figures(verdict, language, is_over=is_over))


def figures(verdict: Verdict, language: Language = ENGLISH, *, is_over: bool = False) -> str:
    """Return what was seen and expected: `181 in 1 day, expected 98 (×1.8)`; `is_over`: the alert is."""
    evidence, window = verdict.evidence, _window(verdict, language, is_over=is_over)
    likely = expected(evidence.expected, language)
    if verdict.question is Question.SILENCE:
        return language.gettext("nobody in {window}, expected {expected}", window=window, expected=likely)
    is_mix = verdict.question is Question.MIX and evidence.slices
    kind = f" {group(evidence.slices[0].name, language)}" if is_mix else ""
    observed = language.number(evidence.observed) + kind
    if not evidence.observed or not round(evidence.expected):  # no times of nobody
        return language.gettext(
            "{observed} in {window}, expected {expected}",
            observed=observed,
            window=window,
            expected=likely,
        )
    _, ratio = deviation(verdict)
    sign = "×" if evidence.observed >= evidence.expected else "÷"
    return language.gettext(
        "{observed} in {window}, expected {expected} ({times})",
        observed=observed,
        window=window,
        expected=likely,
        times=sign + language.number(ratio, 1),
    )


def _name(verdict: Verdict, language: Language) -> str:
    """Return what it is and where; of people who move, from where to where."""
    what, others = question_title(verdict.question, language), verdict.evidence.neighbours
    here = place(verdict.sector)
    if verdict.question is Question.DISPLACEMENT:
        gained = [place(one.name) for one in others if one.observed - one.expected >= 1][:SHOWN]
        if not gained:
            return language.gettext("{question} from {place}", question=what, place=here)
        return language.gettext(
            "{question} from {place} to {others}",
            question=what,
            place=here,
            others=language.listing(gained),
        )
    if verdict.question is Question.SPILL_OVER and others:
        source = place(others[0].name)
        return language.gettext(
            "{question} from {source} at {place}", question=what, source=source, place=here
        )
    name = language.gettext("{question} at {place}", question=what, place=here)
    if verdict.question is Question.SCAN and others:
        sectors = places([one.name for one in others], language, most=SHOWN)
        return language.gettext("{name}: {figures}", name=name, figures=sectors)
    return name


def _window(verdict: Verdict, language: Language, *, is_over: bool) -> str:
    whole = length(verdict.evidence.window, verdict.cadence, language)
    return whole if verdict.is_whole or is_over else language.gettext("{window} (not over yet)", window=whole)


def source_title(source: str, sectors: int, language: Language, *, sends: bool) -> str:
    """Return the title of a source that stopped, or sends again, for many sectors."""
    shown = language.number(sectors) + beyond(sectors)
    if sends:
        return language.ngettext(
            "{source} sends again, for {n} sector",
            "{source} sends again, for {n} sectors",
            sectors,
            shown=shown,
            source=source,
        )
    return language.ngettext(
        "No data from {source} for {n} sector",
        "No data from {source} for {n} sectors",
        sectors,
        shown=shown,
        source=source,
    )


def _of_parts(alert: Alert, language: Language) -> str:
    dead = [part for part in alert.parts if not part.sends]
    source = alert.latest.evidence.source
    return source_title(source, len(dead or alert.parts), language, sends=not dead)


def _unsteady(verdict: Verdict, language: Language) -> str:
    """Return the title of a silence that came again soon after its end, until it is calm for long."""
    source, here = verdict.evidence.source, place(verdict.sector)
    if source:
        return language.gettext("Data from {source} at {place} come and go", source=source, place=here)
    return language.gettext("Data from {place} come and go", place=here)


def _no_data(verdict: Verdict, since: dt.datetime, language: Language) -> str:
    """`No data from Tucson for 15 days. Last event 2023-10-29 14:02 UTC. 40 a day were expected.`

    Of a source: `No data from customs-a at Tucson for 3 hours. Last heartbeat ...`
    """
    return " ".join((_silent(verdict, since, language), *_before(verdict, since, language)))


def _silent(verdict: Verdict, since: dt.datetime, language: Language) -> str:
    hours = max(round((verdict.as_of - since) / dt.timedelta(hours=1)), 1)
    is_long = hours >= DAYS_FROM
    silent = length(hours // 24 if is_long else hours, Cadence.DAY if is_long else Cadence.HOUR, language)
    values = {"place": place(verdict.sector), "length": silent}
    if source := verdict.evidence.source:
        return language.gettext("No data from {source} at {place} for {length}.", source=source, **values)
    return language.gettext("No data from {place} for {length}.", **values)


def _before(verdict: Verdict, since: dt.datetime, language: Language) -> tuple[str, str]:
    """Return what came last, and what was expected."""
    evidence, cadence = verdict.evidence, verdict.cadence
    last = LAST_TALLY.get(cadence, LAST_EVENT)
    windows = evidence.window / (24 if cadence is Cadence.HOUR else 1)
    time = language.minute(since.astimezone(dt.UTC))
    return (
        language.gettext(LAST_HEARTBEAT if evidence.source else last.came, time=time),
        language.gettext(last.expected, expected=expected(evidence.expected / windows, language)),
    )


def _capacity(verdict: Verdict, room: float, language: Language, *, is_over: bool) -> Title:
    """`Swanton is over capacity: 31 people today, room for 8 (3.9 times).`"""
    here, observed = place(verdict.sector), verdict.evidence.observed
    is_full = observed > room
    if is_over:
        name = (
            language.gettext("{place} was over capacity", place=here)
            if is_full
            else language.gettext("{place} was near capacity", place=here)
        )
    else:
        name = (
            language.gettext("{place} is over capacity", place=here)
            if is_full
            else language.gettext("{place} is near capacity", place=here)
        )
    is_today = not is_over and verdict.cadence is Cadence.DAY
    window = _window(verdict, language, is_over=is_over)
    values = {
        "people": language.ngettext("{n} person", "{n} people", round(observed)),
        "when": language.gettext("today") if is_today else language.gettext("in {window}", window=window),
        "room": language.brief(room),
    }
    if not is_full:
        return Title(name, language.gettext("{people} {when}, room for {room}.", **values))
    ratio = language.number(observed / room, 1)
    return Title(
        name, language.gettext("{people} {when}, room for {room} ({ratio} times).", **values, ratio=ratio)
    )
