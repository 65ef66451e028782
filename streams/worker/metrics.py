"""What the streams worker shows to Prometheus. Labels are bounded by the registry."""

import datetime as dt
from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import Counts
from streams.pipelines import border_pipeline
from streams.pipelines.sector_pipeline import SectorOutput

disable_created_metrics()  # type: ignore[no-untyped-call]
BATCH_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
SLICED = 500  # sectors up to which who came is shown: of more, it would be most of what Prometheus holds
BATCH_EVENTS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)


class Metrics:
    """All metrics of one worker, in a registry of their own."""

    def __init__(self, sectors: Registry) -> None:
        self.registry = on = CollectorRegistry()
        self._newest: dict[tuple[str, str], dt.datetime] = {}  # the period shown, by sector and window
        self._places = {sector.id: (sector.border, sector.country) for sector in sectors.sector}

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"surgewatch_{name}", text, labels, registry=on)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"surgewatch_{name}", text, labels, registry=on)

        self._observed = gauge("observed", "People counted in the period last judged", "sector", "window")
        self._expected = gauge("expected", "People expected in that period", "sector", "window")
        self._lower = gauge("lower", "Lower end of the expected interval", "sector", "window")
        self._upper = gauge("upper", "Upper end of the expected interval", "sector", "window")
        self._p_value = gauge("p_value", "Chance of so many or more, were all normal", "sector", "window")
        self._info = gauge("sector_info", "1 for each sector seen", "sector", "border", "country")
        self._people = gauge("people", "People counted of all time, net of corrections", "sector")
        self._slices = gauge(
            "slice_people",
            f"People of the last closed day (week, month), by slice; for up to {SLICED} sectors",
            "sector",
            "kind",
            "slice",
        )
        self._people_total = counter("counted_people_total", "People counted since the start", "sector")
        # People by sector, not yet in the counter: with many sectors, that costs more than counting them.
        self._counted: dict[str, int] = {}
        self._events = counter("events_total", "Events by what became of them", "outcome")
        self._rejected = counter("rejected_total", "Events refused, by reason", "reason")
        self._late = counter("late_events_total", "People counted into periods already closed", "sector")
        self._watermark = gauge(
            "watermark_age_seconds", "Now, less the newest event time of a sector", "sector"
        )
        self._event_time = gauge("event_time_seconds", "Event time of a partition", "partition")
        self._lag = gauge("consumer_lag", "Records in the broker not yet processed", "topic", "partition")
        self._verdicts = counter("verdicts_total", "Verdicts said", "question", "breach")
        self._state = gauge("state_bytes", "Bytes written to the changelog since the worker started")
        self._recovery = gauge("recovery_seconds", "How long the last reading back of state took")
        self._batch_seconds = Histogram(
            "surgewatch_batch_seconds", "Time that one batch took", buckets=BATCH_SECONDS, registry=on
        )
        self._batch_events = Histogram(
            "surgewatch_batch_events", "Events in one batch", buckets=BATCH_EVENTS, registry=on
        )
        self._levels = counter(
            "summaries_total", "Levels told to border regions, by what became of them", "outcome"
        )
        self._periods = counter("region_periods_total", "Periods judged over a border's sectors", "border")
        for outcome in ("counted", "duplicate", "corrected", "rejected"):
            self._events.labels(outcome)

    def batch(self, outcome: SectorOutput, events: int, seconds: float) -> None:
        """One batch has been processed."""
        self._batch_seconds.observe(seconds)
        self._batch_events.observe(events)
        self.outcome(outcome)

    def outcome(self, outcome: SectorOutput) -> None:
        """What followed from a batch, or from a tick."""
        for name, number in outcome.outcomes.items():
            self._events.labels(name).inc(number)
        for reason, number in outcome.reasons.items():
            self._rejected.labels(reason).inc(number)
        for sector, number in outcome.late.items():
            self._late.labels(sector).inc(number)
        counted = self._counted
        for sector, number in outcome.people.items():
            if number > 0:
                counted[sector] = counted.get(sector, 0) + number
        for verdict in outcome.verdicts:
            self._verdicts.labels(verdict.question, str(verdict.breach).lower()).inc()
            if verdict.question is Question.SURGE and not verdict.subject:
                self._level(verdict)

    def region(self, outcome: border_pipeline.BorderOutput) -> None:
        """What followed from summaries."""
        for name, number in outcome.summaries.items():
            self._levels.labels(name).inc(number)
        for border, number in outcome.periods.items():
            self._periods.labels(border).inc(number)
        for verdict in outcome.verdicts:
            self._verdicts.labels(verdict.question, str(verdict.breach).lower()).inc()

    def _level(self, verdict: Verdict) -> None:
        at, seen = (verdict.sector, verdict.cadence.value), verdict.last_period
        if seen is None or verdict.period < self._newest.setdefault(at, verdict.period):
            return  # of a closed period that is judged again, newer figures are shown already
        self._newest[at] = verdict.period
        self._observed.labels(*at).set(seen.observed)
        self._expected.labels(*at).set(seen.expected)
        self._lower.labels(*at).set(seen.lower)
        self._upper.labels(*at).set(seen.upper)
        self._p_value.labels(*at).set(verdict.evidence.p_value)

    def state(self, parts: Mapping[int, tuple[int, Collection[Counts]]], now: float) -> None:
        """What is held: for each partition its event time and its sectors."""
        for sector, number in self._counted.items():
            self._people_total.labels(sector).inc(number)
        self._counted.clear()
        self._event_time.clear()
        self._slices.clear()
        few = sum(len(held) for _, held in parts.values()) <= SLICED
        for partition, (event_time, held) in parts.items():
            self._event_time.labels(partition).set(event_time)
            for counts in held:
                self._people.labels(counts.sector).set(counts.people)
                if few:
                    self._slice(counts)
                self._info.labels(counts.sector, *self._places.get(counts.sector, ("", ""))).set(1)
                if Cadence.HOUR in counts.series:  # a tally's time says nothing of how fresh it is
                    self._watermark.labels(counts.sector).set(now - counts.event_time)

    def _slice(self, counts: Counts) -> None:
        """Who came: at most SLICES series a sector, those of nobody left out."""
        if counts.sliced is None or counts.sliced not in counts.closed:
            return
        closed = counts.closed[counts.sliced]
        people = counts.slices.window(closed, 1)[:, 0].tolist()
        for name, number in zip(counts.slices.names, people, strict=True):
            if number > 0:
                kind, _, value = name.partition("=")
                self._slices.labels(counts.sector, kind, value).set(number)

    def lag(self, behind: Mapping[tuple[str, int], int]) -> None:
        """How many records of each topic's partitions are not yet processed."""
        self._lag.clear()
        for (topic, partition), records in behind.items():
            self._lag.labels(topic, partition).set(records)

    def storage(self, written: int, recovery_seconds: float) -> None:
        """What the changelog has taken, and how long reading it back took."""
        self._state.set(written)
        self._recovery.set(recovery_seconds)

    def page(self) -> bytes:
        """The exposition, in Prometheus' text format."""
        return generate_latest(self.registry)


class BorderMetrics:
    """The same worker's, fed by the flow of summaries: its batches are small and few and are not timed."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def batch(self, outcome: border_pipeline.BorderOutput, events: int, seconds: float) -> None:
        """One batch of summaries has been processed."""
        self._metrics.region(outcome)

    def outcome(self, outcome: border_pipeline.BorderOutput) -> None:
        """What followed from a tick."""
        self._metrics.region(outcome)
