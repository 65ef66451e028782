"""The metrics of the streams worker. Labels are bounded by the registry of sectors.

Gauges show what this worker holds now: the series of a sector or partition that moved to another worker
vanish with it (`CurrentGauge`).
"""

import collections
from collections.abc import Callable, Collection, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

from streams.contract.cadence import HOUR, Cadence
from streams.contract.dead_letters import Reason
from streams.contract.reading import Unusable
from streams.contract.sectors import Registry
from streams.contract.verdicts import DataStatus, Question, Verdict
from streams.counting.sector_counts import Counts
from streams.pipelines import border_pipeline
from streams.pipelines.sector_pipeline import SectorOutput
from streams.runtime.metrics import CurrentGauge, RuntimeMetrics
from streams.worker.schema_registry import Answered

BATCH_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
SLICED = 500  # sectors up to which slices are shown: of more, they would be most of what Prometheus holds
BATCH_EVENTS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
AHEAD = 2 * HOUR  # seconds: an event may be an hour ahead of its stamp, which may be seen late
FIGURES = {
    "observed": "People counted in the period last judged",
    "expected": "People expected in that period",
    "lower": "Lower end of the expected interval",
    "upper": "Upper end of the expected interval",
    "p_value": "Chance of so many or more, were all normal",
}


class Metrics:
    """All metrics of one worker, in a registry of their own."""

    def __init__(self, sectors: Registry) -> None:
        self.registry = on = CollectorRegistry()
        self._newest: dict[tuple[str, str], Verdict] = {}  # of a closed or open period, by sector and window
        self._places = {sector.id: (sector.border, sector.country) for sector in sectors.sector}
        # People by sector, not yet in the counter: with many sectors, that costs more than counting them.
        self._counted: dict[str, int] = {}
        self.runtime = RuntimeMetrics(on)

        def gauge(name: str, text: str, *labels: str) -> CurrentGauge:
            return CurrentGauge(name, text, labels, on)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"surgewatch_{name}", text, labels, registry=on)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"surgewatch_{name}", text, buckets=buckets, registry=on)

        self._figures = {name: gauge(name, text, "sector", "window") for name, text in FIGURES.items()}
        self._info = gauge("sector_info", "1 for each sector seen", "sector", "border", "country")
        self._people = gauge("people", "People counted of all time, net of corrections", "sector")
        self._slices = gauge(
            "slice_people",
            f"People of the last closed day (week, month), by slice; for up to {SLICED} sectors",
            *("sector", "kind", "slice"),
        )
        self._watermark = gauge(
            "watermark_age_seconds", "Now, less the newest event or heartbeat of a sector", "sector"
        )
        self._status = gauge("sector_status", "1 for what is known of a sector's data", "sector", "status")
        self._feed_age = gauge("feed_age_seconds", "Now, less the newest heartbeat of a source", "source")
        self._feed_stopped = gauge(
            "feed_stopped_sectors", "Sectors that a source sends no more heartbeats for", "source"
        )
        self._ahead = gauge(
            "sectors_ahead", "Sectors whose watermark is more than two hours ahead of the broker's clock"
        )
        self._event_time = gauge("event_time_seconds", "Event time of a partition", "partition")
        self._people_total = counter("counted_people_total", "People counted since the start", "sector")
        self._events = counter("events_total", "Events by what became of them", "outcome")
        self._rejected = counter("rejected_total", "Events refused, by reason", "reason")
        self._late = counter("late_events_total", "People counted into periods already closed", "sector")
        self._verdicts = counter("verdicts_total", "Verdicts published", "question", "breach")
        self._summaries = counter(
            "summaries_total", "Period summaries read for borders, by what became of them", "outcome"
        )
        self._unusable = counter(
            "unusable_records_total", "Records of other workers that were passed over", "topic", "reason"
        )
        self._schemas = counter(
            "schema_requests_total", "Requests to the Schema Registry, by what came of them", "outcome"
        )
        self._periods = counter("border_periods_total", "Periods judged over a border's sectors", "border")
        self._batch_seconds = histogram("batch_seconds", "Time that one batch took", BATCH_SECONDS)
        self._batch_events = histogram("batch_events", "Events in one batch", BATCH_EVENTS)
        for reason in Reason:
            self._rejected.labels(reason)
        for answered in Answered:
            self._schemas.labels(answered)
        for outcome in ("counted", "duplicate", "corrected", "rejected", "heartbeat"):
            self._events.labels(outcome)

    def batch(self, outcome: SectorOutput, events: int, seconds: float) -> None:
        """Record a processed batch."""
        self._batch_seconds.observe(seconds)
        self._batch_events.observe(events)
        self.outcome(outcome)

    def outcome(self, outcome: SectorOutput) -> None:
        """Record the output of a batch or a tick."""
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
        self._count_verdicts(outcome.verdicts)
        for verdict in outcome.verdicts:
            if verdict.question is Question.SURGE and not verdict.subject:
                self._keep_newest(verdict)

    def schema(self, answered: Answered) -> None:
        """Count a request to the Schema Registry."""
        self._schemas.labels(answered).inc()

    def unusable(self, topic: str, reason: Unusable, number: int = 1) -> None:
        """Count records that were passed over."""
        self._unusable.labels(topic, reason).inc(number)

    def border(self, outcome: border_pipeline.BorderOutput) -> None:
        """Record the output of period summaries."""
        for name, number in outcome.summaries.items():
            self._summaries.labels(name).inc(number)
            if name in set(Unusable):
                self.unusable("summaries", Unusable(name), number)
        for border, number in outcome.periods.items():
            self._periods.labels(border).inc(number)
        self._count_verdicts(outcome.verdicts)

    def _count_verdicts(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            self._verdicts.labels(verdict.question, str(verdict.breach).lower()).inc()

    def _keep_newest(self, verdict: Verdict) -> None:
        at = verdict.sector, verdict.cadence.value
        if verdict.held:
            self._newest.pop(at, None)  # of a sector without data no figures are shown
            return
        newest = self._newest.get(at)
        # A closed period judged again does not replace the newer one that is shown.
        if verdict.last_period is not None and (newest is None or verdict.period >= newest.period):
            self._newest[at] = verdict

    def state(
        self,
        parts: Mapping[int, tuple[int, Collection[Counts]]],
        now: float,
        status_of: Callable[[Counts], DataStatus],
    ) -> None:
        """Show the state held: for each partition its event time and its sectors."""
        for sector, number in self._counted.items():
            self._people_total.labels(sector).inc(number)
        self._counted.clear()
        held = {counts.sector: counts for _, every in parts.values() for counts in every}
        self._newest = {at: verdict for at, verdict in self._newest.items() if at[0] in held}
        self._event_time.replace({(str(at),): time for at, (time, _) in parts.items()})
        self._people.replace({(sector,): counts.people for sector, counts in held.items()})
        self._info.replace({(sector, *self._places.get(sector, ("", ""))): 1 for sector in held})
        self._watermark.replace(
            {  # the time of a period's total does not show how fresh it is
                (sector,): now - max(counts.event_time, counts.sources.newest)
                for sector, counts in held.items()
                if Cadence.HOUR in counts.series
            }
        )
        self._ahead.replace({(): sum(one.watermark * HOUR > now + AHEAD for one in held.values())})
        self._status.replace({(sector, status_of(counts)): 1 for sector, counts in held.items()})
        self._show_feeds(held.values(), now)
        few = len(held) <= SLICED
        self._slices.replace(
            {slice_: people for counts in held.values() for slice_, people in _slices(counts)} if few else {}
        )
        self._show_figures()

    def _show_feeds(self, held: Collection[Counts], now: float) -> None:
        feeds = _feeds(held)
        self._feed_age.replace({(source,): now - at for source, at in feeds.items()})
        stopped = collections.Counter(source for counts in held for source in counts.state.stopped)
        self._feed_stopped.replace({(source,): stopped[source] for source in feeds})

    def _show_figures(self) -> None:
        shown: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in FIGURES}
        for at, verdict in self._newest.items():
            if (figures := verdict.last_period) is not None:
                for name, value in figures._asdict().items():
                    shown[name][at] = value
                shown["p_value"][at] = verdict.evidence.p_value
        for name, series in shown.items():
            self._figures[name].replace(series)


def _feeds(held: Iterable[Counts]) -> dict[str, int]:
    """Return the newest heartbeat of each source (epoch seconds)."""
    newest: dict[str, int] = {}
    for counts in held:
        for source, known in counts.sources.items():
            newest[source] = max(newest.get(source, known.alive_at), known.alive_at)
    return newest


def _slices(counts: Counts) -> Iterable[tuple[tuple[str, str, str], int]]:
    """Yield the people of the last closed period by sector, kind and slice, without empty slices."""
    if counts.sliced is None or counts.sliced not in counts.closed:
        return
    people = counts.slices.window(counts.closed[counts.sliced], 1)[:, 0].tolist()
    for name, number in zip(counts.slices.names, people, strict=True):
        if number > 0:
            kind, _, value = name.partition("=")
            yield (counts.sector, kind, value), number


class BorderMetrics:
    """The metrics of the flow of summaries. Its batches are small and few, so they are not timed."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def batch(self, outcome: border_pipeline.BorderOutput, events: int, seconds: float) -> None:
        """Record a processed batch of summaries."""
        self._metrics.border(outcome)

    def outcome(self, outcome: border_pipeline.BorderOutput) -> None:
        """Record the output of a tick."""
        self._metrics.border(outcome)
