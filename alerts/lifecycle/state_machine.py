"""The life of an alert, as a table: its state, what a verdict means to it, and what becomes of it.

                     breach          in doubt        calm            held            nothing for long
    (none)           open            –               –               –               –
    pending          confirm         drop            drop            hold            drop
    firing           continue        linger          settle          hold            expire
    resolved         open again      –               –               –               –

In doubt is a period that would raise no alert, but is too far from normal to show that one is over: what was
found lasts. Held is a question that cannot be judged, because its sector is without data: what stands,
stands. `step` is pure. Applying the same verdicts again, or older ones, changes nothing. Who is notified of
what is no part of it: see `alerts.notices.reconciliation`.
"""

import datetime as dt
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from alerts.lifecycle.alert import RANK, Alert, State, alert_id
from alerts.lifecycle.policies import Policy
from streams.contract.verdicts import Verdict


class Signal(Enum):
    """What a verdict (or its absence) means to an alert."""

    BREACH = auto()
    IN_DOUBT = auto()
    CALM = auto()
    HELD = auto()
    NOTHING = auto()


Move = Callable[[Alert | None, Verdict, Policy, dt.datetime], Alert | None]


def step(alert: Alert | None, verdict: Verdict, policy: Policy, *, at: dt.datetime) -> Alert | None:
    """Return what becomes of an alert (None: there is none) by a verdict published at `at`."""
    if alert is not None and _is_stale(alert, verdict):
        return alert
    signal = _signal(alert, verdict, policy)
    if signal in (Signal.CALM, Signal.IN_DOUBT) and not verdict.closed:
        return alert  # a period still filling can show that it is too high, not that it is calm
    return TABLE[alert.state if alert else None, signal](alert, verdict, policy, at)


def _signal(alert: Alert | None, verdict: Verdict, policy: Policy) -> Signal:
    if verdict.held:
        return Signal.HELD
    if policy.counts(verdict):
        return Signal.BREACH
    is_in_doubt = alert is not None and policy.leaves_in_doubt(verdict, alert.worst)
    return Signal.IN_DOUBT if is_in_doubt else Signal.CALM


def expire(alert: Alert, event_time: dt.datetime, policy: Policy) -> Alert | None:
    """Return what becomes of an alert once event time has reached `event_time` without a verdict on it."""
    if _is_over(alert, event_time, policy):
        return alert.model_copy(update={"state": State.RESOLVED})
    if event_time - alert.updated < policy.expires_after(alert.latest.cadence):
        return alert
    return TABLE[alert.state, Signal.NOTHING](alert, alert.latest, policy, event_time)


def expire_by_clock(alert: Alert, now: dt.datetime, policy: Policy) -> Alert | None:
    """Return what becomes of an alert once processing time has reached `now`.

    Only an alert of now expires by the clock. One that was raised when it would have been over already comes
    from a history that is being read: what the log holds next is as old, and decides. A pending alert waits
    for it as well.
    """
    raised_at = alert.raised_at
    if raised_at is None or raised_at - alert.updated >= policy.expires_after(alert.latest.cadence):
        return alert
    return expire(alert, now, policy)


def _is_stale(alert: Alert, verdict: Verdict) -> bool:
    if verdict.verdict_id == alert.latest.verdict_id or verdict.period < alert.latest.period:
        return True
    if verdict.held:
        return verdict.as_of <= alert.updated
    same = verdict.period == alert.latest.period
    return same and (verdict.as_of < alert.latest.as_of or (alert.latest.closed and not verdict.closed))


def _is_over(alert: Alert, event_time: dt.datetime, policy: Policy) -> bool:
    """Return whether an alert has been calm for long enough: longer where it recurs, so it does not flap."""
    if alert.state is not State.FIRING or alert.calm_since is None:
        return False
    waits = policy.keep_firing if alert.recurrences else dt.timedelta(0)
    return alert.calms >= policy.calm_periods(alert.latest) and event_time - alert.calm_since >= waits


def _nothing(alert: Alert | None, _: Verdict, __: Policy, ___: dt.datetime) -> Alert | None:
    return alert


def _open(alert: Alert | None, verdict: Verdict, policy: Policy, at: dt.datetime) -> Alert | None:
    if alert is not None and verdict.period <= alert.latest.period:
        return alert  # the period it was resolved in, judged again
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
        recurrences=_recurrences(alert, verdict, policy),
    )
    return _fire_if_certain(opened, policy, at)


