"""One alert on its way to one sink: its states, what the sink knows, and the retries of its message."""

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from alerts.lifecycle.alert import RANK, Alert, Reason, State
from alerts.notices.ledger import EMPTY, Entry
from alerts.notices.messages import Message, View
from alerts.notices.outcomes import Retry

FIRST_PAUSE: Final = 0.5  # seconds; doubled at every try
LONGEST_PAUSE: Final = 30.0  # seconds; a sink that comes back has everything within a minute
LONGEST_WAIT: Final = 300.0  # seconds that a receiver may ask for
FAULTS: Final = 2  # failed tries after which a message may be what its digest fails by
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
    in_flight: bool = False
    alone: bool = False  # a digest with it was refused, or failed although the sink takes others
    tries: int = 0
    waits: int = 0  # of those tries, the ones after which the receiver asked for a wait
    waits_alone: bool = False  # such a wait is not for the sink, which takes others meanwhile
    failed_at: float = -math.inf
    not_before: float = 0.0
    due_since: float | None = None
    urgency: tuple[bool, int, int, float] = (False, 0, 0, 0.0)  # of its message: the smallest is sent first

    @property
    def unanswered(self) -> bool:
        """Whether the pending message may have been received; a later refusal proves nothing."""
        return self.entry.is_pending_doubted

    @property
    def is_edit_pending(self) -> bool:
        """Whether the pending message only shows other figures: whatever is newer shows them too."""
        return self.entry.pending is not None and self.entry.pending.reason is Reason.UPDATED

    @property
    def unrecorded(self) -> bool:
        """Whether the sink may have what the ledger lacks: a try was not answered."""
        return bool(self.entry.doubted)

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
        """Take the ledger's entry."""
        self.entry = entry
        if entry.pending is not None:
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

    def needs_letter(self, letter: Message, due: Message | None, *, keyed: bool) -> bool:
        """Return whether a dead letter that is sent again goes out as it was, before what is `due` now.

        It does where its alert is over and the sink never knew of it, or may not know of its end. It also
        does where an earlier try may have been received, and what is due has the letter's id: under one id
        there is one message. A `keyed` sink needs nothing of what is over and was never there.
        """
        view = self.entry.view
        is_end_in_doubt = letter.view == view and not letter.view.open
        if self.unrecorded and (is_end_in_doubt or (due is not None and due.notice_id == letter.notice_id)):
            return True
        is_unknown = letter.view.openings > (view.openings if view else 0)
        is_wanted = not keyed and not self.fires  # what is held back, or led elsewhere, fires
        return due is None and is_unknown and (self.unrecorded or is_wanted)

    def rank(self, message: Message) -> None:
        """Note how urgent its message is among others."""
        is_update = message.reason is Reason.UPDATED
        self.urgency = is_update, -RANK[message.view.alert.severity], self.tries, self.due_since or 0.0

    def supersedes(self, message: Message, *, keyed: bool) -> bool:
        """Return whether a message goes out in place of the pending one, which the sink may have.

        An end does where the sink has the alert open anyhow, or is `keyed`; for an edit, anything does.
        """
        is_enough = message.reason is Reason.RESOLVED and (keyed or self.is_open)
        return self.unanswered and (is_enough or self.is_edit_pending)

    def begin(self, message: Message, moment: Moment) -> Entry | None:
        """Mark its message as on its way; return what the ledger lacks and has to have first.

        The ledger doubts a message from then on; the line does so only once there was no answer. What the
        sink may have open, or may show, stays pending until what goes out in its place was taken.
        """
        self.in_flight = True
        is_end = message.reason is Reason.RESOLVED and not self.is_open
        is_kept = self.unanswered and (is_end or self.is_edit_pending)
        pending = self.entry.pending if is_kept else message
        if pending == self.entry.pending and message.notice_id in self.entry.doubted:
            return None
        since = moment.now - self.waited(moment.steady)
        self.entry = self.entry.model_copy(update={"pending": pending, "since": since})
        return self.entry.doubting(message.notice_id)

    def wait(
        self, message: Message, retry: Retry, steady: float, *, jitter: float, is_digest: bool = False
    ) -> None:
        """Try its message again later: it was not taken."""
        self.alone |= is_digest and self.tries >= FAULTS
        self.failed_at = steady
        self.waits += retry.after is not None
        pause = pause_after(self.tries) * jitter
        self.not_before = steady + (pause if retry.after is None else min(retry.after, LONGEST_WAIT))
        if retry.unanswered:
            self.entry = self.entry.doubting(message.notice_id)
        self.tries += 1

    def take(self, view: View) -> None:
        """The sink has its message. What it may have besides is what it refused or had no answer for."""
        given_up = self.entry.given_up
        doubted = tuple(one for one in self.entry.doubted if one in given_up)
        self._finish(Entry(view=view, given_up=given_up, doubted=doubted))

    def drop(self, message: Message, view: View | None) -> None:
        """Its message was given up: it is a dead letter."""
        given_up = (*self.entry.given_up, message.notice_id)
        self._finish(Entry(view=view, given_up=given_up, doubted=self.entry.doubted))

    def _finish(self, entry: Entry) -> None:
        self.entry, self.alone, self.waits_alone = entry, False, False
        self.rest()

    def refuse(self, message: Message) -> None:
        """Its message was refused. An end that the sink may have had before that counts as received.

        So what follows opens it anew, and is not lost where the sink has closed it.
        """
        is_over = message.reason is Reason.RESOLVED and message.notice_id in self.entry.doubted
        self.drop(message, message.view if is_over else self.entry.view)

    def lift(self, message: Message) -> None:
        """The sink lacks its message, which it may have had; where it has nothing open, all others too.

        A message that can be edited may show it all the same, so it is not known any more what that shows.
        """
        known, view = self.entry.doubted if self.is_open else (), self.entry.view
        doubted = tuple(one for one in known if one != message.notice_id)
        shown = view.model_copy(update={"shown": ""}) if view and view.reference else view
        self.entry = self.entry.model_copy(update={"view": shown, "pending": None, "doubted": doubted})
        self.not_before = 0.0

    def give_up(self, message: Message, *, unanswered: bool) -> None:
        """Try its message no more. What had no answer is kept: it is sent again before anything newer."""
        if not (unanswered or self.unanswered):
            self.drop(message, self.entry.view)
            return
        update = {"pending": message, "given_up": (*self.entry.given_up, message.notice_id)}
        self.entry = self.entry.model_copy(update=update).doubting(message.notice_id)
        self.rest()

    def rest(self) -> None:
        """Have nothing due."""
        self.tries, self.waits, self.not_before, self.due_since = 0, 0, 0.0, None


def pause_after(tries: int) -> float:
    """Return the seconds until the next try, after so many before the last one."""
    return min(FIRST_PAUSE * 2.0 ** min(tries, 16), LONGEST_PAUSE)


def is_known(alert: Alert | None, view: View | None) -> bool:
    """Return whether a state is older than what the sink knows, or no newer than the end that it knows of."""
    if alert is None or view is None:
        return False
    is_over = not view.open and view.alert.state is State.RESOLVED
    return alert.position < view.alert.position + is_over
