"""The regions, pure: summaries in, verdicts over neighbours out.

    records ─ decode ─▶ summaries ─▶ waiting, by period ─▶ BorderJudge.close ─▶ verdicts

The sectors of a border are counted in different partitions, whose event times do not go in step. So
summaries of one border come in any order of sectors, but those of one sector in the order of its periods. A
period is due when no sector that may still close it is behind it:

        sector  a  ████████████▏               heard up to here
                b  ███████▏                    the slowest: what is before its end is judged
                c  ▏                           so far behind that it is not waited for

A level that was heard before changes nothing, so a replay of summaries says what was said, and nothing twice.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from streams.contract.cadence import Cadence
from streams.contract.reading import Unusable, produced_at, read
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting.state_codec import Pair
from streams.judging.border_judge import KEEP, BorderJudge
from streams.judging.period_summary import PeriodSummary

WAIT: Final = KEEP  # periods behind the first sector at which the last one is not waited for any more
START: Final = {
    Cadence.HOUR: 28,
    Cadence.DAY: 28,
    Cadence.WEEK: 8,
    Cadence.MONTH: 6,
}  # periods after a border's first word in which every sector of the registry may still join
Key = tuple[str, Cadence]


class Record(Protocol):
    """What the regions need of a record of `summaries`."""

    value: bytes | None
    timestamp: int  # ms, the broker's
    headers: Sequence[tuple[str, bytes | None]]


@dataclass
class Outcome:
    """What follows from summaries: what to say, and what happened, for the metrics."""

    verdicts: list[Verdict] = field(default_factory=list)
    summaries: Counter[str] = field(default_factory=Counter)  # heard, repeated, late, unknown, or Unusable
    periods: Counter[str] = field(default_factory=Counter)  # judged by border
    produced_at: int = 0  # ms: when the newest event behind these summaries was produced


class BorderQueue:
    """One border and cadence: how far each sector has told, and the periods not judged yet."""

    def __init__(self, region: BorderJudge) -> None:
        self.region = region
        self.first: int | None = None  # the first period that was spoken of
        self.told: dict[str, int] = {}  # by sector: the newest period
        self.summaries: dict[int, list[PeriodSummary]] = {}  # by period
        self.touched: set[int] = set()  # periods whose summaries changed since the last commit

    def add(self, summary: PeriodSummary) -> str:
        """Take a level; what became of it."""
        index = summary.index
        if index <= self.told.get(summary.sector, -1):
            return "repeated"
        self.told[summary.sector] = index
        self.first = index if self.first is None else min(self.first, index)
        if index <= self.region.last:
            self.region.recall(summary)
            return "late"
        self.summaries.setdefault(index, []).append(summary)
        self.touched.add(index)
        return "heard"

    def due(self) -> list[list[PeriodSummary]]:
        """The summaries of each period that is over for all, oldest first; they are not held any longer."""
        newest = max(self.told.values())
        if (
            len(self.told) < len(self.region.sectors)
            and newest - (self.first or 0) < START[self.region.cadence]
        ):
            return []
        slowest = min(index for index in self.told.values() if newest - index < WAIT)
        over = sorted(index for index in self.summaries if index <= slowest)
        self.touched.update(over)
        return [self.summaries.pop(index) for index in over]

    def pairs(self) -> list[Pair]:
        """Keys and values: its own, and each period that was touched (None where it is judged)."""
        prefix = f"{self.region.border}|{self.region.cadence}|"
        own = msgspec.msgpack.encode((self.first, self.told, self.region.encode()))
        pairs: list[Pair] = [(prefix.encode(), own)]
        for index in sorted(self.touched):
            summaries = self.summaries.get(index)
            told = [summary.model_dump_json() for summary in summaries or ()]
            pairs.append((f"{prefix}{index}".encode(), msgspec.msgpack.encode(told) if told else None))
        self.touched.clear()
        return pairs

    def restore(self, held: bytes) -> None:
        """Take the value of its own key back; sectors that the registry no longer has are left out."""
        self.first, told, region = msgspec.msgpack.decode(held)
        self.region.restore(region)
        self.told = {sector: index for sector, index in told.items() if sector in self.region.sectors}


class BorderPipeline:
    """Holds the borders of the assigned partitions and takes them from fetch to fetch."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._parts: dict[int, dict[Key, BorderQueue]] = {}
        self._touched: defaultdict[int, set[Key]] = defaultdict(set)  # since the last commit

    def process(self, partition: int, records: Sequence[Record], topic: str = "summaries") -> Outcome:
        """Take one fetch of one partition, in the order of its offsets."""
        outcome = Outcome()
        for record in records:
            summary = read(PeriodSummary, record)
            if isinstance(summary, Unusable):
                outcome.summaries[summary] += 1
                continue
            self._hear(partition, summary, outcome)
            outcome.produced_at = max(outcome.produced_at, produced_at(record.headers))
        return outcome

    def tick(self, now: float, moves: bool = True) -> Outcome:
        """Nothing: what the clock on the wall moves are the sectors, and they tell."""
        return Outcome()

    def dirty(self) -> dict[int, list[Pair]]:
        """For each partition the keys and values that changed since this was last asked."""
        states = {}
        for partition, keys in self._touched.items():
            states[partition] = [pair for key in sorted(keys) for pair in self._parts[partition][key].pairs()]
        self._touched.clear()
        return states

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Take the state of a partition back; a border that the registry no longer has is left out."""
        part = self._parts[partition] = {}
        borders = {border for told in self._registry.audience.values() for border in told}
        for name, value in sorted(held.items()):  # a border's own key stands before those of its periods
            border, cadence, period = name.decode().split("|")
            if border not in borders:
                continue
            key = border, Cadence(cadence)
            if not period:
                part[key] = BorderQueue(BorderJudge(self._registry, *key))
                part[key].restore(value)
            else:
                told = msgspec.msgpack.decode(value)
                part[key].summaries[int(period)] = [
                    PeriodSummary.model_validate_json(summary) for summary in told
                ]

    def drop(self, partition: int) -> None:
        """Forget a partition."""
        self._parts.pop(partition, None)
        self._touched.pop(partition, None)

    def _hear(self, partition: int, summary: PeriodSummary, outcome: Outcome) -> None:
        key = summary.border, summary.cadence
        if summary.border not in self._registry.audience.get(summary.sector, ()):
            outcome.summaries["unknown"] += 1
            return
        part = self._parts.setdefault(partition, {})
        if key not in part:
            part[key] = BorderQueue(BorderJudge(self._registry, *key))
        became = part[key].add(summary)
        outcome.summaries[became] += 1
        if became == "heard":
            # After every summary, so that fetches do not decide when a period is judged.
            for summaries in part[key].due():
                outcome.verdicts += part[key].region.close(summaries)
                outcome.periods[summary.border] += 1
        if became in ("heard", "late"):
            self._touched[partition].add(key)
