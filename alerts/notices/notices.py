"""Notices: what people read in five seconds: what was seen and expected, since when, where from, how sure."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from alerts.lifecycle.alert import Alert, Notice, Reason, State, notice_id
from alerts.lifecycle.policies import deviation
from alerts.notices.wording import place, sparkline, sureness
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Contribution, Question, Verdict

_DAYS_FROM: Final = 48  # hours without data from which on they are shown as days
_SHOWN: Final = 3  # sectors in a headline
_LEAD: Final = {
    Reason.FIRST: "",
    Reason.WORSE: "Worse: ",
    Reason.STILL: "Still: ",
    Reason.UNANSWERED: "Nobody has answered: ",
    Reason.ACKNOWLEDGED: "Taken: ",
    Reason.RESOLVED: "Resolved: ",
}
_UNIT: Final = {Cadence.HOUR: "hours", Cadence.DAY: "days", Cadence.WEEK: "weeks", Cadence.MONTH: "months"}


def word(alert: Alert, reason: Reason, occasion: str) -> Notice:
    """The notice of an alert for a reason; `occasion` tells repeated reasons apart."""
    return Notice(
        notice_id=notice_id(alert.alert_id, reason, occasion),
        alert=alert,
        reason=reason,
        headline=headline(alert, reason),
        text="\n".join(lines(alert, reason)),
    )


def headline(alert: Alert, reason: Reason) -> str:
    """One line: `Worse: Surge at RCMP Quebec: 181 in 1 day, expected 98 (×1.8)`."""
    return f"{_LEAD[reason]}{title(alert)}"[:200]


def title(alert: Alert) -> str:
    """The same without why it is told; of what is over, the worst there was."""
    told = alert.latest if alert.state is not State.RESOLVED else alert.worst
    if alert.question is Question.SILENCE and told.evidence.no_data_since is not None:
        return _no_data(told, told.evidence.no_data_since)
    return f"{alert.question.entry.title}{_where(told)}: {figures(told)}"


def _no_data(verdict: Verdict, since: dt.datetime) -> str:
    """`No data from Tucson for 15 days. Last event 2023-10-29 14:02 UTC. 40 a day were expected.`"""
    hours = max(round((verdict.as_of - since) / dt.timedelta(hours=1)), 1)
    unit, length = ("day", hours // 24) if hours >= _DAYS_FROM else ("hour", hours)
    days = verdict.evidence.window / (24 if verdict.cadence is Cadence.HOUR else 1)
    return (
        f"No data from {place(verdict.sector)} for {length} {unit}{'s' if length > 1 else ''}. "
        f"Last event {since.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC. "
        f"{verdict.evidence.expected / days:.0f} a day were expected."
    )


def lines(alert: Alert, reason: Reason) -> list[str]:
    """The text, a thought a line."""
    evidence = alert.latest.evidence
    if alert.state is State.RESOLVED:
        return [_over(alert), _since(alert), sparkline(evidence.recent)]
    return [
        *_changed(alert, reason),
        f"Expected {evidence.lower:.0f} to {evidence.upper:.0f}; {sureness(evidence.p_value)}.",
        _since(alert),
        *_why(alert),
        sparkline(evidence.recent),
    ]


def details(alert: Alert, reason: Reason) -> list[str]:
    """What the plain figures do not say: what changed, where it comes from, when it was last so."""
    return [_over(alert)] if alert.state is State.RESOLVED else [*_changed(alert, reason), *_why(alert)]


def _where(verdict: Verdict) -> str:
    """Where it is; of people who move, from where to where."""
    here, beside = place(verdict.sector), verdict.evidence.neighbours
    if verdict.question is Question.DISPLACEMENT:
        gained = [place(one.name) for one in beside if one.observed - one.expected >= 1]
        return f" from {here}" + (f" to {' and '.join(gained[:_SHOWN])}" if gained else "")
    if verdict.question is Question.SPILL_OVER and beside:
        return f" from {place(beside[0].name)} at {here}"
    if verdict.question is Question.SCAN and beside:
        more = f" and {len(beside) - _SHOWN} more" if len(beside) > _SHOWN else ""
        return f" at {here}: {', '.join(place(one.name) for one in beside[:_SHOWN])}{more}"
    return f" at {here}"


def figures(verdict: Verdict) -> str:
    """What was seen, where expected what: `181 in 1 day, expected 98 (×1.8)`."""
    evidence = verdict.evidence
    window = _window(verdict)
    if verdict.question is Question.SILENCE:
        return f"nobody in {window}, expected {evidence.expected:.0f}"
    _, ratio = deviation(verdict)
    times = f"×{ratio:.1f}" if evidence.observed >= evidence.expected else f"÷{ratio:.1f}"
    what = (
        f" {evidence.slices[0].name.partition('=')[2]}"
        if verdict.question is Question.MIX and evidence.slices
        else ""
    )
    return f"{evidence.observed:.0f}{what} in {window}, expected {evidence.expected:.0f} ({times})"


def _window(verdict: Verdict) -> str:
    unit, length = _UNIT[verdict.cadence], verdict.evidence.window
    whole = f"{length} {unit if length > 1 else unit[:-1]}"
    return whole if verdict.closed else f"{whole} (not over yet)"


def _changed(alert: Alert, reason: Reason) -> Iterator[str]:
    if reason is Reason.ACKNOWLEDGED:
        yield f"{alert.acknowledged_by} takes care of it."
    elif alert.told_as:
        grade = f"Now {alert.severity}. " if reason is Reason.WORSE else ""
        yield f"{grade}When last told: {alert.told_as}."


def _since(alert: Alert) -> str:
    return f"Since {alert.onset:%Y-%m-%d}, {alert.breaches} {_periods(alert)} in breach."


def _why(alert: Alert) -> Iterator[str]:
    evidence = alert.latest.evidence
    if evidence.slices:
        yield "Most of it: " + ", ".join(map(_share, evidence.slices)) + "."
    if evidence.neighbours:
        yield "Neighbours: " + ", ".join(map(_share, evidence.neighbours)) + "."
    if evidence.record:
        yield "The highest on record here."
    elif evidence.last_as_high is not None:
        yield f"Last so high on {evidence.last_as_high:%Y-%m-%d}."
    if evidence.capacity is not None:
        full = f", full at {evidence.full_at:%H:%M} UTC" if evidence.full_at else ""
        yield f"Capacity {evidence.capacity:.0f} a day{full}."
    if evidence.share_arrived < 1:
        yield f"About {evidence.share_arrived:.0%} of the reports have arrived."
    if evidence.remark:
        yield evidence.remark[0].upper() + evidence.remark[1:] + "."
    yield f"Baseline: {evidence.baseline}."


def _periods(alert: Alert) -> str:
    unit = _UNIT[alert.latest.cadence]
    return unit if alert.breaches > 1 else unit[:-1]


def _over(alert: Alert) -> str:
    if alert.expired:
        return "Nothing more was heard of it."
    evidence = alert.latest.evidence
    return f"Back to normal: {evidence.observed:.0f}, expected {evidence.expected:.0f}."


def _share(part: Contribution) -> str:
    return f"{part.name.replace('=', ' ')} {part.observed:.0f} (usually {part.expected:.0f})"
