"""The life of an alert, as a table: what state it is in, what is heard, what becomes of it.

                     breach          calm            held            nothing for long
    (none)           open            –               –               –
    pending          confirm         drop            hold            drop
    firing           continue        settle          hold            expire
    resolved         open again      –               –               –

Held is a question that cannot be judged, because its sector is without data: what stands, stands.
`step` is pure. Hearing the same verdicts again, or older ones, changes nothing.
"""

import datetime as dt
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

from alerts.lifecycle.alert import RANK, Alert, Reason, State, alert_id
from alerts.lifecycle.policies import Policy
from streams.contract.verdicts import Verdict


class Signal(Enum):
    """What a verdict (or its absence) means to an alert."""

    BREACH = auto()
    CALM = auto()
    HELD = auto()
    NOTHING = auto()


class Change(NamedTuple):
    """What became of an alert; a reason where people should be told, and which telling of its kind it is."""

    alert: Alert | None
    reason: Reason | None = None
    occasion: str = ""


Move = Callable[[Alert | None, Verdict, Policy], Change]


def step(alert: Alert | None, verdict: Verdict, policy: Policy) -> Change:
    """What becomes of an alert (None: there is none) when a verdict on its question is heard."""
    if alert is not None and _is_stale(alert, verdict):
        return Change(alert)
    heard = Signal.HELD if verdict.held else Signal.BREACH if policy.counts(verdict) else Signal.CALM
    if heard is Signal.CALM and not verdict.closed:
        return Change(alert)  # a period still filling can say that it is too high, not that it is calm
    return TABLE[alert.state if alert else None, heard](alert, verdict, policy)


def expire(alert: Alert, now: dt.datetime, policy: Policy) -> Change:
    """What becomes of an alert when event time has come to `now` without a word on its question."""
    if now - alert.updated < policy.patience(alert.latest.cadence):
        return Change(alert)
    return TABLE[alert.state, Signal.NOTHING](alert, alert.latest, policy)


def press(alert: Alert, now: dt.datetime, policy: Policy) -> Change:
    """What becomes of an alert when people have had until `now` (by the wall) to acknowledge it."""
    waits = policy.unanswered_minutes[alert.unanswered :]
    if (
        alert.state is not State.FIRING
        or alert.told_at is None
        or alert.acknowledged_by
        or RANK[alert.severity] < RANK[policy.unanswered_least]
        or not waits
        or now - alert.told_at < dt.timedelta(minutes=waits[0])
    ):
        return Change(alert)
    number = alert.unanswered + 1
    pressed = alert.model_copy(update={"unanswered": number})
    return Change(pressed, Reason.UNANSWERED, f"{alert.severity}-{number}")


def _is_stale(alert: Alert, verdict: Verdict) -> bool:
    if verdict.verdict_id == alert.latest.verdict_id or verdict.period < alert.latest.period:
        return True
    if verdict.held:
        return verdict.as_of <= alert.updated
    same = verdict.period == alert.latest.period
    return same and (verdict.as_of < alert.latest.as_of or (alert.latest.closed and not verdict.closed))


def _nothing(alert: Alert | None, _: Verdict, __: Policy) -> Change:
    return Change(alert)


def _open(alert: Alert | None, verdict: Verdict, policy: Policy) -> Change:
    if alert is not None and verdict.period <= alert.latest.period:
        return Change(alert)  # the period it was resolved in, judged again
    opened = Alert(
        alert_id=alert_id(verdict.question_key, verdict.period),
        question_key=verdict.question_key,
        question=verdict.question,
        sector=verdict.sector,
        subject=verdict.subject,
        border=verdict.border,
        state=State.PENDING,
        severity=policy.severity(verdict),
        onset=verdict.period,
        updated=verdict.as_of,
        no_data_since=verdict.evidence.no_data_since,
        worst=verdict,
        latest=verdict,
    )
    return _fire(opened, verdict, policy) if _is_sure(opened, verdict, policy) else Change(opened)


def _confirm(alert: Alert | None, verdict: Verdict, policy: Policy) -> Change:
    grown = _hear_breach(_there(alert), verdict, policy)
    return _fire(grown, verdict, policy) if _is_sure(grown, verdict, policy) else Change(grown)


