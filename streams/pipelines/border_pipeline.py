"""The border pipeline, pure: period summaries in, verdicts over neighbouring sectors out.

    records ─ decode ─▶ summaries ─ BorderQueue: wait for the slowest sector ─▶ BorderJudge.close ─▶ verdicts

A summary that was read before changes nothing, so a replay gives the same verdicts, and none twice.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.contract.cadence import Cadence
from streams.contract.reading import Record, Unusable, produced_at, read
from streams.contract.sectors import Registry
from streams.contract.verdicts import Verdict
from streams.counting.state_codec import Pair
from streams.counting.state_version import StateVersionError
from streams.judging.border_judge import BorderJudge
from streams.judging.period_summary import PeriodSummary
from streams.pipelines.border_queue import VERSION, BorderQueue

Key = tuple[str, Cadence]
# The queues of a partition, and which of them changed since the last commit.
Released = tuple[dict[Key, BorderQueue], set[Key]]


@dataclass
class BorderOutput:
    """What follows from summaries: what to publish, and what happened, for the metrics."""

    verdicts: list[Verdict] = field(default_factory=list)
    summaries: Counter[str] = field(default_factory=Counter)  # by what became of them
    periods: Counter[str] = field(default_factory=Counter)  # judged by border
    produced_at: int = 0  # ms: when the newest event behind these summaries was produced


class BorderPipeline:
    """Turn fetches of the assigned partitions into verdicts on borders."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._partitions: dict[int, dict[Key, BorderQueue]] = {}
        self._touched: defaultdict[int, set[Key]] = defaultdict(set)  # since the last commit

    def process(self, partition: int, records: Sequence[Record], topic: str = "summaries") -> BorderOutput:
        """Process one fetch of one partition, in the order of its offsets."""
        output = BorderOutput()
        for record in records:
            summary = read(PeriodSummary, record)
            if isinstance(summary, Unusable):
                output.summaries[summary] += 1
                continue
            self._add(partition, summary, output)
            output.produced_at = max(output.produced_at, produced_at(record.headers))
        return output

    def tick(self, now: float, moves: bool = True) -> BorderOutput:
        """Wait no longer for idle sectors.

        `moves` is whether all that is in the broker has been read: every partition of `encounters`, by
        whichever worker, and then every partition of `summaries` held here.
        """
        output = BorderOutput()
        for partition, queues in self._partitions.items() if moves else ():
            for key, queue in queues.items():
                queue.exclude_idle()
                self._close_periods(partition, key, output)
        return output

    def dirty(self) -> dict[int, list[Pair]]:
        """Return for each partition the keys and values that changed since the last call."""
        states = {
            partition: [pair for key in sorted(keys) for pair in self._partitions[partition][key].pairs()]
            for partition, keys in self._touched.items()
        }
        self._touched.clear()
        return states

    def restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        """Restore the state of a partition; borders that the registry no longer has are skipped.

        Raises StateVersionError.
        """
        queues = self._partitions[partition] = {}
        borders = {border for some in self._registry.audience.values() for border in some}
        for name, value in sorted(held.items()):  # a border's own key stands before those of its periods
            try:
                border, cadence, period = name.decode().split("|")
                key = border, Cadence(cadence)
                index = int(period or 0)
            except ValueError as error:
                raise StateVersionError(name.decode(errors="replace"), "unknown", VERSION) from error
            if border not in borders:
                continue
            if key not in queues:
                queues[key] = BorderQueue(BorderJudge(self._registry, *key))
            if period:
                queues[key].restore_period(index, value)
            else:
                queues[key].restore(value)

    def release(self, partition: int) -> Released | None:
        """Forget a partition; return it for `resume`, None where nothing is held of it."""
        touched, queues = self._touched.pop(partition, set()), self._partitions.pop(partition, None)
        return None if queues is None else (queues, touched)

    def resume(self, partition: int, released: Released) -> None:
        """Go on with a partition as `release` has returned it."""
        self._partitions[partition], self._touched[partition] = released

    def _add(self, partition: int, summary: PeriodSummary, output: BorderOutput) -> None:
        key = summary.border, summary.cadence
        if summary.border not in self._registry.audience.get(summary.sector, ()):
            output.summaries["unknown"] += 1
            return
        queues = self._partitions.setdefault(partition, {})
        if key not in queues:
            queues[key] = BorderQueue(BorderJudge(self._registry, *key))
        outcome = queues[key].add(summary)
        output.summaries[outcome] += 1
        if outcome != "repeated":
            self._touched[partition].add(key)
        # After every summary, so that fetches do not decide when a period is judged.
        self._close_periods(partition, key, output)

    def _close_periods(self, partition: int, key: Key, output: BorderOutput) -> None:
        for verdicts in self._partitions[partition][key].close_periods():
            output.verdicts += verdicts
            output.periods[key[0]] += 1
            self._touched[partition].add(key)
