"""One alert on its way to one sink: its states, what the sink knows, and the retries of its message."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from alerts.lifecycle.alert import RANK, Alert, Reason, State
from alerts.notices.ledger import EMPTY, Entry
from alerts.notices.messages import Message, View
from alerts.notices.outcomes import Retry

FIRST_PAUSE: Final = 0.5  # seconds; doubled at every try
LONGEST_PAUSE: Final = 30.0  # seconds; a sink that comes back has everything within a minute
LONGEST_WAIT: Final = 300.0  # seconds that a receiver may ask for
LATE: Final = 60.0  # seconds after which a message counts as held back: then two are a digest


class Moment(NamedTuple):
    """Now: processing time in epoch seconds, and the seconds of a clock that nobody sets."""

    now: float
    steady: float


@dataclass(slots=True)
class Line:
    """One alert on its way to the sink. Times are seconds of the steady clock."""

    alert: Alert | None = None  # None: it is forgotten
    steps: list[Alert | None] = field(default_factory=list)  # later states, in a replay
    entry: Entry = EMPTY
    unanswered: bool = False  # the pending message may have been received; a later refusal proves nothing
    unrecorded: bool = False  # a try was not answered once: the sink may have what the ledger lacks
    in_flight: bool = False
    alone: bool = False  # a digest with it was refused
    tries: int = 0
    not_before: float = 0.0
    due_since: float | None = None

    @property
    def last_known(self) -> Alert | None:
        """Its newest state; where it is forgotten, as the sink was last shown it, or may have been."""
        shown = self.entry.view or (self.entry.pending.view if self.entry.pending else None)
        return self.alert or (shown.alert if shown else None)

    @property
    def source(self) -> str:
        """The source that it is about; empty where it is about people."""
        return alert.latest.evidence.source if (alert := self.last_known) else ""

    @property
    def fires(self) -> bool:
        """Whether its alert fires."""
        return self.alert is not None and self.alert.state is State.FIRING

    @property
    def is_open(self) -> bool:
        """Whether the sink has it open, as far as the ledger knows."""
        return self.entry.view is not None and self.entry.view.open

    @property
    def is_begun(self) -> bool:
        """Whether the sink has it open, or may have it in a moment."""
        return self.is_open or self.unanswered or self.in_flight

    @property
    def is_end_refused(self) -> bool:
        """Whether the sink has it open and refused its end."""
        view = self.entry.view
        return view is not None and view.open and view.end_id in self.entry.given_up

    @property
    def owes_an_end(self) -> bool:
        """Whether the sink has it open, or may have it by a try without an answer that was refused later.

        Then its dead letter can still be sent again, and the end after it.
        """
        return self.is_open or (self.unrecorded and bool(self.entry.given_up))

    def restore(self, entry: Entry, moment: Moment) -> None:
        """Take the ledger's entry. A message that is pending there may have been sent."""
        self.entry = entry
        self.unanswered = entry.pending is not None
        self.unrecorded |= self.unanswered or bool(entry.given_up)
        if self.unanswered:
            self.due_since = moment.steady - max(0.0, moment.now - entry.since)

    def become_due(self, steady: float, wait: float) -> None:
        """Have a message that may go out after so many seconds."""
        self.due_since, self.not_before = steady, max(self.not_before, steady + wait)

    def hurry(self, steady: float) -> None:
        """Let its message go out now, without the others, unless it was tried."""
        if self.tries == 0:
            self.not_before = min(self.not_before, steady)

    def waited(self, steady: float) -> float:
        """Return for how many seconds its message has been due."""
        return 0.0 if self.due_since is None else steady - self.due_since

    def is_late(self, moment: Moment) -> bool:
        """Return whether its message could not go out when it was due, or when the alert was raised."""
        raised = self.alert.raised_at if self.alert and self.entry.view is None else None
        is_held_back = raised is not None and moment.now - raised.timestamp() > LATE
        return is_held_back or self.waited(moment.steady) > LATE

    def is_ready(self, steady: float, *, may_retry: bool) -> bool:
        """Return whether its message may be sent now."""
        return not self.in_flight and self.not_before <= steady and (may_retry or self.tries == 0)

    def needs_letter(self, letter: Message, due: Message | None) -> bool:
        """Return whether a dead letter that is sent again goes out as it was, before what is `due` now.

        It does where its alert is over and the sink never knew of it, or may not know of its end. It also
        does where an earlier try may have been received, and what is due has the letter's id: under one id
        there is one message.
        """
        view = self.entry.view
        is_end_in_doubt = letter.view == view and not letter.view.open
        if self.unrecorded and (is_end_in_doubt or (due is not None and due.notice_id == letter.notice_id)):
            return True
        return due is None and letter.view.openings > (view.openings if view else 0)

    def urgency(self, message: Message) -> tuple[bool, int, int, float]:
        """Return the rank of its message among others: the smallest is sent first."""
        is_update = message.reason is Reason.UPDATED
        return is_update, -RANK[message.view.alert.severity], self.tries, self.due_since or 0.0

    def begin(self, message: Message, moment: Moment) -> bool:
        """Mark its message as on its way; return whether the ledger lacks it and has to be written first."""
        self.in_flight = True
        if self.entry.pending == message:
            return False
        since = moment.now - self.waited(moment.steady)
        self.entry = self.entry.model_copy(update={"pending": message, "since": since})
        return True

    def wait(self, retry: Retry, steady: float, jitter: float) -> None:
        """Try its message again later: it was not taken."""
        pause = min(FIRST_PAUSE * 2 ** min(self.tries, 16), LONGEST_PAUSE) * jitter
        self.not_before = steady + (pause if retry.after is None else min(retry.after, LONGEST_WAIT))
        self.unanswered = self.unanswered or retry.unanswered
        self.unrecorded |= retry.unanswered
        self.tries += 1

    def close(self, view: View | None, *given_up: str) -> None:
        """Finish with its message: the sink has it, or it was given up."""
        self.entry = Entry(view=view, given_up=(*self.entry.given_up, *given_up))
        self.unanswered = self.alone = False
        self.rest()

    def refuse(self, message: Message) -> None:
        """Its message was refused. An end that the sink may have had before that counts as received.

        So what follows opens it anew, and is not lost where the sink has closed it.
        """
        is_over = self.unanswered and message.reason is Reason.RESOLVED
        self.close(message.view if is_over else self.entry.view, message.notice_id)

    def park(self, message: Message) -> None:
        """Keep its message, which was given up without an answer: it is sent again before anything newer."""
        given_up = (*self.entry.given_up, message.notice_id)
        self.entry = self.entry.model_copy(update={"pending": message, "given_up": given_up})
        self.unanswered = self.unrecorded = True
        self.rest()

    def rest(self) -> None:
        """Have nothing due."""
        self.tries, self.not_before, self.due_since = 0, 0.0, None


def is_known(alert: Alert | None, view: View | None) -> bool:
    """Return whether a state is older than what the sink knows, or no newer than the end that it knows of."""
    if alert is None or view is None:
        return False
    is_over = not view.open and view.alert.state is State.RESOLVED
    return alert.position < view.alert.position + is_over