def _continue(alert: Alert | None, verdict: Verdict, policy: Policy) -> Change:
    before = _there(alert)
    grown = _hear_breach(before, verdict, policy)
    if before.told is None:  # it began in a silence
        return _fire(grown, verdict, policy)
    if RANK[grown.severity] > RANK[before.severity]:
        return Change(grown.model_copy(update={"told": verdict.as_of}), Reason.WORSE, grown.severity.value)
    if verdict.closed and verdict.as_of - before.told >= dt.timedelta(days=policy.remind_days):
        number = grown.reminders + 1
        told = grown.model_copy(update={"told": verdict.as_of, "reminders": number})
        return Change(told, Reason.STILL, str(number))
    return Change(grown)


def _settle(alert: Alert | None, verdict: Verdict, policy: Policy) -> Change:
    before = _there(alert)
    news = verdict.period > before.latest.period or before.latest.breach
    calmer = before.model_copy(
        update={
            "latest": verdict,
            "updated": verdict.as_of,
            "calms": before.calms + news,
            "no_data_since": None,
        }
    )
    enough = calmer.calms >= policy.calm_periods(verdict.cadence)
    return _resolve(calmer) if enough else Change(calmer)


def _hold(alert: Alert | None, verdict: Verdict, _: Policy) -> Change:
    since = verdict.evidence.no_data_since
    return Change(_there(alert).model_copy(update={"updated": verdict.as_of, "no_data_since": since}))


def _drop(alert: Alert | None, _: Verdict, __: Policy) -> Change:
    return Change(None)


def _expire(alert: Alert | None, _: Verdict, __: Policy) -> Change:
    return _resolve(_there(alert).model_copy(update={"expired": True}))


def _fire(alert: Alert, verdict: Verdict, _: Policy) -> Change:
    return Change(alert.model_copy(update={"state": State.FIRING, "told": verdict.as_of}), Reason.FIRST)


def _resolve(alert: Alert) -> Change:
    # Who was told that it began is told that it is over; nobody else.
    reason = Reason.RESOLVED if alert.told else None
    return Change(alert.model_copy(update={"state": State.RESOLVED}), reason)


def _is_sure(alert: Alert, verdict: Verdict, policy: Policy) -> bool:
    return alert.breaches >= policy.open_after or verdict.evidence.p_value <= policy.sure_below


def _hear_breach(alert: Alert, verdict: Verdict, policy: Policy) -> Alert:
    severity = max(alert.severity, policy.severity(verdict), key=RANK.__getitem__)
    worse = verdict.evidence.p_value <= alert.worst.evidence.p_value
    return alert.model_copy(
        update={
            "latest": verdict,
            "updated": verdict.as_of,
            "no_data_since": verdict.evidence.no_data_since,
            "severity": severity,
            "worst": verdict if worse else alert.worst,
            "breaches": alert.breaches + (verdict.period > alert.latest.period),
            "calms": 0,
        }
    )


def _there(alert: Alert | None) -> Alert:
    if alert is None:
        raise LookupError("the table sent no alert where there must be one")
    return alert


TABLE: Final[dict[tuple[State | None, Signal], Move]] = {
    (None, Signal.BREACH): _open,
    (None, Signal.CALM): _nothing,
    (None, Signal.HELD): _nothing,
    (State.PENDING, Signal.BREACH): _confirm,
    (State.PENDING, Signal.CALM): _drop,
    (State.PENDING, Signal.HELD): _hold,
    (State.PENDING, Signal.NOTHING): _drop,
    (State.FIRING, Signal.BREACH): _continue,
    (State.FIRING, Signal.CALM): _settle,
    (State.FIRING, Signal.HELD): _hold,
    (State.FIRING, Signal.NOTHING): _expire,
    (State.RESOLVED, Signal.BREACH): _open,
    (State.RESOLVED, Signal.CALM): _nothing,
    (State.RESOLVED, Signal.HELD): _nothing,
    (State.RESOLVED, Signal.NOTHING): _drop,
}
