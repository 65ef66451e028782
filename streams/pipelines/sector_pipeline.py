"""The sector pipeline, pure: records of `encounters` in, verdicts out.

    records ─ decode ─▶ events ─ Partition: count, close periods, judge ─▶ verdicts, summaries

What follows from the records of a sector depends on these records alone: their values, their order and the
time at which the broker appended each. How they were fetched, what lies beside them in their partition, and
how far other partitions are read changes nothing.

Work can be cut. With a `budget` of judged periods, `process` and `tick` stop where it is used up: there is
`SectorOutput.more`. `proceed` goes on with a fetch, another `tick` with the passing of time. Between two
calls the outputs so far can be published and the state written; the offset to commit is still the one before
the fetch. Cuts change no verdict.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.contract.dead_letters import DeadLetter, Reason, Rejected
from streams.contract.reading import LATEST, Record
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting.decoder import Decoder, Item
from streams.counting.dedup import HORIZON, LIMIT
from streams.counting.placement import Home, refuse_misplaced
from streams.counting.state_codec import Pair
from streams.judging.judge import Judge
from streams.judging.period_summary import PeriodSummary, summaries
from streams.pipelines.partition import Partition
from streams.pipelines.progress import Empty, Progress


@dataclass
class SectorOutput:
    """What follows from records and time: what to publish, and what happened, for the metrics."""

    verdicts: list[Verdict] = field(default_factory=list)
    summaries: list[PeriodSummary] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)  # of events, and `heartbeat`
    reasons: Counter[Reason] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)  # people by sector
    people: Counter[str] = field(default_factory=Counter)  # by sector
    produced_at: int = 0  # ms: the timestamp of the newest record
    more: bool = False  # work is left: call `proceed` (`tick`) again


class Work(NamedTuple):
    """A fetch, or the passing of time, in one partition. Dropped half done, it can be done anew."""

    partition: int
    topic: str
    records: Sequence[Record]
    produced_at: int  # ms
    progress: Progress
    steps: Iterator[None]


class SectorPipeline:
    """Turn fetches of the assigned partitions into verdicts."""

    def __init__(
        self,
        registry: Registry,
        judge: Judge,
        decoder: Decoder | None = None,
        *,
        lateness: int = 0,
        dedup: tuple[int, int] = (LIMIT, HORIZON),
        wall_clock: bool = False,
        home: Home | None = None,
        budget: int | None = None,
    ) -> None:
        """Make a pipeline without state.

        Args:
            registry: the sectors.
            judge: what is asked about them.
            decoder: of the registry, where its limits are not the usual ones.
            lateness: seconds of event time that a period is held open beyond its end.
            dedup: event ids remembered per sector, and for how many hours.
            wall_clock: whether events happen now, so that time passes also without any.
            home: the partition of a sector, where events elsewhere are refused; None: any will do.
            budget: periods to judge before work is cut; None: it never is.
        """
        self._registry = registry
        self._decoder = decoder or Decoder(registry)
        self._judge = judge
        self._zones = {sector.id: sector.time_zone for sector in registry.sector}
        self._lateness, self._dedup, self._wall_clock = lateness, dedup, wall_clock
        self._home, self._budget = home, budget
        self._work: dict[int, Work] = {}  # by partition: what is not done yet
        self.partitions: dict[int, Partition] = {}

    def process(self, partition: int, records: Sequence[Record], topic: str = "encounters") -> SectorOutput:
        """Process one fetch of one partition, in the order of its offsets."""
        timestamps = [record.timestamp for record in records]
        newest = max(timestamps)
        if newest > LATEST:
            timestamps = [min(timestamp, LATEST) for timestamp in timestamps]
        decoded = self._decoder.decode(
            [record.value for record in records],
            [timestamp / 1000 for timestamp in timestamps],
            [record.offset for record in records],
        )
        if self._home is not None:
            decoded = refuse_misplaced(decoded, partition, self._home)
        progress = Progress(rejected=decoded.rejected)
        steps = self._partition(partition).process(_by_sector(decoded.events), progress)
        self._work[partition] = Work(partition, topic, records, newest, progress, steps)
        return self.proceed(partition)

    def proceed(self, partition: int) -> SectorOutput:
        """Go on with the fetch of a partition where `process` has cut it."""
        output = SectorOutput()
        if partition in self._work:
            self._go_on(self._work[partition], self._budget, output)
        return output

    def tick(self, now: float, moves: bool = True) -> SectorOutput:
        """Let time pass to `now`, the broker's (epoch seconds), in live sectors.

        `moves` is whether every partition held here is read to its end.
        """
        output, left = SectorOutput(), self._budget
        for number, partition in self.partitions.items() if moves and self._wall_clock else ():
            if number not in self._work:
                progress = Progress()
                steps = partition.pass_time(now, progress)
                self._work[number] = Work(number, "", (), int(now * 1000), progress, steps)
            judged = self._go_on(self._work[number], left, output)
            if output.more:
                break
            left = None if left is None else max(left - judged, 1)
        return output

    def dirty(self) -> dict[int, list[Pair]]:
        """Return for each partition the keys and values that changed since the last call."""
        states = {at: partition.dirty() for at, partition in self.partitions.items()}
        return {at: pairs for at, pairs in states.items() if pairs}

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Restore the state of a partition; raises StateVersionError."""
        self.release(partition)
        self._partition(partition).restore(held)

    def release(self, partition: int) -> Partition | None:
        """Forget a partition; return it for `resume`, None where work on it is left, which is dropped."""
        is_whole = self._work.pop(partition, None) is None
        held = self.partitions.pop(partition, None)
        return held if is_whole else None

    def resume(self, partition: int, held: Partition) -> None:
        """Go on with a partition as `release` has returned it."""
        self.partitions[partition] = held

    def _partition(self, number: int) -> Partition:
        if number not in self.partitions:
            self.partitions[number] = Partition(
                self._judge,
                self._zones,
                lateness=self._lateness,
                dedup=self._dedup,
                wall_clock=self._wall_clock,
            )
        return self.partitions[number]

    def _go_on(self, work: Work, budget: int | None, output: SectorOutput) -> int:
        """Work until `budget` periods are judged (None: to the end); return how many were."""
        judged = 0
        for _ in work.steps:
            judged = work.progress.periods
            if budget is not None and judged >= budget:
                output.more = True
                break
        else:
            judged = work.progress.periods
            del self._work[work.partition]
        self._collect(work, output)
        return judged

    def _collect(self, work: Work, output: SectorOutput) -> None:
        """Move what has happened since the last time from the work to an output."""
        done = work.progress.take()
        for found in done.found:
            if isinstance(found, Empty):
                output.summaries += found.summaries(self._registry)
            else:
                output.verdicts.append(found)
                output.summaries += summaries([found], self._registry)
        output.dead += _dead_letters(done.rejected, work)
        output.outcomes.update(done.outcomes, rejected=len(done.rejected))
        output.reasons.update(one.reason for one in done.rejected)
        output.late.update(done.late)
        output.people.update(done.people)
        output.produced_at = max(output.produced_at, work.produced_at)


def _dead_letters(rejected: Sequence[Rejected], work: Work) -> Iterator[DeadLetter]:
    by_offset = {record.offset: record for record in work.records} if rejected else {}
    for one in rejected:
        record = by_offset[one.position]
        yield DeadLetter.of(
            one,
            record.value,
            topic=work.topic,
            partition=work.partition,
            offset=record.offset,
            when=record.timestamp / 1000,
        )


def _by_sector(items: Iterable[Item]) -> dict[str, list[Item]]:
    found: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.sector].append(item)
    return found
