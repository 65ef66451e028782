"""Rows of the board as JSON: what the page shows of a sector, an alert, a delivery, a sink and a control."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from alerts.console.roles import sectors_of
from alerts.console.rows import Json
from alerts.console.sector_history import DrawnLine
from alerts.languages.language import ENGLISH, Language, ngettext_noop
from alerts.lifecycle.alert import RANK, Alert, Notice, State
from alerts.lifecycle.policies import Policy, deviation
from alerts.notices.clauses import clause
from alerts.notices.controls import Silence
from alerts.notices.dead_letters import GAVE_UP, DeadLetter, letter_id
from alerts.notices.effects import effect
from alerts.notices.titles import parts
from alerts.notices.wording import group, length, place, question_title
from streams.contract.cadence import Cadence
from streams.contract.controls import Control
from streams.contract.verdicts import Evidence, Verdict

Importance = tuple[int, int, float, dt.datetime]

CALM: Final = {
    Cadence.HOUR: ngettext_noop("{calms} of {n} calm hour", "{calms} of {n} calm hours"),
    Cadence.DAY: ngettext_noop("{calms} of {n} calm day", "{calms} of {n} calm days"),
    Cadence.WEEK: ngettext_noop("{calms} of {n} calm week", "{calms} of {n} calm weeks"),
    Cadence.MONTH: ngettext_noop("{calms} of {n} calm month", "{calms} of {n} calm months"),
}
PRECEDENCE: Final = {State.RESOLVED: 0, State.PENDING: 1, State.FIRING: 2}


def sector_row(line: DrawnLine, data: Verdict, alerts: Sequence[Alert]) -> Json:
    """A sector: its newest period, its chart, its gravest alert, and since when `data` has none."""
    newest, figures = line.newest, line.newest.last_period
    since = data.evidence.no_data_since
    return {
        "id": newest.sector,
        "title": place(newest.sector),
        "border": newest.border,
        "state": _gravest(alerts),
        "cadence": newest.cadence.value,
        "period": newest.period.isoformat(),
        "as_of": newest.as_of.isoformat(),
        "closed": newest.is_whole,
        "data": data.data.value,
        "no_data_since": since.isoformat() if since else None,
        **(figures._asdict() if figures else {}),
        "line": line.columns(),
        "alerts": [alert.alert_id for alert in alerts],
    }


def standing(alerts: Iterable[Alert]) -> dict[str, int]:
    """Count what stands, by severity, and what is suspected."""
    counts = Counter(str(one.severity if one.state is State.FIRING else one.state) for one in alerts)
    return {name: counts[name] for name in ("critical", "warning", "info", "pending", "resolved")}


def _gravest(alerts: Sequence[Alert]) -> str:
    """The highest severity that fires; else `pending` where something is suspected, or `calm`."""
    firing = [alert.severity for alert in alerts if alert.state is State.FIRING]
    if firing:
        return max(firing, key=RANK.__getitem__).value
    return "pending" if alerts else "calm"


def alert_row(alert: Alert, policy: Policy, language: Language = ENGLISH) -> Json:
    """An alert: headline and figures in the words of its notices, and the evidence."""
    name, figures = parts(alert, language)
    excess, _ = deviation(alert.latest)
    return {
        "id": alert.alert_id,
        **alert.model_dump(
            mode="json",
            include={"question", "sector", "subject", "border", "state", "severity", "onset", "updated"}
            | {"acknowledged_by", "assessment", "silenced_by", "expired", "breaches"},
        ),
        "title": question_title(alert.question, language),
        "colour": alert.question.entry.colour,
        "place": place(alert.sector),
        "name": f"{name}, {whom}" if (whom := _whom(alert, language)) else name,
        "figures": figures,
        "size": excess,
        "cooling": _cooling(alert, policy, language),
        "window": length(alert.latest.evidence.window, alert.latest.cadence, language),
        "cadence": alert.latest.cadence.value,
        "period": alert.latest.period.isoformat(),
        "latest": _evidence(alert.latest.evidence, language),
        "worst": _evidence(alert.worst.evidence, language),
    }


def _whom(alert: Alert, language: Language) -> str:
    """The group of people that an alert is about; empty where it is about all of them, or about a source."""
    return "" if alert.latest.evidence.source or not alert.subject else group(alert.subject, language)


def importance(alert: Alert) -> Importance:
    """What stands is above what is over, then the graver, the larger, the newer above the others."""
    return PRECEDENCE[alert.state], RANK[alert.severity], deviation(alert.latest)[0], alert.updated


def _cooling(alert: Alert, policy: Policy, language: Language) -> str:
    """How far an alert that fires is on its way to its end; empty while it is in breach."""
    if alert.state is not State.FIRING or not alert.calms:
        return ""
    needed = policy.calm_periods(alert.latest)
    if alert.calms >= needed:
        return language.gettext("it came again soon after its end, so it stays open for a while")
    one, many = CALM[alert.latest.cadence]
    return language.ngettext(one, many, needed, calms=language.number(alert.calms))


def _evidence(evidence: Evidence, language: Language) -> Json:
    shown = evidence.model_dump(mode="json", exclude={"recent", "recent_expected"})
    return {
        **shown,
        "neighbours": [{**one, "name": place(one["name"])} for one in shown["neighbours"]],
        "slices": [{**one, "name": group(one["name"], language)} for one in shown["slices"]],
        "remark": clause(evidence.remark, language),
        "baseline": clause(evidence.baseline, language),
    }


def delivery_row(sink: str, notice: Notice, outcome: str, *, at: dt.datetime, detail: str) -> Json:
    """The last try to deliver a notice to a sink."""
    return {
        "id": letter_id(sink, notice.notice_id),
        "sink": sink,
        "notice": notice.notice_id,
        "alert": notice.alert.alert_id,
        "headline": notice.headline,
        "outcome": outcome,
        "detail": detail,
        "at": at.isoformat(),
    }


def dead_letter_row(letter: DeadLetter, language: Language = ENGLISH) -> Json:
    """A notice that a sink never took."""
    reason = letter.reason.removeprefix(GAVE_UP)
    if reason != letter.reason:
        reason = language.gettext("gave up: {reason}", reason=reason)
    return {"id": letter.letter_id, **letter.model_dump(mode="json"), "reason": reason}


def sink_row(sink: str, before: Json | None, outcome: str, *, at: dt.datetime, detail: str) -> Json:
    """How a sink is doing, after one more try."""
    before = before or idle_sink_row(sink)
    moment = at.isoformat()
    if outcome != "delivered" and moment < before["delivered_at"]:
        return before  # read after what was delivered since
    if outcome == "delivered":
        delivered_at = max(moment, before["delivered_at"])
        if moment < before["failed_at"]:  # read back after a restart
            return {**before, "delivered_at": delivered_at}
        return {**idle_sink_row(sink), "state": "ok", "delivered_at": delivered_at}
    return {
        **before,
        "state": "failing",
        "failed_at": moment,
        "failing_since": before["failing_since"] or moment,
        "reason": detail or outcome,
    }


def idle_sink_row(sink: str) -> Json:
    """A sink to which nothing was sent yet."""
    times = {"delivered_at": "", "failing_since": "", "failed_at": ""}
    return {"id": sink, "state": "idle", **times, "reason": ""}


def control_row(control: Control, language: Language = ENGLISH) -> Json:
    """A control in force."""
    return {
        "id": control.key,
        "kind": control.key.partition("/")[0],
        "by": control.by,
        "at": control.at.isoformat(),
        "reason": control.reason,
        "effect": effect(control, language),
        "sectors": list(sectors_of(control)),
        "until": control.until.isoformat() if isinstance(control, Silence) else "",
    }


def is_no_acknowledgement(row: Json) -> bool:
    """Return whether a control is listed by itself: an acknowledgement is shown on its alert."""
    return str(row["kind"]) != "ack"