def _recurrences(over: Alert | None, verdict: Verdict, policy: Policy) -> int:
    if over is None or verdict.as_of - over.updated >= policy.keep_firing:
        return 0
    return over.recurrences + 1


def _confirm(alert: Alert | None, verdict: Verdict, policy: Policy, at: dt.datetime) -> Alert | None:
    return _fire_if_certain(_add_breach(_present(alert), verdict, policy), policy, at)


def _continue(alert: Alert | None, verdict: Verdict, policy: Policy, at: dt.datetime) -> Alert | None:
    before = _present(alert)
    grown = _add_breach(before, verdict, policy)
    if RANK[grown.severity] == RANK[before.severity]:
        return grown
    return grown.model_copy(update={"raised_at": at, "rises": grown.rises + 1})


def _settle(alert: Alert | None, verdict: Verdict, policy: Policy, _: dt.datetime) -> Alert | None:
    before = _present(alert)
    is_new = verdict.period > before.latest.period or before.latest.breach
    calmer = before.model_copy(
        update={
            "latest": verdict,
            "updated": verdict.as_of,
            "calms": before.calms + is_new,
            "calm_since": before.calm_since or verdict.as_of,
            "no_data_since": None,
        }
    )
    is_over = _is_over(calmer, verdict.as_of, policy)
    return calmer.model_copy(update={"state": State.RESOLVED}) if is_over else calmer


def _linger(alert: Alert | None, verdict: Verdict, _: Policy, __: dt.datetime) -> Alert | None:
    update = {
        "latest": verdict,
        "updated": verdict.as_of,
        "no_data_since": None,
        "calms": 0,
        "calm_since": None,
    }
    return _present(alert).model_copy(update=update)


def _hold(alert: Alert | None, verdict: Verdict, _: Policy, __: dt.datetime) -> Alert | None:
    since = verdict.evidence.no_data_since
    return _present(alert).model_copy(update={"updated": verdict.as_of, "no_data_since": since})


def _drop(_: Alert | None, __: Verdict, ___: Policy, ____: dt.datetime) -> Alert | None:
    return None


def _expire(alert: Alert | None, _: Verdict, __: Policy, ___: dt.datetime) -> Alert | None:
    return _present(alert).model_copy(update={"state": State.RESOLVED, "expired": True})


def _fire_if_certain(alert: Alert, policy: Policy, at: dt.datetime) -> Alert:
    is_certain = alert.breaches >= policy.open_after or alert.latest.evidence.p_value <= policy.sure_below
    return alert.model_copy(update={"state": State.FIRING, "raised_at": at}) if is_certain else alert


def _add_breach(alert: Alert, verdict: Verdict, policy: Policy) -> Alert:
    severity = max(alert.severity, policy.severity(verdict), key=RANK.__getitem__)
    is_worst = verdict.evidence.p_value <= alert.worst.evidence.p_value
    return alert.model_copy(
        update={
            "latest": verdict,
            "updated": verdict.as_of,
            "no_data_since": verdict.evidence.no_data_since,
            "severity": severity,
            "worst": verdict if is_worst else alert.worst,
            "breaches": alert.breaches + (verdict.period > alert.latest.period),
            "calms": 0,
            "calm_since": None,
        }
    )


def _present(alert: Alert | None) -> Alert:
    if alert is None:
        raise LookupError("the table gave no alert where there must be one")
    return alert


TABLE: Final[dict[tuple[State | None, Signal], Move]] = {
    (None, Signal.BREACH): _open,
    (None, Signal.IN_DOUBT): _nothing,
    (None, Signal.CALM): _nothing,
    (None, Signal.HELD): _nothing,
    (State.PENDING, Signal.BREACH): _confirm,
    (State.PENDING, Signal.IN_DOUBT): _drop,
    (State.PENDING, Signal.CALM): _drop,
    (State.PENDING, Signal.HELD): _hold,
    (State.PENDING, Signal.NOTHING): _drop,
    (State.FIRING, Signal.BREACH): _continue,
    (State.FIRING, Signal.IN_DOUBT): _linger,
    (State.FIRING, Signal.CALM): _settle,
    (State.FIRING, Signal.HELD): _hold,
    (State.FIRING, Signal.NOTHING): _expire,
    (State.RESOLVED, Signal.BREACH): _open,
    (State.RESOLVED, Signal.IN_DOUBT): _nothing,
    (State.RESOLVED, Signal.CALM): _nothing,
    (State.RESOLVED, Signal.HELD): _nothing,
    (State.RESOLVED, Signal.NOTHING): _drop,
}
