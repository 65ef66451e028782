"""The border pipeline, pure: period summaries in, verdicts over neighbouring sectors out.

    records ─ decode ─▶ summaries ─ BorderQueue: wait for the slowest sector ─▶ BorderJudge.close ─▶ verdicts

A summary that was read before changes nothing, so a replay gives the same verdicts, and none twice.

Years of history may be judged at once. So the work is cut into pieces of `budget` steps: a step is a summary
that is taken or a period that is judged. Cut or not, it is done in the same order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from streams.contract.cadence import Cadence
from streams.contract.questions import DEFAULT_BUDGET
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
    more: bool = False  # is a piece of the work left?


@dataclass
class _Work:
    """What is left of a fetch or a tick, and what has followed from the piece at hand."""

    steps: Iterator[None] = field(default_factory=lambda: iter(()))
    output: BorderOutput = field(default_factory=BorderOutput)


class BorderPipeline:
    """Turn fetches of the assigned partitions into verdicts on borders."""

    def __init__(
        self,
        registry: Registry,
        budget: int | None = None,
        *,
        false_alarms_per_month: float = DEFAULT_BUDGET,
    ) -> None:
        self._registry, self._budget = registry, budget
        self._false_alarms_per_month = false_alarms_per_month
        self._partitions: dict[int, dict[Key, BorderQueue]] = {}
        self._work: dict[int, _Work] = {}  # by partition: what is not done yet
        self._touched: defaultdict[int, set[Key]] = defaultdict(set)  # since the last commit

    def process(self, partition: int, records: Sequence[Record], topic: str = "summaries") -> BorderOutput:
        """Process one fetch of one partition, in the order of its offsets."""
        work = self._work.setdefault(partition, _Work())
        work.steps = chain(work.steps, self._take(partition, records, work))
        return self.proceed(partition)

    def proceed(self, partition: int) -> BorderOutput:
        """Go on with a partition where the work was cut."""
        work = self._work.get(partition)
        if work is None:
            return BorderOutput()
        done = sum(1 for _ in islice(work.steps, self._budget))
        output = work.output
        output.more = done == self._budget
        if output.more:
            work.output = BorderOutput(produced_at=output.produced_at)
        else:
            del self._work[partition]
        return output

    def tick(self, now: float, moves: bool = True) -> BorderOutput:
        """Wait no longer for idle sectors.

        `moves` is whether all that is in the broker has been read: every partition of `encounters`, by
        whichever worker, and then every partition of `summaries` held here.
        """
        output = BorderOutput()
        for partition, queues in self._partitions.items():
            if moves and partition not in self._work:
                for queue in queues.values():
                    queue.exclude_idle()
                work = self._work[partition] = _Work()
                work.steps = self._close_all(partition, work)
            piece = self.proceed(partition)
            output.verdicts += piece.verdicts
            output.periods += piece.periods
            output.more = output.more or piece.more
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
        self._work.pop(partition, None)
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
                queues[key] = self._queue(*key)
            if period:
                queues[key].restore_period(index, value)
            else:
                queues[key].restore(value)

    def release(self, partition: int) -> Released | None:
        """Forget a partition; return it for `resume`, None where nothing is held of it."""
        is_cut = self._work.pop(partition, None) is not None
        touched, queues = self._touched.pop(partition, set()), self._partitions.pop(partition, None)
        return None if queues is None or is_cut else (queues, touched)

    def resume(self, partition: int, released: Released) -> None:
        """Go on with a partition as `release` has returned it."""
        self._partitions[partition], self._touched[partition] = released

    def _queue(self, border: str, cadence: Cadence) -> BorderQueue:
        judge = BorderJudge(
            self._registry, border, cadence, false_alarms_per_month=self._false_alarms_per_month
        )
        return BorderQueue(judge)

    def _take(self, partition: int, records: Sequence[Record], work: _Work) -> Iterator[None]:
        """Take summaries, and judge the periods that are complete with them."""
        for record in records:
            summary = read(PeriodSummary, record)
            if isinstance(summary, Unusable):
                work.output.summaries[summary] += 1
            else:
                work.output.produced_at = max(work.output.produced_at, produced_at(record.headers))
                yield from self._add(partition, summary, work)
            yield

    def _add(self, partition: int, summary: PeriodSummary, work: _Work) -> Iterator[None]:
        key = summary.border, summary.cadence
        if summary.border not in self._registry.audience.get(summary.sector, ()):
            work.output.summaries["unknown"] += 1
            return
        queues = self._partitions.setdefault(partition, {})
        if key not in queues:
            queues[key] = self._queue(*key)
        outcome = queues[key].add(summary)
        work.output.summaries[outcome] += 1
        if outcome != "repeated":
            self._touched[partition].add(key)
        # After every summary, so that fetches do not decide when a period is judged.
        yield from self._close_periods(partition, key, work)

    def _close_all(self, partition: int, work: _Work) -> Iterator[None]:
        for key in [*self._partitions[partition]]:
            yield from self._close_periods(partition, key, work)

    def _close_periods(self, partition: int, key: Key, work: _Work) -> Iterator[None]:
        for verdicts in self._partitions[partition][key].close_periods():
            work.output.verdicts += verdicts
            work.output.periods[key[0]] += 1
            self._touched[partition].add(key)
            yield
