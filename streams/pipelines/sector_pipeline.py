"""The flow, pure: records in, verdicts out.

    records ─ decode ─▶ events ─ fold ─▶ counts ─ close, peek ─▶ verdicts ─ select ─▶ what is said

Event time is a partition's: the newest moment that any of its events spoke of. When it has passed the end of
a period (and the allowed lateness), that period is over for every sector of the partition, also for those
from which nothing came. A fetch is cut where this happens, so that what is closed depends on the records
alone and not on how they were fetched:

        fetch  ▏ 09:58  09:59 ▕ 10:01  10:07 ▏       cut at 10:00: fold two, close the hour, fold two
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from streams.contract.cadence import DAY, HOUR, Cadence
from streams.contract.controls import StreamControl
from streams.contract.dead_letters import DeadLetter, Reason, Rejected
from streams.contract.questions import Look
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting import state_codec
from streams.counting.decoder import Decoder, Event
from streams.counting.dedup import HORIZON, LIMIT, DedupIndex
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import local
from streams.counting.state_codec import Pair
from streams.judging.judge import Judge

CLOCK = b"\0clock"  # key of a partition's event time; written after the sectors, so it is never ahead of them
QUARTER = 6 * HOUR  # of a day, after which it is looked at before it is over


class Record(Protocol):
    """What the pipeline needs of a record of the source."""

    offset: int
    value: bytes | None
    timestamp: int  # ms, the broker's


@dataclass
class Outcome:
    """What follows from a fetch: what to say, and what happened, for the metrics."""

    verdicts: list[Verdict] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)  # counted, duplicate, corrected, rejected
    reasons: Counter[Reason] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)  # people by sector
    people: Counter[str] = field(default_factory=Counter)  # by sector
    touched: set[str] = field(default_factory=set)  # sectors
    produced_at: int = 0  # ms: the timestamp of the newest record


class Cut(NamedTuple):
    """Events between two closings, by sector."""

    until: int  # event time reached behind them
    events: Mapping[str, list[Event]]


class Partition:
    """One partition: its sectors' counts and its event time."""

    def __init__(self) -> None:
        self.counts: dict[str, Counts] = {}
        self.event_time = 0
        self.touched: set[str] = set()  # since the last commit
        self.revised: set[str] = set()  # sectors with closed periods that changed


