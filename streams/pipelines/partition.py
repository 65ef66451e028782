"""One partition of `encounters`: the counts of its sectors, their watermarks, and the closing of periods.

Every sector has a watermark of its own, made of its own records. So what is judged of a sector does not
depend on its neighbours in the partition, on the number of partitions, or on how fast any of them is read:

    records of a sector   09:58  09:59  10:01          10:07
    watermark             9      9      10             10        hours; before 10:01 is counted, 9 is over

Where events happen now (`wall_clock`), time passes also without events. The time at which the broker appended
a record moves the watermark of its sector, as the clock has moved it for a worker that had read all there was
(`pass_time`). A sector whose newest event was old when it was appended is history: no clock moves it.

Everything that is asked of the judge is asked here.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from streams.contract.cadence import HOUR, HOURLY, Cadence
from streams.contract.questions import Look
from streams.counting import state_codec
from streams.counting.decoder import Event, Item
from streams.counting.dedup import DedupIndex
from streams.counting.sector_counts import Counts
from streams.counting.series import period_at
from streams.counting.state_codec import Pair
from streams.judging.judge import Judge
from streams.pipelines.due_hours import Due, days_at_quarters, following, is_skipped, next_due_hour
from streams.pipelines.progress import Empty, Progress
from streams.pipelines.runs import as_of_look, end_below_limits
from streams.pipelines.steps import Step, is_plain, observe, remains_live, split

BATCH: Final = 256  # sectors that are counted and judged together: the work between two stops is bounded


class Partition:
    """The sectors of one partition."""

    def __init__(
        self,
        judge: Judge,
        zones: Mapping[str, str],
        *,
        lateness: int,
        dedup: tuple[int, int],
        wall_clock: bool,
    ) -> None:
        self._judge, self._zones, self._dedup = judge, zones, dedup
        self._late_hours = -(-lateness // HOUR)
        self._wall_clock = wall_clock
        self.counts: dict[str, Counts] = {}
        self._touched: set[str] = set()  # sectors that changed since the last commit

    @property
    def event_time(self) -> int:
        """The newest event time, epoch seconds; 0 where there is none."""
        return max((counts.event_time for counts in self.counts.values()), default=0)

    def process(self, by_sector: Mapping[str, list[Item]], progress: Progress) -> Iterator[None]:
        """Count events and take heartbeats by sector, and judge what is over before each of them.

        Those of a sector are in the order of their offsets. Stops after each piece of work; between two
        stops state and progress belong together.
        """
        for sectors in _batched(by_sector):
            yield from self._run(self._steps(sectors, by_sector, progress), progress)

    def pass_time(self, now: float, progress: Progress) -> Iterator[None]:
        """Move live sectors to `now`, the broker's time; only where the partition is read to its end."""
        live = [counts.sector for counts in self.counts.values() if counts.is_live]
        for sectors in _batched(live):
            yield from self._run({one: deque([Step(int(now // HOUR), [])]) for one in sectors}, progress)

    def dirty(self) -> list[Pair]:
        """Return the keys and values that changed since the last call."""
        touched, self._touched = sorted(self._touched), set()
        return [pair for sector in touched for pair in state_codec.pairs(self.counts[sector])]

    def restore(self, held: Mapping[bytes, bytes]) -> None:
        """Restore what `dirty` returned; raises StateVersionError.

        Sectors that the registry no longer has are passed over: nothing is due there, and their silence is no
        news. Their state stays in the changelog, should they come back.
        """
        restored = state_codec.restore(held, self._zones, self._dedup)
        self.counts = {name: counts for name, counts in restored.items() if name in self._zones}

    def _new(self, sector: str) -> Counts:
        fresh = Counts(sector, self._zones.get(sector, "UTC"), DedupIndex(*self._dedup))
        return self.counts.setdefault(sector, fresh)

    def _steps(
        self, sectors: Iterable[str], by_sector: Mapping[str, list[Item]], progress: Progress
    ) -> dict[str, deque[Step]]:
        """Return the steps of some sectors. Where nothing follows from events, they are counted at once."""
        steps = dict[str, deque[Step]]()
        for sector in sectors:
            counts, items = self.counts.get(sector) or self._new(sector), by_sector[sector]
            if items[0].position <= counts.offset:
                items = [item for item in items if item.position > counts.offset]
            todo = split(counts, items, wall_clock=self._wall_clock)
            if len(todo) == 1 and is_plain(counts, todo[0]):
                self._add(counts, todo[0].events, progress)
            elif todo:
                steps[sector] = todo
        return steps

    def _run(self, steps: Mapping[str, deque[Step]], progress: Progress) -> Iterator[None]:
        """Take all steps of some sectors. Those that reach the same hour are judged there together."""
        agenda: defaultdict[int, list[str]] = defaultdict(list)  # sectors by the watermark they reach next
        for sector, todo in steps.items():
            counts = self.counts[sector]
            if not counts.series:
                counts.watermark = max(counts.watermark, todo[0].watermark)
            agenda[self._next(counts, todo[0].watermark)].append(sector)
        while agenda:
            watermark = min(agenda)
            batch = [self.counts[sector] for sector in sorted(agenda.pop(watermark))]
            moved = [counts for counts in batch if counts.watermark < watermark]
            yield from self._judge_at(watermark, moved, progress)
            for counts in moved:
                counts.watermark = watermark
            yield from self._count(
                [one for one in batch if steps[one.sector][0].watermark <= watermark], steps, progress
            )
            for counts in batch:
                if todo := steps[counts.sector]:
                    agenda[self._next(counts, todo[0].watermark)].append(counts.sector)

    def _next(self, counts: Counts, watermark: int) -> int:
        if watermark <= counts.watermark + 1:
            return watermark
        counts.settle()
        return min(watermark, next_due_hour(counts, self._late_hours))

    def _judge_at(self, watermark: int, batch: Sequence[Counts], progress: Progress) -> Iterator[None]:
        """Ask all that is due where the watermarks of sectors reach an hour."""
        watched = [counts for counts in batch if counts.sources or counts.state.stopped]
        for counts in watched:
            counts.settle()
        found = self._judge.sources.look(watched, watermark)
        self._touched.update(verdict.sector for verdict in found)
        self._touched.update(counts.sector for counts in watched if counts.state.changed)
        progress.found += found
        yield from self._revise(watermark, batch, progress)
        yield from self._close(watermark, batch, progress)
        hour = watermark - self._late_hours - 1
        with_people = [
            counts
            for counts in batch
            if counts.event_time >= hour * HOUR
            and HOURLY in counts.series
            and self._judge.is_hour_due(counts, hour)
        ]
        yield from self._judge_period(Look.HOUR, with_people, Due(HOURLY, hour, watermark * HOUR), progress)
        for day, some in sorted(days_at_quarters(batch, watermark).items()):
            yield from self._judge_period(Look.EARLY, some, Due(Cadence.DAY, day, watermark * HOUR), progress)

    def _revise(self, watermark: int, batch: Sequence[Counts], progress: Progress) -> Iterator[None]:
        """Judge closed periods that changed: as the watermark moves, and not at every late event."""
        changed: defaultdict[tuple[Cadence, int, int], list[Counts]] = defaultdict(list)
        for counts in batch:
            for cadence, index in counts.revised:
                changed[cadence, index, counts.closed.get(cadence, index)].append(counts)
        for (cadence, index, _), some in sorted(changed.items()):
            self._touched.update(counts.sector for counts in some)
            for counts in some:
                counts.revised.discard((cadence, index))
            yield from self._judge_period(Look.REVISED, some, Due(cadence, index, watermark * HOUR), progress)

    def _close(self, watermark: int, batch: Sequence[Counts], progress: Progress) -> Iterator[None]:
        """Close what is over: of all that is, what ended first, so that a month is closed after its days."""
        hour = watermark - self._late_hours
        while due := self._due(hour, batch):
            cadence, index = min(due, key=lambda one: (one[0].start(one[1] + 1), one[1]))
            judged = list[Counts]()
            for counts in due[cadence, index]:
                self._touched.add(counts.sector)
                counts.settle()
                if cadence is not Cadence.HOUR and is_skipped(counts, counts.series[cadence], index):
                    self._pass_over(counts, cadence=cadence, index=index, hour=hour, progress=progress)
                    yield  # none of the others is closed yet
                else:
                    judged.append(counts)
            for counts in judged:
                counts.close(cadence, index)
            yield from self._judge_period(
                Look.CLOSED, judged, Due(cadence, index, watermark * HOUR), progress
            )

    def _due(self, hour: int, batch: Iterable[Counts]) -> Mapping[tuple[Cadence, int], list[Counts]]:
        """Return by period the sectors of which it is the next one that is over at an hour."""
        due: defaultdict[tuple[Cadence, int], list[Counts]] = defaultdict(list)
        for counts in batch:
            for cadence, series in counts.series.items():
                index = following(counts, series)
                if cadence is not HOURLY:
                    if index < period_at(counts.zone, cadence, hour):
                        due[cadence, index].append(counts)
                # All that an hour is asked for is silence.
                elif index < hour and self._judge.is_silence_due(counts, hour):
                    due[cadence, hour - 1].append(counts)
        return due

    def _pass_over(
        self, counts: Counts, *, cadence: Cadence, index: int, hour: int, progress: Progress
    ) -> None:
        """Close all empty periods up to an hour, and judge none of them."""
        last = period_at(counts.zone, cadence, hour) - 1
        self._judge.pass_over([counts], cadence, index, last)
        counts.close(cadence, last)
        empty = Empty(counts.sector, counts.zone, cadence, index, last)
        progress.found.append(empty)
        progress.periods += len(empty.summed_up)

    def _count(
        self, batch: Sequence[Counts], steps: Mapping[str, deque[Step]], progress: Progress
    ) -> Iterator[None]:
        """Take the next step of sectors whose watermark it has moved."""
        todo = [(counts, steps[counts.sector].popleft()) for counts in batch]
        begun = [counts for counts, step in todo if step.events and not counts.is_limited()]
        yield from self._set_limits(begun, progress)
        for counts, step in todo:
            if step.heartbeat is not None:
                self._touched.add(counts.sector)
                taken = observe(counts, step.heartbeat, step.alive_at, wall_clock=self._wall_clock)
                progress.observe(step.heartbeat, is_taken=taken)
            elif step.events and counts.has_room_for(step.events):
                self._add(counts, step.events, progress)
            else:
                yield from self._count_up_to_limits(counts, step.events, progress)

    def _count_up_to_limits(
        self, counts: Counts, events: Sequence[Event], progress: Progress
    ) -> Iterator[None]:
        """Count events; look at open periods behind each one that may have reached a limit."""
        at = 0
        while at < len(events):
            # Without data there are no limits; the first event that brings some sets them for the next.
            end = end_below_limits(counts, events, at) if counts.is_limited() else at + 1
            self._add(counts, events[at:end], progress)
            at = end
            if counts.room() <= 0:
                yield from self._look_again(counts, progress)
            if at < len(events) and not counts.is_limited():
                yield from self._set_limits([counts], progress)

    def _set_limits(self, batch: Sequence[Counts], progress: Progress) -> Iterator[None]:
        """Look at periods that have just begun, to know from which count on they are worth another look."""
        begun: defaultdict[tuple[Cadence, int, int], list[Counts]] = defaultdict(list)
        for counts in batch:
            for cadence in counts.unlimited():
                index = period_at(counts.zone, cadence, counts.watermark)
                begun[cadence, index, counts.watermark].append(counts)
        for (cadence, index, watermark), some in sorted(begun.items()):
            yield from self._judge_period(Look.OPEN, some, Due(cadence, index, watermark * HOUR), progress)

    def _add(self, counts: Counts, events: Sequence[Event], progress: Progress) -> None:
        """Count events, at least one."""
        before = counts.people
        if self._wall_clock:
            counts.is_live = remains_live(counts, events)
        self._touched.add(counts.sector)
        added = counts.add(events, counts.watermark * HOUR)
        progress.count(counts.sector, counts.people - before, added)

    def _look_again(self, counts: Counts, progress: Progress) -> Iterator[None]:
        """Look at open periods whose count may be a breach; at most once a second of event time."""
        counts.settle()
        as_of = as_of_look(counts)
        if as_of <= counts.looked_at:
            return
        for cadence, limit in list(counts.state.open_limits.items()):
            if cadence in counts.series and counts.open_count(cadence) >= limit:
                counts.looked_at = as_of
                index = counts.series[cadence].end - 1
                yield from self._judge_period(Look.OPEN, [counts], Due(cadence, index, as_of), progress)

    def _judge_period(
        self, look: Look, batch: Sequence[Counts], due: Due, progress: Progress
    ) -> Iterator[None]:
        if not batch:
            return
        if look is not Look.HOUR:  # nearly all hours are calm, and the judge settles what is not
            for counts in batch:
                counts.settle()
        verdicts = self._judge.ask(look, batch, cadence=due.cadence, index=due.index, watermark=due.watermark)
        self._touched.update(verdict.sector for verdict in verdicts)
        progress.found += verdicts
        progress.periods += len(batch)
        yield


def _batched(sectors: Iterable[str]) -> Iterator[list[str]]:
    """Yield sectors in batches: all that is done to one is done while its state is in the CPU's cache."""
    left = iter(sectors)
    while batch := list(islice(left, BATCH)):
        yield batch
