"""A backlog: alerts so old that nobody should be paged for them one by one.

A worker that was down for long reads verdicts of weeks ago. What they raise waits until no old alert has come
for a while. What still stands then is sent as usual; what began and ended meanwhile is summed up in one line.
"""

import datetime as dt
from typing import Final, NamedTuple

from alerts.lifecycle.alert import Alert, State
from alerts.notices.delivery_line import pause_after
from alerts.notices.outcomes import Outcome, Retry

OLD_SECONDS: Final = 72 * 3600.0  # an alert whose newest verdict is older than this is old
SETTLE_SECONDS: Final = 10.0  # without another old alert, until the backlog is over


class Summary(NamedTuple):
    """Alerts that were over before anybody could be notified."""

    over: int
    oldest: dt.datetime  # their first onset
    newest: dt.datetime  # event time of the last of them
    until: float  # epoch seconds: when the newest of their records was written


class Backlog:
    """The old alerts of one sink that are over, and whether more are still coming. Times in seconds."""

    def __init__(self, caught_up: float) -> None:
        self.caught_up = caught_up  # epoch: records up to here were summed up before
        self._over: dict[str, Alert] = {}
        self._fired: set[str] = set()  # alerts that were old already while they fired
        self._until = 0.0
        self._busy_until = self._not_before = 0.0  # of the steady clock
        self._tries = 0  # of the summary

    def observe(self, alert: Alert, *, published_at: float, steady: float) -> None:
        """Take note of an alert that the sink was not notified of, as it was when it was published.

        Whatever expires has had no verdict for long: it is of a backlog only where it fired in one.
        """
        if published_at <= self.caught_up or not is_old(alert, published_at):
            return
        if alert.expired and alert.alert_id not in self._fired:
            return
        self._busy_until = steady + SETTLE_SECONDS
        if alert.state is State.FIRING:
            self._fired.add(alert.alert_id)
        elif alert.state is State.RESOLVED and alert.raised_at is not None:
            self._over[alert.alert_id] = alert
            self._until = max(self._until, published_at)

    def is_busy(self, steady: float) -> bool:
        """Return whether old alerts are still coming."""
        return steady < self._busy_until

    def summary(self, steady: float) -> Summary | None:
        """Return the summary of what is over, once the backlog has been read."""
        if not self._over or self.is_busy(steady) or steady < self._not_before:
            return None
        return Summary(
            over=len(self._over),
            oldest=min(alert.onset for alert in self._over.values()),
            newest=max(alert.updated for alert in self._over.values()),
            until=self._until,
        )

    def is_done(self, summary: Summary, outcome: Outcome, steady: float) -> bool:
        """Apply the answer to a summary. Return whether that was the last try; then it is forgotten."""
        if isinstance(outcome, Retry):
            self._not_before = steady + pause_after(self._tries)
            self._tries += 1
            return False
        self.caught_up, self._tries = summary.until, 0
        self._over.clear()
        self._fired.clear()
        return True


def is_old(alert: Alert, now: float) -> bool:
    """Return whether the newest verdict of an alert is much older than `now` (epoch seconds)."""
    return now - alert.updated.timestamp() > OLD_SECONDS
