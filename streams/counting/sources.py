"""The sources of a sector: when each was last alive, and when its next heartbeat is due.

    heartbeats of A   ▏  ▏  ▏  ▏  ▏                    ▏  ▏
    A                 alive          │ stopped         │ alive
                                     MISSED intervals after the last one

Only sources that send heartbeats are known. Their number is bounded: where there are LIMIT of them, the one
that stopped first makes room for another, if it has been away for GONE. So names that are no longer used, of
feeds that were renamed or of junk, keep no feed out for good.
"""

from typing import Final, NamedTuple

from streams.contract.cadence import DAY
from streams.counting.decoder import Heartbeat
from streams.counting.dedup import NEVER

LIMIT: Final = 16  # sources of one sector
MISSED: Final = 3  # intervals without a heartbeat after which a source has stopped
GONE: Final = 28 * DAY  # seconds after it has stopped, after which a source may make room for another


class Source(NamedTuple):
    """A source's newest heartbeat (epoch seconds), and the seconds from one to the next."""

    alive_at: int
    interval: int

    @property
    def stops_at(self) -> int:
        """When it has stopped, unless a heartbeat comes (epoch seconds)."""
        return self.alive_at + MISSED * self.interval


class Sources(dict[str, Source]):
    """The sources of one sector, by name."""

    def add(self, heartbeat: Heartbeat, alive_at: int) -> bool:
        """Take a heartbeat that shows life at `alive_at`; False where there are too many sources."""
        known = self.get(heartbeat.source)
        if known is None and (heartbeat.last or not self._has_room(alive_at)):
            return heartbeat.last
        if known is not None and alive_at < known.alive_at:
            return True
        if heartbeat.last:
            self.pop(heartbeat.source, None)
        else:
            self[heartbeat.source] = Source(alive_at, heartbeat.interval)
        return True

    def _has_room(self, at: int) -> bool:
        """Return whether there is room for another source at a time; makes it where one is gone by then."""
        if len(self) < LIMIT:
            return True
        first = min(self, key=lambda name: (self[name].stops_at, name))
        if self[first].stops_at + GONE > at:
            return False
        del self[first]
        return True

    @property
    def newest(self) -> int:
        """The newest heartbeat of all (epoch seconds)."""
        return max((one.alive_at for one in self.values()), default=NEVER)

    def stopped(self, at: int) -> dict[str, int]:
        """Return the sources that have stopped by a time, with their newest heartbeat (epoch seconds)."""
        return {name: one.alive_at for name, one in sorted(self.items()) if one.stops_at <= at}
