"""A test alert, which a person sends to find out whether a sink reaches anybody."""

import datetime as dt

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, Reason, Severity, State, alert_id, notice_id
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Evidence, Question, Verdict


def trial_notices(now: dt.datetime, language: Language = ENGLISH) -> tuple[Notice, Notice]:
    """Return a notice that opens a test alert, and the one that resolves it."""
    alert = _alert(now)
    over = alert.model_copy(update={"state": State.RESOLVED})
    opened = language.gettext("Test page from Surgewatch")
    closed = language.gettext("Resolved: test page from Surgewatch")
    return (
        _notice(alert, Reason.FIRST, opened, language),
        _notice(over, Reason.RESOLVED, closed, language),
    )


def _alert(now: dt.datetime) -> Alert:
    verdict = _verdict(now)
    return Alert(
        alert_id=alert_id(verdict.question_key, now),
        question_key=verdict.question_key,
        question=verdict.question,
        sector=verdict.sector,
        state=State.FIRING,
        severity=Severity.CRITICAL,
        onset=now,
        updated=now,
        raised_at=now,
        worst=verdict,
        latest=verdict,
    )


def _verdict(now: dt.datetime) -> Verdict:
    evidence = Evidence(observed=2, expected=1, lower=0, upper=3, p_value=1, alpha=1, baseline="none: a test")
    return Verdict.of(
        question=Question.SURGE,
        sector="test",
        cadence=Cadence.DAY,
        period=now,
        as_of=now,
        closed=True,
        breach=True,
        evidence=evidence,
    )


def _notice(alert: Alert, reason: Reason, headline: str, language: Language) -> Notice:
    label = language.gettext("[TEST]") + " "
    text = language.gettext("This is a test of Surgewatch. Nothing has happened, and there is nothing to do.")
    return Notice(
        notice_id=notice_id(alert.alert_id, reason, "test"),
        alert=alert,
        reason=reason,
        headline=label + headline,
        label=label,
        text=text,
        details=text,
        since=f"{language.minute(alert.onset)} UTC",
        as_of=f"{language.minute(alert.updated)} UTC",
    )
