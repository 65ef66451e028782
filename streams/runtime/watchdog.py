"""A worker that makes no progress ends itself and says why.

Consumers have been seen to stop fetching, silently and for good, after a broker was away. The watchdog
asks the broker by a connection of its own how far the topics reach. It runs in a thread, so that an event
loop that hangs is seen too.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

EXIT_STUCK = 70  # EX_SOFTWARE
Position = tuple[str, int]  # topic, partition


@dataclass
class Progress:
    """What has been seen of a worker's progress; times are seconds of one monotonic clock."""

    patience: float  # seconds without progress that are borne
    beat: float  # when the event loop last turned
    moved: dict[Position, tuple[int, float]] = field(default_factory=dict)  # offset processed, since when

    def beats(self, now: float) -> None:
        """The event loop turned."""
        self.beat = now

    def saw(self, processed: Mapping[Position, int], ends: Mapping[Position, int], now: float) -> None:
        """How far the assigned partitions are processed, and where they end in the broker."""
        for at in set(self.moved) - set(ends):
            del self.moved[at]
        for at, end in ends.items():
            offset = processed.get(at, 0)
            before, since = self.moved.get(at, (-1, now))
            waiting = offset < end and offset == before
            self.moved[at] = (offset, since if waiting else now)

    def stuck(self, now: float) -> str | None:
        """Why the worker has to end, or None."""
        if now - self.beat > self.patience:
            return f"the event loop has not turned for {now - self.beat:.0f} s"
        for (topic, partition), (offset, since) in sorted(self.moved.items()):
            if now - since > self.patience:
                return f"{topic}[{partition}] has records, but stands at {offset} for {now - since:.0f} s"
        return None


def start_watchdog(progress: Progress, end: Callable[[int], None] = os._exit) -> threading.Thread:
    """Watch from a thread of its own; a worker that is stuck ends with EXIT_STUCK."""

    def watch() -> None:
        while True:
            time.sleep(min(1.0, progress.patience / 4))
            reason = progress.stuck(time.monotonic())
            if reason is not None:
                log.critical("no progress, so this worker ends itself", reason=reason)
                end(EXIT_STUCK)
                return

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    return thread
