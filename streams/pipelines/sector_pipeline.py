"""The sector pipeline, pure: records of `encounters` in, verdicts out.

    records ─ decode ─▶ events ─ count ─▶ counts ─ close periods ─▶ verdicts

Event time is a partition's: that of its newest event. When it has passed the end of a period (and the allowed
lateness), that period is over for every sector of the partition. A fetch is cut where this happens, so that
what is closed depends on the records alone and not on how they were fetched:

        fetch  ▏ 09:58  09:59 ▕ 10:01  10:07 ▏       cut at 10:00: count two, close the hour, count two
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from streams.contract.cadence import HOUR
from streams.contract.dead_letters import DeadLetter, Reason, Rejected
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting.decoder import Decoder, Event
from streams.counting.dedup import HORIZON, LIMIT
from streams.counting.placement import Home, refuse_misplaced
from streams.counting.state_codec import Pair
from streams.judging.judge import Judge
from streams.pipelines.partition import Counted, Partition


class Record(Protocol):
    """What the pipeline needs of a record of the source."""

    offset: int
    value: bytes | None
    timestamp: int  # ms, the broker's


@dataclass
class SectorOutput:
    """What follows from a fetch: what to publish, and what happened, for the metrics."""

    verdicts: list[Verdict] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)  # counted, duplicate, corrected, rejected
    reasons: Counter[Reason] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)  # people by sector
    people: Counter[str] = field(default_factory=Counter)  # by sector
    produced_at: int = 0  # ms: the timestamp of the newest record


class Segment(NamedTuple):
    """Events between two closings, by sector."""

    watermark: int  # event time behind them, epoch seconds
    events: Mapping[str, list[Event]]


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
        home: Home | None = None,
    ) -> None:
        self._home = home  # the partition of a sector; None: any will do
        self._zones = {sector.id: sector.time_zone for sector in registry.sector}
        self._decoder = decoder or Decoder(registry)
        self._judge = judge
        self._lateness = lateness  # seconds of event time that a period is held open beyond its end
        self._dedup = dedup  # event ids remembered per sector, and for how many hours
        self.partitions: dict[int, Partition] = {}

    def process(self, partition: int, records: Sequence[Record], topic: str = "encounters") -> SectorOutput:
        """Process one fetch of one partition, in the order of its offsets."""
        newest = max(record.timestamp for record in records)
        values, offsets = [record.value for record in records], [record.offset for record in records]
        decoded = self._decoder.decode(values, newest / 1000, offsets)
        if self._home is not None:
            decoded = refuse_misplaced(decoded, partition, self._home)
        held, counted, verdicts = self._partition(partition), Counted(), list[Verdict]()
        for segment in _split_at_hours(decoded.events, held.watermark):
            held.count(segment.events, counted)
            verdicts += held.close_periods(segment.watermark)
        verdicts += held.look_at_open_periods(counted.people)
        rejected = [*decoded.rejected, *counted.rejected]
        return SectorOutput(
            verdicts=verdicts,
            dead=_dead_letters(rejected, records, topic, partition, newest / 1000),
            outcomes=counted.outcomes + Counter(rejected=len(rejected)),
            reasons=Counter(one.reason for one in rejected),
            late=counted.late,
            people=counted.people,
            produced_at=newest,
        )

    def tick(self, now: float, moves: bool = True) -> SectorOutput:
        """Let the clock on the wall move event time on: for partitions from which nothing comes."""
        output = SectorOutput(produced_at=int(now * 1000))
        for partition in self.partitions.values() if moves else ():
            if partition.counts:
                output.verdicts += partition.close_periods(int(now))
        return output

    def dirty(self) -> dict[int, list[Pair]]:
        """Return for each partition the keys and values that changed since the last call."""
        states = {at: partition.dirty() for at, partition in self.partitions.items()}
        return {at: pairs for at, pairs in states.items() if pairs}

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Restore the state of a partition; raises StateVersionError."""
        self.drop(partition)
        self._partition(partition).restore(held)

    def drop(self, partition: int) -> None:
        """Forget a partition."""
        self.partitions.pop(partition, None)

    def _partition(self, number: int) -> Partition:
        if number not in self.partitions:
            self.partitions[number] = Partition(
                self._judge, self._zones, lateness=self._lateness, dedup=self._dedup
            )
        return self.partitions[number]


def _dead_letters(
    rejected: Sequence[Rejected], records: Sequence[Record], topic: str, partition: int, when: float
) -> list[DeadLetter]:
    by_offset = {record.offset: record for record in records} if rejected else {}
    return [
        DeadLetter.of(one, by_offset[one.position].value, topic, partition, one.position, when)
        for one in rejected
    ]


def _split_at_hours(events: Iterable[Event], watermark: int) -> Iterator[Segment]:
    """Split events wherever event time enters another hour (every period ends with one)."""
    by_sector: defaultdict[str, list[Event]] = defaultdict(list)
    boundary = (watermark // HOUR + 1) * HOUR
    for event in events:
        at = event.event_time
        if at > watermark:
            watermark = at
            if at >= boundary:
                yield Segment(at, by_sector)
                by_sector = defaultdict(list)
                boundary = (at // HOUR + 1) * HOUR
        by_sector[event.sector].append(event)
    yield Segment(watermark, by_sector)
