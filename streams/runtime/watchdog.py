"""End a worker that makes no progress, and log the reason.

Consumers have been seen to stop fetching, silently and for good, after a broker was away. The watchdog
asks the broker by a connection of its own how far the topics reach. It runs in a thread, so that it also sees
an event loop that hangs. Progress is a record processed or a piece of a long closing done: a slow machine
that works is left alone, and so is a worker whose records wait behind a producer's open transaction.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from streams.runtime.readiness import Position
from streams.runtime.refusals import Exit

log = structlog.get_logger()


@dataclass
class Progress:
    """A worker's progress as seen from outside; times are seconds of one monotonic clock."""

    timeout: float  # seconds without progress after which the worker is stuck
    turned: float  # when the event loop last turned
    stood: dict[Position, tuple[int, float]] = field(default_factory=dict)  # offset processed, since when

    def turn(self, now: float) -> None:
        """The event loop turned."""
        self.turned = now

    def work(self, topic: str, now: float) -> None:
        """Something was done for a topic though no offset moved: a piece of a long closing."""
        for at, (offset, _) in self.stood.items():
            if at[0] == topic:
                self.stood[at] = offset, now

    def excuse(self, now: float) -> None:
        """The broker does not answer: nobody makes progress, and nobody is to blame."""
        self.stood = {at: (offset, now) for at, (offset, _) in self.stood.items()}

    def observe(self, processed: Mapping[Position, int], ends: Mapping[Position, int], now: float) -> None:
        """How far the assigned partitions are processed, and up to where they can be read."""
        for at in set(self.stood) - set(ends):
            del self.stood[at]
        for at, end in ends.items():
            offset = processed.get(at, 0)
            before, since = self.stood.get(at, (-1, now))
            waits = offset < end and offset == before
            self.stood[at] = (offset, since if waits else now)

    def standing(self, now: float, seconds: float) -> str | None:
        """The first partition whose records have waited for so long, in words; None where there is none."""
        for (topic, partition), (offset, since) in sorted(self.stood.items()):
            if now - since > seconds:
                return f"{topic}[{partition}] has records, but stands at {offset} for {now - since:.0f} s"
        return None

    def stuck(self, now: float) -> str | None:
        """Why the worker has to end, or None."""
        if now - self.turned > self.timeout:
            return f"the event loop has not turned for {now - self.turned:.0f} s"
        return self.standing(now, self.timeout)


def start_watchdog(progress: Progress, end: Callable[[int], None] = os._exit) -> threading.Thread:
    """Watch from a thread of its own; a worker that is stuck ends with Exit.STUCK."""

    def watch() -> None:
        while True:
            time.sleep(min(1.0, progress.timeout / 4))
            reason = progress.stuck(time.monotonic())
            if reason is not None:
                log.critical("no progress, so this worker ends itself", reason=reason)
                end(Exit.STUCK)
                return

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    return thread


def end_within(seconds: float, status: int) -> threading.Timer:
    """End the process with this status after so many seconds, whatever still hangs then."""

    def end() -> None:
        log.warning("did not stop in time, so it is ended", seconds=seconds)
        os._exit(status)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer
