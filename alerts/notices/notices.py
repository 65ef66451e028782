"""Notices: what people read in five seconds. What was seen and expected, since when, where, how sure."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from alerts.lifecycle.alert import Alert, Notice, Reason, State
from alerts.lifecycle.policies import deviation
from alerts.notices.backlog import Summary
from alerts.notices.reconciliation import Message, View
from alerts.notices.wording import HANDED_OVER, LEADS, UNITS, clock, place, sparkline, sureness, taken
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict

SHOWN: Final = 3  # sectors in a headline
HEADLINE: Final = 200  # characters
DAYS_FROM: Final = 48  # hours without data from which on they are shown as days


def compose(message: Message, registry: Registry) -> Notice:
    """Write the notice of a message."""
    alert = message.alert
    return Notice(
        notice_id=message.notice_id,
        alert=alert,
        reason=message.reason,
        headline=headline(alert, message.reason, handed_over=message.handed_over),
        text="\n".join(_lines(alert, message, registry)),
        details="\n".join(_details(alert, message)),
        since=clock(alert.onset, alert.sector, registry),
        as_of=clock(alert.updated, alert.sector, registry),
        produced_at=alert.produced_at,
    )


def describe(alert: Alert, registry: Registry) -> Notice:
    """Write the notice of an alert as it stands, for receivers that want it again and again."""
    return compose(Message(reason=Reason.FIRST, view=View(alert=alert, severity=alert.severity)), registry)


def headline(alert: Alert, reason: Reason, *, handed_over: bool = False) -> str:
    """Return one line: `Worse: Surge at RCMP Quebec: 181 in 1 day, expected 98 (×1.8)`."""
    return f"{HANDED_OVER if handed_over else LEADS[reason]}{title(alert)}"[:HEADLINE]


def title(alert: Alert) -> str:
    """Return the headline without the reason; of an alert that is over, at its worst."""
    is_over = alert.state is State.RESOLVED
    verdict = alert.worst if is_over else alert.latest
    if alert.question is Question.STRAIN and verdict.evidence.capacity:
        return _capacity(verdict, "was" if is_over else "is")
    if alert.question is Question.SILENCE and verdict.evidence.no_data_since is not None:
        return _no_data(verdict, verdict.evidence.no_data_since)
    return f"{alert.question.entry.title}{_where(verdict)}: {figures(verdict)}"


def _no_data(verdict: Verdict, since: dt.datetime) -> str:
    """`No data from Tucson for 15 days. Last event 2023-10-29 14:02 UTC. 40 a day were expected.`

    Of a source: `No data from customs-a at Tucson for 3 hours. Last heartbeat ...`
    """
    hours = max(round((verdict.as_of - since) / dt.timedelta(hours=1)), 1)
    unit, length = ("day", hours // 24) if hours >= DAYS_FROM else ("hour", hours)
    is_tally = verdict.cadence in (Cadence.WEEK, Cadence.MONTH)
    windows = verdict.evidence.window / (24 if verdict.cadence is Cadence.HOUR else 1)
    source = verdict.evidence.source
    last = "heartbeat" if source else "tally up to" if is_tally else "event"
    whence = f"{source} at {place(verdict.sector)}" if source else place(verdict.sector)
    return (
        f"No data from {whence} for {length} {unit}{'s' if length > 1 else ''}. "
        f"Last {last} {since.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC. "
        f"{verdict.evidence.expected / windows:.0f} a {verdict.cadence if is_tally else 'day'} were expected."
    )


def summary_line(summary: Summary, now: float) -> str:
    """Sum up a backlog in one line, with its age."""
    age = dt.datetime.fromtimestamp(now, dt.UTC) - summary.newest
    days = max(round(age / dt.timedelta(days=1)), 1)
    alerts = "1 alert" if summary.over == 1 else f"{summary.over} alerts"
    return (
        f"Backlog, {days} {'day' if days == 1 else 'days'} old: {alerts} between "
        f"{summary.oldest:%Y-%m-%d} and {summary.newest:%Y-%m-%d} began and ended before they could be sent"
    )


def figures(verdict: Verdict) -> str:
    """Return what was seen and expected: `181 in 1 day, expected 98 (×1.8)`."""
    evidence = verdict.evidence
    window = _window(verdict)
    if verdict.question is Question.SILENCE:
        return f"nobody in {window}, expected {evidence.expected:.0f}"
    _, ratio = deviation(verdict)
    times = f"×{ratio:.1f}" if evidence.observed >= evidence.expected else f"÷{ratio:.1f}"
    is_mix = verdict.question is Question.MIX and evidence.slices
    kind = f" {evidence.slices[0].name.partition('=')[2]}" if is_mix else ""
    return f"{evidence.observed:.0f}{kind} in {window}, expected {evidence.expected:.0f} ({times})"


def _capacity(verdict: Verdict, verb: str) -> str:
    """Return `Swanton is over capacity: 31 people today, room for 8 (3.9 times).`"""
    evidence = verdict.evidence
    room = evidence.capacity or 0.0
    when = "today" if verb == "is" and verdict.cadence is Cadence.DAY else f"in {_window(verdict)}"
    level = "over" if evidence.observed > room else "near"
    times = f" ({evidence.observed / room:.1f} times)" if evidence.observed > room else ""
    people = f"{evidence.observed:.0f} people {when}, room for {room:.0f}"
    return f"{place(verdict.sector)} {verb} {level} capacity: {people}{times}."


def _lines(alert: Alert, message: Message, registry: Registry) -> list[str]:
    """Return the text, one thought on each line."""
    evidence = alert.latest.evidence
    times = [
        f"Since {clock(alert.onset, alert.sector, registry)}, {alert.breaches} {_periods(alert)} in breach.",
        f"Data up to {clock(alert.updated, alert.sector, registry)}.",
    ]
    if alert.state is State.RESOLVED:
        return [_over(alert), *times, sparkline(evidence.recent)]
    return [
        *_changed(alert, message),
        _sure(evidence),
        *times,
        *_why(alert),
        sparkline(evidence.recent),
    ]


def _sure(evidence: Evidence) -> str:
    if evidence.source:
        return f"The heartbeats of {evidence.source} have stopped; how many people came is not known."
    return f"Expected {evidence.lower:.0f} to {evidence.upper:.0f}; {sureness(evidence.p_value)}."


def _details(alert: Alert, message: Message) -> list[str]:
    """Return what the plain figures lack: what changed, where it comes from, when it was last so high."""
    if alert.state is State.RESOLVED:
        return [_over(alert)]
    return [*_changed(alert, message), *_why(alert)]


def _where(verdict: Verdict) -> str:
    """Return where it is; of people who move, from where to where."""
    here, others = place(verdict.sector), verdict.evidence.neighbours
    if verdict.question is Question.DISPLACEMENT:
        gained = [place(one.name) for one in others if one.observed - one.expected >= 1]
        return f" from {here}" + (f" to {' and '.join(gained[:SHOWN])}" if gained else "")
    if verdict.question is Question.SPILL_OVER and others:
        return f" from {place(others[0].name)} at {here}"
    if verdict.question is Question.SCAN and others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        return f" at {here}: {', '.join(place(one.name) for one in others[:SHOWN])}{more}"
    return f" at {here}"


def _window(verdict: Verdict) -> str:
    unit, length = UNITS[verdict.cadence], verdict.evidence.window
    whole = f"{length} {unit if length > 1 else unit[:-1]}"
    return whole if verdict.is_whole else f"{whole} (not over yet)"


def _changed(alert: Alert, message: Message) -> Iterator[str]:
    view = message.view
    if view.silenced_by and not message.handed_over:
        until = dt.datetime.fromtimestamp(view.silenced_until, dt.UTC)
        yield f"A silence by {view.silenced_by} holds it back until {until:%Y-%m-%d %H:%M} UTC."
    if message.handed_over:
        yield "It goes on. The routes send it elsewhere now; nothing more about it comes here."
    elif message.reason is Reason.ACKNOWLEDGED:
        yield taken(alert)
    elif message.reason is Reason.UNANSWERED and view.unattended_since:
        yield "The acknowledgement has expired. Nobody takes care of it now."
    elif message.before is not None:
        grade = f"Now {alert.severity}. " if message.reason is Reason.WORSE else ""
        yield f"{grade}Last notice: {figures(message.before.latest)}."


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
    unit = UNITS[alert.latest.cadence]
    return unit if alert.breaches > 1 else unit[:-1]


def _over(alert: Alert) -> str:
    if alert.expired:
        return "No more data came about it."
    evidence = alert.latest.evidence
    if evidence.source and not alert.latest.breach:
        return f"{evidence.source} sends again."
    if alert.latest.breach:
        return "It is over."  # a newer alert took its place before its end could be sent
    return f"Back to normal: {evidence.observed:.0f}, expected {evidence.expected:.0f}."


def _share(part: Contribution) -> str:
    return f"{part.name.replace('=', ' ')} {part.observed:.0f} (usually {part.expected:.0f})"
