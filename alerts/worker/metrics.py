"""What the alerts worker shows to Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alerts.notices.alert_pipeline import Outcome
from streams.runtime.metrics import CurrentGauge, RuntimeMetrics

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)


class Metrics:
    """All metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = on = CollectorRegistry()

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"surgewatch_{name}", text, labels, registry=on)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"surgewatch_{name}", text, labels, registry=on)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(f"surgewatch_{name}", text, labels, buckets=SECONDS, registry=on)

        self._alerts = CurrentGauge(
            "alerts", "Alerts that stand", ("sector", "border", "question", "severity", "state"), on
        )
        self._transitions = counter(
            "alert_transitions_total", "Alerts by the state they came into", "question", "state"
        )
        self._notices = counter("notices_total", "Notices made", "reason")
        self._unusable = counter(
            "unusable_records_total", "Records of other workers that were passed over", "topic", "reason"
        )
        self._deliveries = counter("deliveries_total", "Tries to deliver a notice", "sink", "outcome")
        self._seconds = histogram("delivery_seconds", "Time of one try", "sink")
        self._queue = gauge("delivery_queue", "Notices that a sink has not yet done with", "sink")
        self._latency = histogram(
            "event_to_notice_seconds", "From the newest event behind a notice to its delivery"
        )
        self._batch = histogram("alerts_batch_seconds", "Time that one batch of verdicts took")
        self.runtime = RuntimeMetrics(on)

    def batch(self, outcome: Outcome, events: int, seconds: float) -> None:
        """One batch of verdicts has been processed."""
        self._batch.observe(seconds)
        self.outcome(outcome)

    def outcome(self, outcome: Outcome) -> None:
        """What followed from verdicts, or from a tick."""
        for (question, state), number in outcome.transitions.items():
            self._transitions.labels(question, state).inc(number)
        for notice, _ in outcome.notices:
            self._notices.labels(notice.reason).inc()
        for reason, number in outcome.unusable.items():
            self._unusable.labels("verdicts", reason).inc(number)

    def standing(self, alerts: Mapping[tuple[str, ...], int]) -> None:
        """The alerts that stand, by sector, border, question, severity and state."""
        self._alerts.replace(alerts)

    def delivery(self, sink: str, outcome: str, seconds: float) -> None:
        """One try of one sink."""
        self._deliveries.labels(sink, outcome).inc()
        self._seconds.labels(sink).observe(seconds)

    def waiting(self, sink: str, notices: int) -> None:
        """How many notices a sink has not yet done with."""
        self._queue.labels(sink).set(notices)

    def told(self, seconds: float) -> None:
        """A notice reached somebody, so long after its newest event."""
        self._latency.observe(max(seconds, 0.0))
