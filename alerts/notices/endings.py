"""The sentence on the end of an alert: what is so now, and never more than that."""

from typing import Final

from alerts.languages.language import Language, gettext_noop
from alerts.lifecycle.alert import Alert
from alerts.notices.wording import expected, normal
from streams.contract.questions import Question
from streams.contract.verdicts import Verdict

MOVED: Final = 1.3  # times what was expected, from which on the normal itself has moved
RECENT: Final = 7  # periods that are compared, as weekdays differ

BACK: Final = gettext_noop("Back to normal: {observed}, expected {lower} to {upper}.")
NEW_NORMAL: Final = gettext_noop("This is normal by now: {observed}, expected {lower} to {upper}.")
NOT_BACK: Final = gettext_noop(
    "It is found no more, but this is not normal: {observed}, expected {lower} to {upper}."
)


def ending(alert: Alert, language: Language, *, sends_again: bool) -> str:
    """Return the sentence on an alert that is over; `sends_again`: its source does, for all its sectors."""
    verdict = alert.latest
    if alert.expired:
        return language.gettext("Nothing more came about it; whether it is over is not known.")
    if verdict.evidence.source and sends_again:
        return language.gettext("{source} sends again.", source=verdict.evidence.source)
    if verdict.breach:
        return language.gettext("It is over.")  # a newer alert took its place before its end could be sent
    return _found_no_more(alert, verdict, language)


def _found_no_more(alert: Alert, verdict: Verdict, language: Language) -> str:
    evidence = verdict.evidence
    if verdict.question is Question.SILENCE:  # its figures are those of the hours of silence
        return language.gettext("There are data again.")
    if verdict.question is Question.SCAN:  # its figures are those of other sectors
        return language.gettext(
            "No sectors side by side stand out together any more. One with a surge of its own has its own "
            "alert."
        )
    if verdict.question is Question.STRAIN and evidence.capacity:
        return language.gettext(
            "There is room again: {observed}, room for {capacity}.",
            observed=language.number(evidence.observed),
            capacity=language.brief(evidence.capacity),
        )
    if verdict.question is Question.DISPLACEMENT and evidence.expected >= MOVED * evidence.observed:
        return language.gettext(
            "Those who are missing here are found next door no more: {observed} here, expected {expected}.",
            observed=language.number(evidence.observed),
            expected=expected(evidence.expected, language),
        )
    is_inside = evidence.lower <= evidence.observed <= evidence.upper
    is_new = verdict.question is Question.REGIME or _has_moved(alert.worst, verdict)
    return language.gettext(
        (NEW_NORMAL if is_new else BACK) if is_inside else NOT_BACK,
        observed=language.number(evidence.observed),
        **normal(evidence, language),
    )


def _has_moved(worst: Verdict, last: Verdict) -> bool:
    """Return whether what is expected has followed the counts since the worst period."""
    before, now = _normal(worst), _normal(last)
    is_above = worst.evidence.observed > worst.evidence.expected
    return now >= MOVED * before if is_above else before >= MOVED * now


def _normal(verdict: Verdict) -> float:
    """Return what is expected of a period."""
    evidence = verdict.evidence
    recent = evidence.recent_expected[-RECENT:]
    if recent and verdict.question is not Question.MIX:
        return sum(recent) / len(recent)
    return evidence.expected / evidence.window
