"""What a sink should know of an alert, less what it was last notified of, is the next message.

                        what the sink knows
    the alert           nothing        open                                    closed
    fires               first          worse, unanswered, acknowledged, still  first (a route came back)
    is over, forgotten  –              resolved                                –
    leads elsewhere     –              resolved (handed over)                  –

A silence, or quiet hours, hold back everything but `resolved`. When they end, the difference is what stands.
A sink that edits its messages is besides sent `updated`, also then: nobody is notified of an edit. One that
is shown a source as one alert is sent `updated` when further sectors are without data.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from alerts.lifecycle.alert import MOST_PARTS, RANK, Alert, Reason, Severity, State, notice_id
from alerts.lifecycle.policies import Policy
from alerts.notices.batches import Limits
from alerts.notices.controls_in_force import Attention
from alerts.notices.messages import Message, View, annotated, numbered, people


def difference(
    alert: Alert | None,
    view: View | None,
    attention: Attention,
    *,
    policy: Policy,
    now: float,
    limits: Limits,
    given_up: tuple[str, ...] = (),
) -> Message | None:
    """Return the next message about an alert (None: it is forgotten) to a sink that has this view of it.

    `given_up` are the ids of messages that the sink refused; they are not tried again. `limits`: how it takes
    messages. `now` is processing time in epoch seconds.
    """
    candidates = _candidates(alert, view, attention, policy=policy, now=now, limits=limits)
    return next((one for one in candidates if one.notice_id not in given_up), None)


class Firing(NamedTuple):
    """An alert that fires, as a sink is to see it."""

    alert: Alert
    view: View | None  # None: the sink knows nothing of it
    attention: Attention
    policy: Policy
    escalations: int
    acknowledges: bool  # the sink is sent an acknowledgement by itself; else it may be in the first message

    def has_risen(self) -> bool:
        """Return whether it is more severe than the sink knows."""
        if self.view is None or not self.view.open:
            return self.alert.rises > 0
        return RANK[self.alert.severity] > RANK[self.view.severity]

    def is_worse(self) -> bool:
        """Return whether it is more severe than the sink knows, or is critical and has grown far beyond that.

        Of what cannot become more severe, the severity no longer shows how large it is.
        """
        latest, view = self.alert.latest, self.view
        if self.has_risen() or view is None or not view.open or self.alert.severity is not Severity.CRITICAL:
            return self.has_risen()
        is_excess = latest.breach and latest.question.entry.side > 0
        return is_excess and people(latest) >= self.policy.worse_times * max(view.most_people, 1.0)

    @property
    def rise(self) -> str:
        """What distinguishes one rise from another: the severity, or, where that is known, the size."""
        if self.has_risen():
            return self.alert.severity.value
        return f"{self.alert.severity}-{magnitude(people(self.alert.latest), self.policy.worse_times)}"

    def is_unanswered(self) -> bool:
        """Return whether another wait has passed without an acknowledgement, or the one it knows is over."""
        view, since = self.view, self.attention.unattended_since
        if view is None or not view.open:
            return self.escalations > 0
        is_known = view.unattended_since >= since
        is_left = bool(view.acknowledged_by and not self.attention.acknowledged_by)
        return is_left or self.escalations > (view.escalations if is_known else 0)

    def is_newly_acknowledged(self) -> bool:
        """Return whether somebody takes care of it, or found what it is, and the sink does not know."""
        by, assessment = self.attention.acknowledged_by, self.attention.assessment
        known = (self.view.acknowledged_by, self.view.assessment) if self.view else ("", None)
        return by != "" and (by, assessment) != known

    def needs_reminder(self) -> bool:
        """Return whether its newest closed breach is `remind_days` of event time after the last message."""
        if self.view is None or self.attention.acknowledged_by:
            return False
        since = self.alert.updated - self.view.alert.updated
        is_breach = self.alert.latest.closed and self.alert.calms == 0
        return is_breach and since >= dt.timedelta(days=self.policy.remind_days)


# In the order in which they are sent, where several apply.
CHANGES: Final[dict[Reason, Callable[[Firing], bool]]] = {
    Reason.WORSE: Firing.is_worse,
    Reason.UNANSWERED: Firing.is_unanswered,
    Reason.ACKNOWLEDGED: Firing.is_newly_acknowledged,
    Reason.STILL: Firing.needs_reminder,
}
OPENINGS: Final[dict[Reason, Callable[[Firing], bool]]] = {
    Reason.FIRST: lambda _: True,
    Reason.WORSE: Firing.has_risen,
    Reason.UNANSWERED: Firing.is_unanswered,
}


def _candidates(
    alert: Alert | None,
    view: View | None,
    attention: Attention,
    *,
    policy: Policy,
    now: float,
    limits: Limits,
) -> Iterator[Message]:
    is_open = view is not None and view.open
    if alert is None or alert.state is not State.FIRING or not attention.covered:
        if view is not None and is_open:
            yield _close(alert, view)
        return
    if attention.admitted:
        due = escalations_due(alert, attention, policy, now=now)
        firing = Firing(alert, view, attention, policy, due, limits.acknowledges)
        for reason, applies in (CHANGES if is_open else OPENINGS).items():
            if reason in attention.admitted and applies(firing):
                yield _change(firing, reason) if is_open else _open(firing, reason)
    if view is not None and is_open and (limits.edits or (attention.admitted and _has_grown(alert, view))):
        yield from _update(alert, view, attention)


def magnitude(number: float, times: float) -> int:
    """Return how often a number can be divided by `times` until it is below that.

    It is reckoned by multiplication, which every machine does alike, as it is a part of ids.
    """
    reached, power = 0, times
    while power <= number:
        reached, power = reached + 1, power * times
    return reached


def escalations_due(alert: Alert, attention: Attention, policy: Policy, *, now: float) -> int:
    """Return how many of the policy's waits have passed since people could have acknowledged the alert.

    An acknowledgement that expired is the first of them.
    """
    if (
        alert.raised_at is None
        or alert.calms > 0  # it is ending, or its source sends again
        or attention.acknowledged_by
        or RANK[alert.severity] < RANK[policy.unanswered_least]
    ):
        return 0
    expired = attention.unattended_since
    waited = now - max(alert.raised_at.timestamp(), attention.unsilenced_at, expired)
    return sum(waited >= 60 * minutes for minutes in policy.unanswered_minutes) + (expired > 0)


def _close(alert: Alert | None, view: View) -> Message:
    """It is over, unless it fires still: then routes lead it elsewhere."""
    is_firing = alert is not None and alert.state is State.FIRING
    last = alert or view.alert
    if not is_firing:
        last = last.model_copy(update={"state": State.RESOLVED})
    return Message(
        reason=Reason.RESOLVED,
        occasion=numbered("", view.openings),
        handed_over=is_firing,
        before=view.alert,
        view=view.model_copy(update={"alert": last, "open": False}),
    )


def _open(firing: Firing, reason: Reason) -> Message:
    alert, view = firing.alert, firing.view
    openings = view.openings + 1 if view else 1
    admitted = firing.attention.admitted
    opened = View(
        alert=alert,
        severity=alert.severity,
        highest=people(alert.latest),
        openings=openings,
        escalations=firing.escalations,
        unattended_since=firing.attention.unattended_since,
        reference=view.reference if view else "",
        **_silence(firing.attention),
    )
    if firing.attention.acknowledged_by and not firing.acknowledges and Reason.ACKNOWLEDGED in admitted:
        opened = opened.model_copy(update={**_taken(firing.attention), "acknowledgements": 1})
    message = Message(reason=reason, occasion=_occasion(firing, reason, opened), view=opened)
    return _showing(message)


def _change(firing: Firing, reason: Reason) -> Message:
    view = firing.view
    if view is None:
        raise LookupError("there is no view to change")
    since = max(view.unattended_since, firing.attention.unattended_since)
    counted = {"escalations": firing.escalations, "unattended_since": since}
    risen = {"severity": firing.alert.severity, **counted} if firing.has_risen() else {}
    changes: dict[Reason, dict[str, object]] = {
        Reason.WORSE: risen,
        Reason.UNANSWERED: {"acknowledged_by": "", "assessment": None, **counted},
        Reason.ACKNOWLEDGED: {
            **_taken(firing.attention),
            "acknowledgements": view.acknowledgements + 1,
        },
        Reason.STILL: {"reminders": view.reminders + 1},
    }
    highest = max(view.most_people, people(firing.alert.latest))
    update = {"alert": firing.alert, "highest": highest, **_silence(firing.attention), **changes[reason]}
    changed = view.model_copy(update=update)
    occasion = _occasion(firing, reason, changed)
    return _showing(Message(reason=reason, occasion=occasion, before=view.alert, view=changed))


def _showing(message: Message) -> Message:
    """Return a message whose view holds what it shows."""
    shown = message.view.model_copy(update={"shown": _shown(message.alert)})
    return message.model_copy(update={"view": shown})


def _update(alert: Alert, view: View, attention: Attention) -> Iterator[Message]:
    """Show the newest figures and annotations, where the sink's message shows others."""
    newer = annotated(alert, attention)
    shown = _shown(newer)
    if shown != view.shown:
        occasion = numbered(shown, view.openings)
        last = view.alert.model_copy(update={"parts": newer.parts})
        updated = view.model_copy(update={"shown": shown, "alert": last})
        yield Message(reason=Reason.UPDATED, occasion=occasion, newer=newer, view=updated)


