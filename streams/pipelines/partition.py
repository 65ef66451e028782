"""One partition of `encounters`: the counts of its sectors, its watermark, and the closing of periods.

Everything that is asked of the judge is asked here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streams.contract.cadence import DAY, HOUR, Cadence
from streams.contract.dead_letters import Reason, Rejected
from streams.contract.questions import Look
from streams.contract.verdicts import Verdict
from streams.counting import state_codec
from streams.counting.decoder import Event
from streams.counting.dedup import DedupIndex
from streams.counting.sector_counts import KEEP, Added, Counts
from streams.counting.series import local
from streams.counting.state_codec import Pair
from streams.judging.judge import Judge

CLOCK = b"\0clock"  # key of the watermark; written after the sectors, so it is never ahead of them
QUARTER = 6 * HOUR  # of a day, after which it is looked at before it is over


@dataclass
class Counted:
    """What became of events, for the metrics."""

    outcomes: Counter[str] = field(default_factory=Counter)  # counted, duplicate, corrected
    people: Counter[str] = field(default_factory=Counter)  # by sector
    late: Counter[str] = field(default_factory=Counter)  # people by sector
    rejected: list[Rejected] = field(default_factory=list)


class Partition:
    """The sectors of one partition."""

    def __init__(
        self, judge: Judge, zones: Mapping[str, str], *, lateness: int, dedup: tuple[int, int]
    ) -> None:
        self._judge, self._zones = judge, zones
        self._lateness, self._dedup = lateness, dedup
        self.counts: dict[str, Counts] = {}
        self.watermark = 0  # the newest event time, epoch seconds
        self._touched: set[str] = set()  # sectors that changed since the last commit
        self._revised: set[str] = set()  # sectors with closed periods that changed

    def count(self, events: Mapping[str, list[Event]], counted: Counted) -> None:
        """Count events by sector, in the order of their offsets."""
        for sector, batch in events.items():
            counts = self.counts.get(sector)
            if counts is None:
                zone = self._zones.get(sector, "UTC")
                counts = self.counts[sector] = Counts(sector, zone, DedupIndex(*self._dedup))
            before = counts.people
            added = counts.add(batch, self.watermark)
            counted.people[sector] = counted.people.get(sector, 0) + counts.people - before
            _tally(counted, sector, added)
            if counts.revised:
                self._revised.add(sector)
        self._touched |= events.keys()

    def close_periods(self, until: int) -> list[Verdict]:
        """Move the watermark to `until` (epoch seconds), and close what is over by it, oldest first."""
        before, crossed = self.watermark, until // HOUR > self.watermark // HOUR
        self.watermark = max(self.watermark, until)
        verdicts: list[Verdict] = []
        if crossed:
            verdicts += self._revise()
        while crossed and (due := self._due()):
            # Of all that is over, what ended first: so that a month is closed after its days.
            cadence, index = min(due, key=lambda one: (one[0].start(one[1] + 1), one[1]))
            batch = due[cadence, index]
            for counts in batch:
                counts.close(cadence, index)
            verdicts += self._ask(Look.CLOSED, batch, cadence, index)
            self._touched.update(counts.sector for counts in batch)
        if crossed:
            verdicts += self._look_at_hours(before)
            verdicts += self._look_early(before)
        return verdicts

    def look_at_open_periods(self, sectors: Iterable[str]) -> list[Verdict]:
        """Look at open periods whose count could already be a breach."""
        batches: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        for sector in sectors:
            counts = self.counts[sector]
            if counts.is_quiet():
                continue
            counts.settle()
            for cadence, series in counts.series.items():
                if cadence is Cadence.HOUR or series.values[-1] < counts.state.open_limits.get(cadence, 0):
                    continue
                index = series.end - 1
                if index > counts.closed.get(cadence, index - 1):
                    batches[cadence, index].append(counts)
        verdicts: list[Verdict] = []
        for (cadence, index), batch in sorted(batches.items()):
            verdicts += self._ask(Look.OPEN, batch, cadence, index)
        return verdicts

    def dirty(self) -> list[Pair]:
        """Return the keys and values that changed since the last call."""
        if not self._touched:
            return []
        pairs = [pair for sector in sorted(self._touched) for pair in state_codec.pairs(self.counts[sector])]
        self._touched.clear()
        return [*pairs, (CLOCK, str(self.watermark).encode())]

    def restore(self, held: Mapping[bytes, bytes]) -> None:
        """Restore what `dirty` returned; raises StateVersionError."""
        self.watermark = int(held.get(CLOCK, b"0"))
        sectors = {key: value for key, value in held.items() if key != CLOCK}
        self.counts = state_codec.restore(sectors, self._zones, self._dedup)
        self._revised = {sector for sector, counts in self.counts.items() if counts.revised}

    def _revise(self) -> list[Verdict]:
        """Judge closed periods that changed: once an hour, and not at every late event."""
        batches: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        for sector in sorted(self._revised):
            self.counts[sector].settle()
            for period in self.counts[sector].revised:
                batches[period].append(self.counts[sector])
            self.counts[sector].revised.clear()
        verdicts: list[Verdict] = []
        for (cadence, index), batch in sorted(batches.items()):
            verdicts += self._ask(Look.REVISED, batch, cadence, index)
        self._touched |= self._revised
        self._revised.clear()
        return verdicts

    def _look_at_hours(self, before: int) -> list[Verdict]:
        """Look at the hours that are over since, of days that are not."""
        last = (self.watermark - self._lateness) // HOUR
        verdicts: list[Verdict] = []
        for hour in range(max((before - self._lateness) // HOUR, last - 24), last):
            verdicts += self._ask(Look.HOUR, self.counts.values(), Cadence.HOUR, hour)
        return verdicts

    def _look_early(self, before: int) -> list[Verdict]:
        """Look at open days of which another quarter is over."""
        batches: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in self.counts.values():
            now, then = (local(counts.zone, at // HOUR) for at in (self.watermark, before))
            index = Cadence.DAY.index(now)
            is_new = now // QUARTER > then // QUARTER and now % DAY >= QUARTER
            if is_new and Cadence.DAY in counts.series and counts.closed.get(Cadence.DAY) == index - 1:
                counts.settle()
                batches[index].append(counts)
        verdicts: list[Verdict] = []
        for index, batch in sorted(batches.items()):
            verdicts += self._ask(Look.EARLY, batch, Cadence.DAY, index)
        return verdicts

    def _due(self) -> dict[tuple[Cadence, int], list[Counts]]:
        """The next period of each sector and cadence that is over, by period."""
        hour = (self.watermark - self._lateness) // HOUR
        due: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        over: dict[tuple[str, Cadence], int] = {}
        for counts in self.counts.values():
            for cadence, series in counts.series.items():
                if cadence is Cadence.HOUR:
                    # All that an hour is asked for is silence: only the last one, where it was long enough.
                    if counts.closed.get(cadence, 0) < hour - 1 and self._judge.is_silence_due(counts, hour):
                        due[cadence, hour - 1].append(counts)
                    continue
                last = over.get((counts.zone, cadence))
                if last is None:
                    last = over[counts.zone, cadence] = cadence.index(local(counts.zone, hour)) - 1
                # After a silence longer than what is kept, there is nothing left to judge in between.
                following = max(counts.closed.get(cadence, series.first - 1), last - KEEP[cadence]) + 1
                if following <= last:
                    due[cadence, following].append(counts)
        return due

    def _ask(self, look: Look, batch: Iterable[Counts], cadence: Cadence, index: int) -> list[Verdict]:
        verdicts = self._judge.ask(look, batch, cadence=cadence, index=index, watermark=self.watermark)
        self._touched.update(verdict.sector for verdict in verdicts)
        return verdicts


def _tally(counted: Counted, sector: str, added: Added) -> None:
    outcomes = counted.outcomes
    outcomes["counted"] += added.counted
    outcomes["duplicate"] += added.duplicate
    outcomes["corrected"] += added.corrected
    if added.late:
        counted.late[sector] += added.late
    for event in added.unknown:
        detail = f"replaces {event.replaces!r}, which is not remembered"
        counted.rejected.append(Rejected(event.position, Reason.UNKNOWN_ORIGINAL, detail))
