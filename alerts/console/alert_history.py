"""The history of one alert: what was sent to whom and when, and who did what about it.

It is read when it is asked for, from the topic `notices`, which every alerts worker can read and which keeps
400 days. Each record there has the alert as it was then, so an alert that is long forgotten has its page, as
long as it was sent to anybody.
"""

import datetime as dt
from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, Reason, Severity, State
from alerts.notices.effects import effect
from streams.contract.controls import Control


class Sent(BaseModel):
    """A notice that a sink has taken."""

    at: AwareDatetime
    sink: str
    notice_id: str
    reason: Reason
    state: State
    severity: Severity
    headline: str
    details: str
    acknowledged_by: str


class Deed(BaseModel):
    """What somebody has set about it: an acknowledgement, or a silence over it."""

    key: str
    by: str
    at: AwareDatetime
    reason: str
    effect: str


class AlertHistory(BaseModel):
    """One alert from its beginning: as it was last seen, what was sent, and who did what; oldest first."""

    alert: Alert
    sent: list[Sent]
    deeds: list[Deed]


class DeliveredNotice(BaseModel):
    """A record of `notices`: a notice, which sink took it, and when."""

    sink: str
    at: AwareDatetime
    notice: Notice


def last_seen(current: Alert | None, taken: Sequence[DeliveredNotice]) -> Alert | None:
    """Return an alert as it is, or as it was when it was last sent; None where nothing is known of it."""
    return current or max((one.notice.alert for one in taken), key=lambda one: one.updated, default=None)


def ended_at(current: Alert | None, taken: Sequence[DeliveredNotice]) -> dt.datetime | None:
    """Return when an alert that is over was last sent; None while it stands."""
    stands = current is not None and current.state is not State.RESOLVED
    return None if stands else max((one.at for one in taken), default=None)


def alert_history(
    alert: Alert, taken: Sequence[DeliveredNotice], controls: Sequence[Control], language: Language = ENGLISH
) -> AlertHistory:
    """Return the history of an alert; `controls`: those that concern it."""
    return AlertHistory(
        alert=alert,
        sent=[_sent(one) for one in sorted(taken, key=lambda one: one.at)],
        deeds=sorted((_deed(one, language) for one in controls), key=lambda one: one.at),
    )


def _sent(taken: DeliveredNotice) -> Sent:
    notice = taken.notice
    return Sent(
        at=taken.at,
        sink=taken.sink,
        notice_id=notice.notice_id,
        reason=notice.reason,
        state=State.RESOLVED if notice.reason is Reason.RESOLVED else notice.alert.state,
        severity=notice.alert.severity,
        headline=notice.headline,
        details=notice.details,
        acknowledged_by=notice.alert.acknowledged_by,
    )


def _deed(control: Control, language: Language) -> Deed:
    return Deed(
        key=control.key, by=control.by, at=control.at, reason=control.reason, effect=effect(control, language)
    )
