"""Receivers of a small world: what they do with a request, and what they know of each alert afterwards."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alerts.lifecycle.alert import Reason, Severity
from alerts.notices.batches import Batch
from alerts.notices.messages import Message, people
from alerts.notices.outcomes import Delivered, Outcome, Refused, Retry


class Mood(StrEnum):
    """What a receiver does with a request."""

    WELL = "well"
    BUSY = "busy"  # 429
    BROKEN = "broken"  # 500
    LOST = "lost"  # no answer, and it has nothing
    SILENT = "silent"  # no answer, and it has it
    REFUSES = "refuses"  # 400
    GONE = "gone"  # 410


ANSWERS: Final[dict[Mood, Outcome]] = {
    Mood.WELL: Delivered(),
    Mood.BUSY: Retry("http_429", 7.0),
    Mood.BROKEN: Retry("http_500"),
    Mood.LOST: Retry("timeout", unanswered=True),
    Mood.SILENT: Retry("timeout", unanswered=True),
    Mood.REFUSES: Refused("http_400"),
    Mood.GONE: Refused("gone", gone=True),
}


@dataclass
class Known:
    """What a receiver knows of one alert."""

    is_open: bool = False
    severity: Severity = Severity.INFO
    acknowledged_by: str = ""
    denied: bool = False  # it refused a message that it had, or an end: nobody can tell what it knows
    most_people: float = 0.0  # in a period, of all messages of this opening
    asked_since: float = 0.0  # the latest expiry of an acknowledgement that it has been sent


@dataclass
class Receiver:
    """A receiver that drops what it has seen before, as the id allows, and holds each sender to the law.

    A `keyed` one goes by the id of the alert: a trigger of what is open is none, and so is an end of what is
    not, where the trigger had no answer.
    """

    mood: Mood = Mood.WELL
    keyed: bool = False
    poisoned: set[str] = field(default_factory=set)  # alerts that it answers with 500
    seen: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)  # alerts of requests that it may lack, as far as can be known
    repeated: int = 0
    known: defaultdict[str, Known] = field(default_factory=lambda: defaultdict(Known))

    def post(self, batch: Batch) -> Outcome:
        """Take a request, or not."""
        mood = self.mood
        if mood is Mood.WELL and any(one.alert_id in self.poisoned for one in batch.messages):
            mood = Mood.BROKEN
        for message in batch.messages:
            if mood in (Mood.WELL, Mood.SILENT):
                self._receive(message)
            elif mood is Mood.LOST:
                self.lost.add(message.alert_id)
            elif mood in (Mood.REFUSES, Mood.GONE) and (
                message.notice_id in self.seen or message.reason is Reason.RESOLVED
            ):
                self.known[message.alert_id].denied = True
        return ANSWERS[mood]

    def _receive(self, message: Message) -> None:
        if message.notice_id in self.seen:
            self.repeated += 1
            if not self.keyed:
                return
        is_repeated = message.notice_id in self.seen
        self.seen.add(message.notice_id)
        known = self.known[message.alert_id]
        # A dead letter that is sent again is older than what was sent since: it takes nothing of that back.
        known.asked_since = max(known.asked_since, message.view.unattended_since)
        match message.reason:
            case Reason.RESOLVED:
                may_lack = self.keyed and message.alert_id in self.lost
                assert known.is_open or may_lack or is_repeated, "resolved without a trigger"
                known.is_open = False
                return
            case Reason.ACKNOWLEDGED:
                known.acknowledged_by = message.view.acknowledged_by
            case Reason.UNANSWERED:
                known.acknowledged_by = ""
            case Reason.FIRST:
                assert not known.is_open or known.denied or is_repeated, "triggered twice"
                by = message.view.acknowledged_by
                known.acknowledged_by = known.acknowledged_by if is_repeated else by
        before = known.most_people if known.is_open else 0.0
        known.most_people = max(before, people(message.view.alert.latest))
        if not known.is_open or message.reason in (Reason.WORSE, Reason.UNANSWERED):
            known.severity = message.view.alert.severity
        known.is_open = True
