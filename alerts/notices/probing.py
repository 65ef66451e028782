"""A digest that fails: does the sink take nothing, or is it one of the messages that it does not take?

Messages of digests that failed twice are suspects. They join no digest, and one of them at a time is sent by
itself. Once the sink takes something, the others may join again: a sink that was away has them in a few
digests. A suspect whose digest fails again, although the sink has taken something, goes alone from then on.

Likewise of the wait that a receiver asks for: the whole sink waits, unless it took others since the message
failed before. So one message for which it asks for a wait each time, keeps it from no other.
"""

import math
from collections.abc import Mapping, Sequence

from alerts.notices.batches import Batch, Limits
from alerts.notices.delivery_line import FAULTS, Line
from alerts.notices.outcomes import Delivered, Outcome, Retry


class Probing:
    """The suspects of one sink. Times are seconds of the steady clock."""

    def __init__(self, lines: Mapping[str, Line], limits: Limits) -> None:
        self._lines, self._limits, self._has_digests = lines, limits, limits.most > 1
        self._taken_at = -math.inf  # when the sink last took something
        self._until = -math.inf  # when the next suspect may be sent
        self._probe: Batch | None = None

    def setbacks(self, alert_id: str) -> int:
        """Return how often a message failed in a way that holds up others, unless it is once.

        0 where the sink has taken something since: then it has nothing to do with the others.
        """
        line = self._lines[alert_id]
        often = line.tries if self._has_digests else line.waits
        return often if often >= FAULTS and line.failed_at >= self._taken_at else 0

    def is_suspect(self, alert_id: str) -> bool:
        """Return whether a message may be what its digests fail by."""
        return self._has_digests and self.setbacks(alert_id) > 0 and not self._lines[alert_id].alone

    def sift(self, ready: Sequence[str], steady: float) -> list[str]:
        """Return the alerts whose messages may go: of the suspects one, the least tried, in its time."""
        suspects = [one for one in ready if self.is_suspect(one)]
        if not suspects:
            return list(ready)
        probe = min(suspects, key=lambda one: self._lines[one].tries) if steady >= self._until else ""
        return [one for one in ready if one == probe or not self.is_suspect(one)]

    def joining(self, ready: Sequence[str]) -> list[str]:
        """Return those that may be in a digest."""
        return [one for one in ready if not self._lines[one].alone and not self.is_suspect(one)]

    def not_before(self, alert_id: str) -> float:
        """Return when a message may be sent."""
        until = self._until if self.is_suspect(alert_id) else -math.inf
        return max(self._lines[alert_id].not_before, until)

    def begin(self, batch: Batch) -> None:
        """A batch is on its way: if it is a suspect, the others wait for the answer."""
        if any(self.is_suspect(one.alert_id) for one in batch.messages):
            self._probe, self._until = batch, math.inf

    def pause_after(self, batch: Batch, outcome: Outcome) -> float:
        """Return the seconds for which the whole sink is left alone after an answer, before it is settled."""
        lines = [self._lines[one.alert_id] for one in batch.messages]
        if isinstance(outcome, Retry) and lines and not batch.backlog:
            took_others = all(line.tries > 0 and line.failed_at < self._taken_at for line in lines)
            for line in lines:
                line.waits_alone |= took_others
            if all(line.waits_alone for line in lines):
                return self._limits.spacing
        return self._limits.pause_after(outcome)

    def settle(self, batch: Batch, outcome: Outcome, steady: float) -> None:
        """Take the answer to a batch, after its lines have."""
        if isinstance(outcome, Delivered):
            self._taken_at = steady
        if batch is self._probe:
            self._probe = None
            self._until = max(self._lines[one.alert_id].not_before for one in batch.messages)
