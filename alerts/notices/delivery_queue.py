"""What one sink is to be sent next. Pure: time, alerts, controls and answers are given.

Each alert has a line of its own: its messages go out in order, and one that is not taken is tried again
without holding up the others. The difference is computed anew for each try, so a sink that was away gets one
message about what stands now. Only a message without an answer goes out again as it was, under its id.

    refresh ─▶ take ─▶ begin (ledger) ─▶ POST ─▶ settle (ledger) ─▶ release
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Final

from alerts.lifecycle.alert import Alert, Reason, Version
from alerts.lifecycle.policies import Policies
from alerts.notices.alert_pipeline import AlertChange
from alerts.notices.backlog import Backlog, Summary, is_old
from alerts.notices.batches import Batch, Limits, Settled
from alerts.notices.comparison import Comparison
from alerts.notices.controls_in_force import ControlsInForce
from alerts.notices.dead_letters import GAVE_UP
from alerts.notices.delivery_line import Line, Moment, is_known
from alerts.notices.gathering import gather_seconds, is_digest, together
from alerts.notices.ledger import CAUGHT_UP, EMPTY, CaughtUp, Entry, LedgerRecord
from alerts.notices.messages import Message
from alerts.notices.outcomes import Absent, Delivered, Outcome, Refused, Retry
from alerts.notices.probing import Probing

SLOTS: Final = 8  # requests at once; half of them for messages that were not tried before


class DeliveryQueue:
    """The messages of one sink.

    In a `replay` every state of an alert is compared with what the sink knows, in order; else the newest.
    """

    def __init__(
        self,
        sink: str,
        controls: ControlsInForce,
        policies: Policies,
        *,
        limits: Limits,
        replay: bool = False,
        jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2),  # noqa: S311 - spreads load
    ) -> None:
        self.sink, self.limits = sink, limits
        self._controls, self._replay, self._jitter = controls, replay, jitter
        self._lines: dict[str, Line] = {}
        self._compared = Comparison(sink, controls, policies, lines=self._lines, limits=limits, replay=replay)
        self._newest: dict[str, tuple[Version, str]] = {}  # by question: version and id of its alert
        self._due: dict[str, Message] = {}
        self._changed: dict[str, None] = {}  # alerts observed and not compared yet, in that order
        self._in_flight: list[Batch] = []
        self._probing = Probing(self._lines, limits)
        self._free_at = 0.0  # of the steady clock
        self._backlog: Backlog | None = None  # None until the ledger is read

    def restore(self, record: LedgerRecord, moment: Moment) -> None:
        """Read a record of the ledger."""
        if isinstance(record.value, CaughtUp):
            self._backlog = Backlog(record.value.until)
        elif record.value is None:
            self._lines.pop(record.alert_id, None)
            self._changed.pop(record.alert_id, None)
        else:
            self._lines.setdefault(record.alert_id, Line()).restore(record.value, moment)
            self._changed[record.alert_id] = None
        self._compared.place(record.alert_id)

    def observe(self, change: AlertChange, *, published_at: float, moment: Moment) -> None:
        """Take a state of the alert on a question, published at that epoch second; older ones do nothing."""
        version, alert_id = self._newest.get(change.question_key, (None, ""))
        alert = change.alert
        if change.is_before(version):
            return
        if alert_id and (alert is None or alert.alert_id != alert_id):
            self._advance(alert_id, None)
        if alert is None:
            if version is not None:
                self._newest[change.question_key] = version, ""
            return
        self._newest[change.question_key] = alert.version, alert.alert_id
        line = self._advance(alert.alert_id, alert)
        is_unknown = line.entry.view is None and not (self._replay or change.again)
        if is_unknown and self._backlog and self._controls.routing.leads(alert, (self.sink,)):
            self._backlog.observe(alert, published_at=published_at, steady=moment.steady)

    def _advance(self, alert_id: str, alert: Alert | None) -> Line:
        line = self._lines.setdefault(alert_id, Line())
        self._changed[alert_id] = None
        if not self._replay:
            line.alert = alert
        elif not is_known(alert, line.entry.view):
            line.steps.append(alert)
        self._compared.place(alert_id)
        return line

    def refresh(self, moment: Moment) -> list[LedgerRecord]:
        """Compare alerts with what the sink knows; return ledger records to be written."""
        records = []
        if self._backlog is None:
            self._backlog = Backlog(moment.now)
            records.append(LedgerRecord(self.sink, CAUGHT_UP, CaughtUp(until=moment.now)))
        for alert_id in self._compared.choose(self._changed, moment):
            line = self._lines[alert_id]
            if not line.in_flight:
                self._compare(alert_id, line, moment)
                records += self._tidied(alert_id, line)
        self._changed.clear()
        return records

    def _compare(self, alert_id: str, line: Line, moment: Moment) -> None:
        if line.alert is None and line.steps:
            line.alert = line.steps.pop(0)
        message = self._next(alert_id, line, moment)
        while message is None and line.steps:
            line.alert = line.steps.pop(0)
            message = self._next(alert_id, line, moment)
        if message is None:
            self._due.pop(alert_id, None)
            line.rest()
        else:
            self._due[alert_id] = message
            wait = 0.0 if self._replay else gather_seconds(message, self.limits)
            if line.due_since is None:
                line.become_due(moment.steady, wait)
            elif not wait:
                line.hurry(moment.steady)
            line.rank(message)

    def _next(self, alert_id: str, line: Line, moment: Moment) -> Message | None:
        """Return the next message about an alert; what the sink may have goes again first, or ends."""
        pending = line.entry.pending if line.unanswered else None
        if pending is None:
            message = self._compared.difference(alert_id, line.entry.view, moment)
            return None if message and self._is_backlog(message, moment) else message
        newer = self._compared.difference(alert_id, pending.view, moment)
        if newer and not self._replay and line.supersedes(newer, keyed=self.limits.keyed):
            return newer
        return pending if newer or pending.notice_id not in line.entry.given_up else None

    def _is_backlog(self, message: Message, moment: Moment) -> bool:
        """Return whether a message is about an old alert, while more of them are coming."""
        if self._replay or self._backlog is None or message.reason is Reason.RESOLVED:
            return False
        return self._backlog.is_busy(moment.steady) and is_old(message.view.alert, moment.now)

    def _tidied(self, alert_id: str, line: Line) -> list[LedgerRecord]:
        """Take back a message that is no longer due; forget an alert that is gone and needs no message."""
        if alert_id in self._due:
            return []
        if line.alert is None and not line.steps and not self._replay and not line.owes_an_end:
            del self._lines[alert_id]
            self._compared.place(alert_id)
            return [LedgerRecord(self.sink, alert_id, None)] if line.entry != EMPTY else []
        if line.entry.pending is not None and not line.unanswered:
            line.entry = line.entry.model_copy(update={"pending": None})
            return [LedgerRecord(self.sink, alert_id, line.entry)]
        return []

    def take(self, moment: Moment) -> Batch | None:
        """Return what is to be sent now, gravest first; None where nothing is due or the sink is busy."""
        if moment.steady < self._free_at or len(self._in_flight) >= SLOTS:
            return None
        ready = self._ready(moment)
        if self.limits.most == 1:
            return self._batch(ready, moment, most=1)
        ready = self._probing.sift(together(ready, self._due, self._lines), moment.steady)
        summary = self._backlog.summary(moment.steady) if self._backlog else None
        joining = self._probing.joining(ready)
        if summary is None and not is_digest([self._due[one] for one in joining], self._lines, moment):
            return self._batch(ready, moment, most=1)
        return self._batch(joining, moment, most=self.limits.most, summary=summary)

    def _ready(self, moment: Moment) -> list[str]:
        """Return the alerts whose message may be sent now: gravest first, those that hold it up last."""
        lines, batches = self._lines, (batch.messages for batch in self._in_flight)
        may_retry = sum(any(lines[one.alert_id].tries for one in batch) for batch in batches) < SLOTS // 2
        ready = [one for one in self._due if lines[one].is_ready(moment.steady, may_retry=may_retry)]
        return sorted(ready, key=lambda one: (self._probing.setbacks(one), lines[one].urgency))

    def _batch(
        self, ready: Sequence[str], moment: Moment, *, most: int, summary: Summary | None = None
    ) -> Batch | None:
        """Return the first messages that are due still: time has passed since they were found due."""
        messages: list[Message] = []
        for alert_id in ready:
            if len(messages) == most:
                break
            self._compare(alert_id, self._lines[alert_id], moment)
            if message := self._due.get(alert_id):
                messages.append(message)
        return Batch(tuple(messages), summary) if messages or summary else None

    def begin(self, batch: Batch, moment: Moment) -> list[LedgerRecord]:
        """Mark a batch as on its way; return the ledger records to be written before it is sent."""
        self._in_flight.append(batch)
        self._probing.begin(batch)
        self._free_at = moment.steady + self.limits.spacing
        begun = ((one.alert_id, self._lines[one.alert_id].begin(one, moment)) for one in batch.messages)
        return [LedgerRecord(self.sink, alert_id, entry) for alert_id, entry in begun if entry]

    def settle(self, batch: Batch, outcome: Outcome, moment: Moment) -> Settled:
        """Apply the receiver's answer to a batch."""
        settled = Settled([], [], [])
        self._free_at = max(self._free_at, moment.steady + self._probing.pause_after(batch, outcome))
        if outcome == Absent() and len(self._in_flight) == 1:
            self._free_at = moment.steady  # to look is no message
        if batch.backlog and self._backlog and self._backlog.is_done(batch.backlog, outcome, moment.steady):
            settled.records.append(LedgerRecord(self.sink, CAUGHT_UP, CaughtUp(until=batch.backlog.until)))
        is_digest = len(batch.messages) > 1
        for message in batch.messages:
            line = self._lines[message.alert_id]
            if self._is_done(message, outcome, moment, is_digest=is_digest, settled=settled):
                self._due.pop(message.alert_id, None)
            elif message.notice_id in line.entry.doubted:
                continue  # as the ledger has it
            settled.records.append(LedgerRecord(self.sink, message.alert_id, line.entry))
        self._probing.settle(batch, outcome, moment.steady)
        return settled

    def _is_done(
        self, message: Message, outcome: Outcome, moment: Moment, *, is_digest: bool, settled: Settled
    ) -> bool:
        """Apply the answer to one message; return whether it was taken or given up."""
        line = self._lines[message.alert_id]
        match outcome:
            case Delivered(reference):
                settled.delivered.append(message)
                line.take(message.view.model_copy(update={"reference": reference}))
                return True
            case Absent():
                line.lift(message)
                return False
            case Refused(gone=False) if is_digest:
                line.alone = True  # each by itself: only the cause is refused then
                return False
            case Refused(reason):
                settled.dead.append((message, reason))
                line.refuse(message)
                return True
            case Retry(reason) if line.waited(moment.steady) > self.limits.give_up:
                settled.dead.append((message, f"{GAVE_UP}{reason}"))
                line.give_up(message, unanswered=outcome.unanswered)
                return True
        line.wait(message, outcome, moment.steady, jitter=self._jitter(), is_digest=is_digest)
        return False

    def release(self, batch: Batch, moment: Moment) -> None:
        """Let the alerts of a batch go on: the ledger has what came of it."""
        self._in_flight.remove(batch)
        for message in batch.messages:
            line = self._lines[message.alert_id]
            line.in_flight = False
            self._compare(message.alert_id, line, moment)

    def send_again(self, message: Message, moment: Moment) -> list[LedgerRecord]:
        """Send a dead letter once more; return the ledger records that have to be written first.

        The sink gets what it should know now; before that, what it may have already. Where it needs the
        letter, it gets that as it was, and then what has changed since.
        """
        line = self._lines.get(message.alert_id)
        if line is None or line.in_flight or message.notice_id not in line.entry.given_up:
            return []
        again = {message.notice_id, (line.entry.pending or message).notice_id}
        given_up = tuple(one for one in line.entry.given_up if one not in again)
        line.restore(line.entry.model_copy(update={"given_up": given_up}), moment)
        self._compare(message.alert_id, line, moment)
        is_shown = self._compared.is_shown_by_another(message.alert_id, moment) and not line.unrecorded
        due = self._due.get(message.alert_id)
        if not is_shown and line.needs_letter(message, due, keyed=self.limits.keyed):
            letter = {"pending": message, "since": moment.now}
            line.restore(line.entry.model_copy(update=letter).doubting(message.notice_id), moment)
            self._compare(message.alert_id, line, moment)
        self._free_at = 0.0
        return [LedgerRecord(self.sink, message.alert_id, line.entry)]

    def entry(self, alert_id: str) -> Entry:
        """Return what the sink knows of an alert, and what it may or may not know."""
        return self._lines[alert_id].entry if alert_id in self._lines else EMPTY

    def open_alerts(self, now: float) -> list[Alert]:
        """Return the alerts that fire and that the sink has open, but for silenced ones."""
        return self._compared.open_alerts(now)

    def rest(self, steady: float) -> float:
        """Return the seconds until the next message may be sent; infinite where none is due."""
        starts = (self._probing.not_before(one) for one in self._due if not self._lines[one].in_flight)
        return max(max(min(starts, default=math.inf), self._free_at) - steady, 0.0)

    def waiting(self, steady: float) -> tuple[int, float]:
        """Return how many messages are due, and for how many seconds the oldest of them has been."""
        return len(self._due), max((self._lines[one].waited(steady) for one in self._due), default=0.0)