class SectorPipeline:
    """Holds the state of the assigned partitions and takes it from fetch to fetch."""

    def __init__(
        self,
        registry: Registry,
        judge: Judge,
        decoder: Decoder | None = None,
        *,
        lateness: int = 0,
        dedup: tuple[int, int] = (LIMIT, HORIZON),
    ) -> None:
        self._zones = {sector.id: sector.time_zone for sector in registry.sector}
        self._decoder = decoder or Decoder(registry)
        self._judge = judge
        self._lateness = lateness  # seconds of event time that a period is held open beyond its end
        self._dedup = dedup  # event ids remembered per sector, and for how many hours
        self.parts: dict[int, Partition] = {}

    def process(self, partition: int, records: Sequence[Record], topic: str = "encounters") -> Outcome:
        """Take one fetch of one partition, in the order of its offsets."""
        outcome = Outcome(produced_at=max(record.timestamp for record in records))
        part = self.parts.setdefault(partition, Partition())
        # The broker's time, not this machine's clock: so that a replay refuses what was refused then.
        now = outcome.produced_at / 1000
        values, offsets = [record.value for record in records], [record.offset for record in records]
        decoded = self._decoder.decode(values, now, offsets)
        refused = list(decoded.rejected)
        for cut in _cuts(decoded.events, part.event_time):
            refused += self._fold(part, cut, outcome)
            self._advance(part, cut.until, outcome)
        self._peek(part, outcome)
        by_offset = {record.offset: record for record in records} if refused else {}
        for reject in refused:
            record = by_offset[reject.position]
            outcome.dead.append(DeadLetter.of(reject, record.value, topic, partition, record.offset, now))
            outcome.reasons[reject.reason] += 1
        outcome.outcomes["rejected"] += len(refused)
        return outcome

    def tick(self, now: float, moves: bool = True) -> Outcome:
        """Let the clock on the wall move event time on: for partitions from which nothing comes."""
        outcome = Outcome(produced_at=int(now * 1000))
        for part in self.parts.values() if moves else ():
            if part.counts:
                self._advance(part, int(now), outcome)
        return outcome

    def apply(self, control: StreamControl) -> None:
        """Take what an operator said."""
        self._judge.apply(control)

    def withdraw(self, key: str) -> None:
        """An operator took a control back."""
        self._judge.withdraw(key)

    def dirty(self) -> dict[int, list[Pair]]:
        """For each partition the keys and values that changed since this was last asked."""
        states = {}
        for partition, part in self.parts.items():
            if part.touched:
                pairs = [
                    pair for sector in sorted(part.touched) for pair in state_codec.pairs(part.counts[sector])
                ]
                states[partition] = [*pairs, (CLOCK, str(part.event_time).encode())]
                part.touched.clear()
        return states

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Take the state of a partition back."""
        part = self.parts[partition] = Partition()
        part.event_time = int(held.get(CLOCK, b"0"))
        sectors = {key: value for key, value in held.items() if key != CLOCK}
        part.counts = state_codec.restore(sectors, self._zones, self._dedup)
        part.revised = {sector for sector, counts in part.counts.items() if counts.revised}

    def drop(self, partition: int) -> None:
        """Forget a partition."""
        self.parts.pop(partition, None)

    def _fold(self, part: Partition, cut: Cut, outcome: Outcome) -> list[Rejected]:
        refused: list[Rejected] = []
        counted = duplicate = corrected = 0
        people = outcome.people
        for sector, events in cut.events.items():
            counts = part.counts.get(sector)
            if counts is None:
                counts = part.counts[sector] = Counts(
                    sector, self._zones.get(sector, "UTC"), DedupIndex(*self._dedup)
                )
            before = counts.people
            fold = counts.fold(events, part.event_time)
            people[sector] = people.get(sector, 0) + counts.people - before
            counted += fold.counted
            duplicate += fold.duplicate
            corrected += fold.corrected
            if fold.late:
                outcome.late[sector] += fold.late
            if fold.unknown:
                refused += map(_unknown, fold.unknown)
            if counts.revised:
                part.revised.add(sector)
        outcome.touched |= cut.events.keys()
        outcome.outcomes.update(counted=counted, duplicate=duplicate, corrected=corrected)
        part.touched |= cut.events.keys()
        return refused

    def _advance(self, part: Partition, until: int, outcome: Outcome) -> None:
        """Move event time on, and close what is over by it, oldest first."""
        before, crossed = part.event_time, until // HOUR > part.event_time // HOUR
        part.event_time = max(part.event_time, until)
        if crossed:
            self._revise(part, outcome)
        while crossed and (due := self._due(part)):
            # Of all that is over, what began first: so that a month is closed after its days.
            cadence, index = min(due, key=lambda one: (one[0].start(one[1] + 1), one[1]))
            batch = due[cadence, index]
            for counts in batch:
                counts.close(cadence, index)
            self._ask(part, outcome, Look.CLOSED, batch, cadence, index)
            part.touched.update(counts.sector for counts in batch)
        if crossed:
            self._bursts(part, before, outcome)
            self._early(part, before, outcome)

    def _revise(self, part: Partition, outcome: Outcome) -> None:
        """Judge closed periods again that have changed: once an hour, and not whenever something came."""
        batches: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        for sector in sorted(part.revised):
            for period in part.counts[sector].revised:
                batches[period].append(part.counts[sector])
            part.counts[sector].revised.clear()
        for (cadence, index), batch in sorted(batches.items()):
            self._ask(part, outcome, Look.REVISED, batch, cadence, index)
        part.touched |= part.revised
        part.revised.clear()

    def _bursts(self, part: Partition, before: int, outcome: Outcome) -> None:
        """A look at the hours that are over since, of days that are not."""
        last = (part.event_time - self._lateness) // HOUR
        for hour in range(max((before - self._lateness) // HOUR, last - 24), last):
            self._ask(part, outcome, Look.HOUR, part.counts.values(), Cadence.HOUR, hour)

    def _early(self, part: Partition, before: int, outcome: Outcome) -> None:
        """A look at days of which another quarter is over."""
        batches: defaultdict[int, list[Counts]] = defaultdict(list)
        for counts in part.counts.values():
            now, then = (local(counts.zone, at // HOUR) for at in (part.event_time, before))
            index = Cadence.DAY.index(now)
            is_new = now // QUARTER > then // QUARTER and now % DAY >= QUARTER
            if is_new and Cadence.DAY in counts.held and counts.closed.get(Cadence.DAY) == index - 1:
                batches[index].append(counts)
        for index, batch in sorted(batches.items()):
            self._ask(part, outcome, Look.EARLY, batch, Cadence.DAY, index)

    def _due(self, part: Partition) -> dict[tuple[Cadence, int], list[Counts]]:
        """The next period of each sector and cadence that is over, by period."""
        hour = (part.event_time - self._lateness) // HOUR
        due: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        over: dict[tuple[str, Cadence], int] = {}
        for counts in part.counts.values():
            for cadence, series in counts.held.items():
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

    def _peek(self, part: Partition, outcome: Outcome) -> None:
        """An early word on periods still open, from sectors where it could be anything but calm."""
        batches: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        for sector in outcome.touched:
            counts = part.counts[sector]
            if counts.is_quiet():
                continue
            for cadence, series in counts.series.items():
                if cadence is Cadence.HOUR or series.values[-1] < counts.state.open_limits.get(cadence, 0):
                    continue
                index = series.end - 1
                if index > counts.closed.get(cadence, -1):
                    batches[cadence, index].append(counts)
        for (cadence, index), batch in sorted(batches.items()):
            self._ask(part, outcome, Look.OPEN, batch, cadence, index)

    def _ask(
        self,
        part: Partition,
        outcome: Outcome,
        look: Look,
        batch: Iterable[Counts],
        cadence: Cadence,
        index: int,
    ) -> None:
        verdicts = self._judge.ask(look, batch, cadence=cadence, index=index, watermark=part.event_time)
        outcome.verdicts += verdicts
        part.touched.update(verdict.sector for verdict in verdicts)


def _unknown(event: Event) -> Rejected:
    return Rejected(
        event.position, Reason.UNKNOWN_ORIGINAL, f"replaces {event.replaces!r}, which is not remembered"
    )


def _cuts(events: Iterable[Event], event_time: int) -> Iterator[Cut]:
    """Events cut wherever event time enters another hour (every period ends with one)."""
    by_sector: defaultdict[str, list[Event]] = defaultdict(list)
    boundary = (event_time // HOUR + 1) * HOUR
    for event in events:
        at = event.at
        if at > event_time:
            event_time = at
            if at >= boundary:
                yield Cut(at, by_sector)
                by_sector = defaultdict(list)
                boundary = (at // HOUR + 1) * HOUR
        by_sector[event.sector].append(event)
    yield Cut(event_time, by_sector)
