"""The broker's clock, which a wrong clock of a worker or of a producer cannot move.

A broker stamps what it appends to a topic with LogAppendTime, and answers a producer with that stamp. From
there on the time is carried forward by this machine's monotonic clock. A broker that stamps nothing (the
embedded one of the demo, or topics that `surgewatch topics` has not seen) leaves the worker's own clock.
"""

import time
from collections.abc import Callable

EARLIEST = 1_000_000_000  # epoch seconds: 2001, before which no broker ran


class BrokerClock:
    """Epoch seconds by the broker's clock. `wall` and `monotonic` are the clocks of this machine."""

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._appended: tuple[float, float] | None = None  # append time, and when it was seen

    def observe(self, append_time: float) -> None:
        """The broker has just appended something at this time (epoch seconds).

        The embedded broker gives times of 1970; they are ignored.
        """
        if append_time > EARLIEST:
            self._appended = append_time, self._monotonic()

    def now(self) -> float:
        """The broker's time, or this machine's where the broker has not given any."""
        if self._appended is None:
            return self._wall()
        append_time, seen = self._appended
        return append_time + self._monotonic() - seen

    def age(self) -> float:
        """Seconds since the broker last gave its time; infinite where it never did."""
        return float("inf") if self._appended is None else self._monotonic() - self._appended[1]

    def skew(self) -> float:
        """Seconds that this machine's clock is ahead of the broker's."""
        return self._wall() - self.now()
