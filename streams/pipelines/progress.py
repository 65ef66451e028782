"""What a piece of work on a partition has led to so far."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from streams.contract.cadence import Cadence
from streams.contract.dead_letters import Reason, Rejected
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting.decoder import Heartbeat
from streams.counting.sector_counts import Added
from streams.counting.series import KEEP, instant
from streams.counting.sources import LIMIT
from streams.judging.period_summary import PeriodSummary


class Empty(NamedTuple):
    """Periods of a sector that were passed over, because so many before them were empty.

    Of a century of days the last ones are enough: a border looks no further back than a sector's counts are
    kept, and a summary of each day for each border would cost more than all else.
    """

    sector: str
    zone: str
    cadence: Cadence
    first: int
    last: int

    @property
    def summed_up(self) -> range:
        """Return the periods that borders are given."""
        return range(max(self.first, self.last + 1 - KEEP[self.cadence]), self.last + 1)

    def summaries(self, registry: Registry) -> Iterator[PeriodSummary]:
        """Return their summaries, so that borders need not wait for the sector: of nobody, none expected."""
        for border in registry.audience.get(self.sector, ()):
            for index in self.summed_up:
                yield PeriodSummary(
                    sector=self.sector,
                    border=border,
                    cadence=self.cadence,
                    period=instant(self.zone, self.cadence.start(index)),
                    as_of=dt.datetime.fromtimestamp(self.cadence.start(index + 1), dt.UTC),
                    observed=0,
                    expected=0,
                )


@dataclass
class Progress:
    """What became of events, and what follows from them and from time."""

    found: list[Verdict | Empty] = field(default_factory=list)  # in the order of a sector's periods
    outcomes: Counter[str] = field(default_factory=Counter)  # counted, duplicate, corrected, heartbeat
    people: Counter[str] = field(default_factory=Counter)  # by sector
    late: Counter[str] = field(default_factory=Counter)  # people by sector
    rejected: list[Rejected] = field(default_factory=list)
    periods: int = 0  # that were judged or summed up, of all sectors

    def count(self, sector: str, people: int, added: Added) -> None:
        """Record what adding events to a sector did."""
        self.outcomes["counted"] += added.counted
        if added.duplicate or added.corrected:
            self.outcomes.update(duplicate=added.duplicate, corrected=added.corrected)
        self.people[sector] = self.people.get(sector, 0) + people
        if added.late:
            self.late[sector] += added.late
        for event in added.unknown:
            detail = f"replaces {event.replaces!r}, which is not known, or was replaced already"
            self.rejected.append(Rejected(event.position, Reason.UNKNOWN_ORIGINAL, detail))

    def observe(self, heartbeat: Heartbeat, *, is_taken: bool) -> None:
        """Record a heartbeat; it is refused where its sector has too many sources."""
        if is_taken:
            self.outcomes["heartbeat"] += 1
            return
        detail = f"{heartbeat.sector} has {LIMIT} sources already: end one by a heartbeat with `last`"
        self.rejected.append(Rejected(heartbeat.position, Reason.INVALID, detail))

    def take(self) -> "Progress":
        """Return what has happened so far, and begin anew."""
        taken, fresh = Progress(), Progress()
        for one in fields(self):
            setattr(taken, one.name, getattr(self, one.name))
            setattr(self, one.name, getattr(fresh, one.name))
        return taken
