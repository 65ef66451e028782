"""Notices: what people read in five seconds. What was seen and expected, since when, where, how sure."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, Reason, State
from alerts.notices.backlog import Summary
from alerts.notices.clauses import clause
from alerts.notices.endings import ending
from alerts.notices.messages import Message, View
from alerts.notices.titles import figures, title
from alerts.notices.wording import (
    SEVERITIES,
    clock,
    expected,
    group,
    lead,
    length,
    normal,
    place,
    places,
    sparkline,
    sureness,
    taken,
)
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict

HEADLINE: Final = 200  # characters
NAMED: Final = 20  # sectors in a line
NEARLY_ALL: Final = 0.995  # of the reports: from here on they round to 100 %
EVERYBODY: Final = 0.95  # of the people: a slice that is always so large is the sector itself


def compose(message: Message, registry: Registry, language: Language = ENGLISH) -> Notice:
    """Write the notice of a message."""
    alert = message.alert
    writer = _Writer(alert, message, registry, language)
    return Notice(
        notice_id=message.notice_id,
        alert=alert,
        reason=message.reason,
        headline=headline(alert, message.reason, language, handed_over=message.handed_over),
        text="\n".join(writer.lines()),
        details="\n".join(writer.details()),
        since=writer.clock(_last_data(alert) or alert.onset),
        as_of=writer.clock(alert.updated),
        produced_at=alert.produced_at,
    )


def without_figures(message: Message) -> Notice:
    """Write the notice of a message that cannot be worded: its state is sent all the same."""
    alert = message.alert
    headline = f"{alert.question.entry.title}: {alert.sector}, {alert.state}"
    return Notice(
        notice_id=message.notice_id,
        alert=alert,
        reason=message.reason,
        headline=headline[:HEADLINE],
        text=headline,
        produced_at=alert.produced_at,
    )


def standing(alert: Alert) -> Message:
    """Return the message of an alert as it stands, for receivers that want it again and again."""
    return Message(reason=Reason.FIRST, view=View(alert=alert, severity=alert.severity))


def headline(alert: Alert, reason: Reason, language: Language = ENGLISH, *, handed_over: bool = False) -> str:
    """Return one line: `Worse: Surge at RCMP Quebec: 181 in 1 day, expected 98 (×1.8)`."""
    shown = lead(alert, reason, handed_over=handed_over)
    return language.gettext(shown, title=title(alert, language))[:HEADLINE]


def summary_line(summary: Summary, now: float, language: Language = ENGLISH) -> str:
    """Sum up a backlog in one line, with its age."""
    age = dt.datetime.fromtimestamp(now, dt.UTC) - summary.newest
    days = max(round(age / dt.timedelta(days=1)), 1)
    return language.ngettext(
        "Backlog, {age} old: {n} alert between {oldest} and {newest} began and ended before it could be sent",
        "Backlog, {age} old: {n} alerts between {oldest} and {newest} began and ended before they could be "
        "sent",
        summary.over,
        age=length(days, Cadence.DAY, language),
        oldest=language.day(summary.oldest),
        newest=language.day(summary.newest),
    )


def _last_data(alert: Alert) -> dt.datetime | None:
    """Return when the last event or heartbeat before a silence came; None for other questions."""
    return alert.worst.evidence.no_data_since if alert.question is Question.SILENCE else None


def _contributing(verdict: Verdict) -> list[Contribution]:
    """Return the slices that show where a surge is from: one that is always nearly everybody does not."""
    whole = None if verdict.question is Question.MIX else verdict.last_period
    slices = verdict.evidence.slices
    return [one for one in slices if whole is None or one.expected < EVERYBODY * whole.expected]


class _Writer:
    """Writes the lines of one notice, one thought on each."""

    def __init__(self, alert: Alert, message: Message, registry: Registry, language: Language) -> None:
        self._alert, self._message, self._registry = alert, message, registry
        self._language = language
        self._gettext, self._number = language.gettext, language.number

    def clock(self, moment: dt.datetime) -> str:
        """Return a time by the sector's clock, beside UTC."""
        return clock(moment, self._alert.sector, self._registry, self._language)

    def lines(self) -> list[str]:
        """Return the text."""
        evidence = self._alert.latest.evidence
        if self._alert.state is State.RESOLVED:
            return [self._over(), *self._sectors(), *self._times(), sparkline(evidence.recent)]
        return [
            *self._changed(),
            self._sure(evidence),
            *self._sectors(),
            *self._times(),
            *self._why(),
            sparkline(evidence.recent),
        ]

    def details(self) -> list[str]:
        """Return what the plain figures lack: what changed, where it comes from, when it was last so high."""
        if self._alert.state is State.RESOLVED:
            return [self._over()]
        return [*self._changed(), *self._sectors(), *self._why()]

    def _sure(self, evidence: Evidence) -> str:
        if evidence.source and self._sends():
            return self._gettext("{source} sends again.", source=evidence.source)
        if evidence.source:
            return self._gettext(
                "The heartbeats of {source} have stopped; how many people came is not known.",
                source=evidence.source,
            )
        return self._gettext(
            "Expected {lower} to {upper}; {sureness}.",
            **normal(evidence, self._language),
            sureness=sureness(evidence.p_value, self._language),
        )

    def _sends(self) -> bool:
        """Return whether a source sends again, for all sectors that the notice is about."""
        parts = self._alert.parts
        return all(part.sends for part in parts) if len(parts) > 1 else not self._alert.latest.breach

    def _sectors(self) -> Iterator[str]:
        """Name the sectors of a source, where there are several."""
        parts = self._alert.parts if len(self._alert.parts) > 1 else ()
        if dead := [part.sector for part in parts if not part.sends]:
            yield self._gettext("No data from: {places}.", places=places(dead, self._language, most=NAMED))
        if back := [part.sector for part in parts if part.sends]:
            yield self._gettext("Data again from: {places}.", places=places(back, self._language, most=NAMED))

    def _times(self) -> Iterator[str]:
        alert = self._alert
        if last := _last_data(alert):
            yield self._gettext("Since {time}.", time=self.clock(last))
        else:
            yield self._in_breach(alert)
        yield self._gettext("Data up to {time}.", time=self.clock(alert.updated))

    def _in_breach(self, alert: Alert) -> str:
        breaches = length(alert.breaches, alert.latest.cadence, self._language)
        return self._gettext(
            "Since {time}, {periods} in breach.", time=self.clock(alert.onset), periods=breaches
        )

    def _changed(self) -> Iterator[str]:
        alert, message, view = self._alert, self._message, self._message.view
        if view.silenced_by and not message.handed_over:
            until = self.clock(dt.datetime.fromtimestamp(view.silenced_until, dt.UTC))
            yield self._gettext(
                "A silence by {person} holds it back until {time}.", person=view.silenced_by, time=until
            )
        if message.handed_over:
            yield self._gettext("It goes on. No route leads here, so nothing more about it comes here.")
        elif message.reason is Reason.ACKNOWLEDGED:
            yield taken(alert, self._language)
        elif message.reason is Reason.UNANSWERED and (view.unattended_since or view.acknowledgements):
            yield self._gettext("The acknowledgement is over. Nobody takes care of it now.")
        elif message.before is not None and not alert.latest.evidence.source:
            last = self._gettext(
                "Last notice: {figures}.", figures=figures(message.before.latest, self._language)
            )
            severity = self._gettext(SEVERITIES[alert.severity])
            grade = self._gettext("Now {severity}.", severity=severity)
            has_risen = message.reason is Reason.WORSE and message.before.severity is not alert.severity
            yield f"{grade} {last}" if has_risen else last
        if alert.acknowledged_by and message.reason not in (Reason.ACKNOWLEDGED, Reason.UPDATED):
            yield taken(alert, self._language)

    def _why(self) -> Iterator[str]:
        evidence = self._alert.latest.evidence
        if self._alert.recurrences:
            yield self._gettext(
                "It came again soon after its end, so it stays open until it is calm for longer."
            )
        if slices := _contributing(self._alert.latest):
            yield self._gettext(
                "Most of it: {parts}.", parts=self._shares(slices, lambda name: group(name, self._language))
            )
        if evidence.neighbours:
            yield self._gettext("Neighbours: {parts}.", parts=self._shares(evidence.neighbours, place))
        if evidence.record:
            yield self._gettext("The highest on record here.")
        elif evidence.last_as_high is not None:
            yield self._gettext("Last so high on {day}.", day=self._language.day(evidence.last_as_high))
        if evidence.capacity is not None:
            yield self._capacity(evidence.capacity, evidence.full_at)
        if evidence.share_reported < NEARLY_ALL:
            share = self._language.percent(evidence.share_reported)
            yield self._gettext("About {share} of the reports have arrived.", share=share)
        if remark := clause(evidence.remark, self._language):
            yield remark[0].upper() + remark[1:] + "."
        yield self._gettext("Baseline: {baseline}.", baseline=clause(evidence.baseline, self._language))

    def _capacity(self, capacity: float, full_at: dt.datetime | None) -> str:
        if full_at is None:
            return self._gettext("Capacity {people} a day.", people=self._language.brief(capacity))
        return self._gettext(
            "Capacity {people} a day, full at {time}.",
            people=self._language.brief(capacity),
            time=self.clock(full_at),
        )

    def _over(self) -> str:
        return ending(self._alert, self._language, sends_again=self._sends())

    def _shares(self, parts: Sequence[Contribution], title: Callable[[str], str]) -> str:
        return ", ".join(
            self._gettext(
                "{name} {observed} (expected {expected})",
                name=title(part.name),
                observed=self._number(part.observed),
                expected=expected(part.expected, self._language),
            )
            for part in parts
        )
