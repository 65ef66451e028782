"""A port that is reported by the week or month: tallies that come on time, late, or never."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from streams.contract.cadence import Cadence
from tests.stories.port import HOUR, Port

DAY = 24 * HOUR


class TalliedPort(Port):
    """`cadence` is of the tallies; each becomes known `delay` seconds after the end of its period."""

    def __init__(self, first: str, cadence: Cadence, *, delay: int = -HOUR, **more: Any) -> None:
        super().__init__(first, zone="UTC", **more)
        self.cadence, self.delay = cadence, delay
        self._waiting: list[tuple[int, int, int]] = []  # known, occurred, people

    def report(self, counts: Sequence[int | None]) -> None:
        """Let some periods pass; None: its tally never comes."""
        for people in counts:
            first, end = (self._midnight(day) for day in (self.today, self.following()))
            if people is not None:
                self._waiting.append((end + self.delay, first + DAY, people))
            for midnight in range(first + DAY, end + 1, DAY):
                self._receive(midnight)
                self._take(self.flow.tick(midnight + 1))
            self.today = self.following()

    def _receive(self, until: int) -> None:
        """Send what is known by a moment."""
        for known, occurred, people in [one for one in self._waiting if one[0] <= until]:
            self._waiting.remove((known, occurred, people))
            self.send(occurred, people, known=known, period=self.cadence.value)

    def following(self) -> dt.date:
        """Return the first day of the next period."""
        if self.cadence is Cadence.WEEK:
            return self.today + dt.timedelta(7)
        return (self.today.replace(day=1) + dt.timedelta(32)).replace(day=1)