def _has_grown(alert: Alert, view: View) -> bool:
    """Return whether a source has no data for sectors that the sink was not shown, and can be."""
    known = {view.alert.sector, *(part.sector for part in view.alert.parts)}
    is_full = len(view.alert.parts) == MOST_PARTS
    return not is_full and any(not part.sends and part.sector not in known for part in alert.parts)


def _shown(alert: Alert) -> str:
    """Return what distinguishes two appearances of one alert."""
    annotations = alert.acknowledged_by, alert.assessment or "", alert.silenced_by
    return "/".join((_figures(alert), alert.severity, *annotations))


def _figures(alert: Alert) -> str:
    """Return what distinguishes two sets of figures: the verdict, or which sectors of a source are dead."""
    if len(alert.parts) < 2:
        return alert.latest.verdict_id
    return notice_id(
        alert.alert_id, Reason.UPDATED, " ".join(f"{one.alert_id}{one.sends}" for one in alert.parts)
    )


def _taken(attention: Attention) -> dict[str, Any]:
    return {"acknowledged_by": attention.acknowledged_by, "assessment": attention.assessment}


def _silence(attention: Attention) -> dict[str, Any]:
    return {"silenced_by": attention.silenced_by, "silenced_until": attention.silenced_until}


def _occasion(firing: Firing, reason: Reason, view: View) -> str:
    is_again = view.unattended_since or view.acknowledgements
    again = f"-{view.unattended_since:.0f}-{view.acknowledgements}" if is_again else ""
    known = {
        Reason.WORSE: firing.rise,
        Reason.UNANSWERED: f"{view.alert.severity}-{view.escalations}{again}",
        Reason.ACKNOWLEDGED: f"{view.acknowledged_by}-{view.acknowledgements}",
        Reason.STILL: str(view.reminders),
    }
    return numbered(known.get(reason, ""), view.openings)
