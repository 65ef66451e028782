"""The metrics of the alerts worker."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

from alerts.notices.alert_pipeline import Outcome

disable_created_metrics()  # type: ignore[no-untyped-call]
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)


class Metrics:
    """All metrics of one worker, in a registry of their own. Every sink has its series from the start."""

    def __init__(self, sinks: Iterable[str] = ()) -> None:
        self.registry = on = CollectorRegistry()

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"surgewatch_{name}", text, labels, registry=on)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"surgewatch_{name}", text, labels, registry=on)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(f"surgewatch_{name}", text, labels, buckets=SECONDS, registry=on)

        self._alerts = gauge(
            "alerts", "Alerts that stand", "sector", "border", "question", "severity", "state"
        )
        self._transitions = counter(
            "alert_transitions_total", "Alerts by the state they came into", "question", "state"
        )
        self._notices = counter("notices_total", "Notices that a sink took or will never take", "reason")
        self._unreadable = counter("verdicts_unreadable_total", "Verdicts that could not be understood")
        self._deliveries = counter("deliveries_total", "Tries to deliver a notice", "sink", "outcome")
        self._seconds = histogram("delivery_seconds", "Time of one try", "sink")
        self._queue = gauge("delivery_queue", "Notices that are due and that a sink has not taken", "sink")
        self._oldest = gauge("delivery_oldest_seconds", "How long the oldest of them has been due", "sink")
        self._dead = gauge("dead_letters", "Dead letters that wait to be sent again", "sink")
        self._latency = histogram(
            "event_to_notice_seconds", "From the newest event behind a notice to its delivery"
        )
        self._lag = gauge("consumer_lag", "Records in the broker not yet processed", "topic", "partition")
        self._batch = histogram("alerts_batch_seconds", "Time that one batch of verdicts took")
        self._state = gauge("alerts_state_bytes", "Bytes written to the changelog since the worker started")
        self._recovery = gauge("alerts_recovery_seconds", "How long the last recovery of state took")
        self._sinks = tuple(sinks)
        for sink in self._sinks:
            for outcome in ("delivered", "retry", "refused", "dead"):
                self._deliveries.labels(sink, outcome)
            self._seconds.labels(sink)
        self.deliveries({}, {})

    def batch(self, outcome: Outcome, events: int, seconds: float) -> None:
        """Record one batch of verdicts."""
        self._batch.observe(seconds)
        self.outcome(outcome)

    def outcome(self, outcome: Outcome) -> None:
        """Record what followed from verdicts, or from a tick."""
        for (question, state), number in outcome.transitions.items():
            self._transitions.labels(question, state).inc(number)
        self._unreadable.inc(outcome.unreadable)

    def standing(self, alerts: Mapping[tuple[str, ...], int]) -> None:
        """Show the alerts that stand, by sector, border, question, severity and state."""
        self._alerts.clear()
        for labels, number in alerts.items():
            self._alerts.labels(*labels).set(number)

    def attempt(self, sink: str, outcome: str, *, seconds: float, notices: int) -> None:
        """Record one try of one sink."""
        self._deliveries.labels(sink, outcome).inc(notices)
        self._seconds.labels(sink).observe(seconds)

    def notice(self, reason: str) -> None:
        """Record a notice that was taken, or given up."""
        self._notices.labels(reason).inc()

    def deliveries(self, waiting: Mapping[str, tuple[int, float]], dead: Mapping[str, int]) -> None:
        """Show, by sink, how many notices are due and for how many seconds, and the dead letters."""
        for sink in self._sinks:
            number, seconds = waiting.get(sink, (0, 0.0))
            self._queue.labels(sink).set(number)
            self._oldest.labels(sink).set(seconds)
            self._dead.labels(sink).set(dead.get(sink, 0))

    def latency(self, seconds: float) -> None:
        """Record the delay from the newest event behind a notice to its delivery, in seconds."""
        self._latency.observe(max(seconds, 0.0))

    def lag(self, behind: Mapping[tuple[str, int], int]) -> None:
        """Show how many records of each topic's partitions are not yet processed."""
        self._lag.clear()
        for (topic, partition), records in behind.items():
            self._lag.labels(topic, partition).set(records)

    def storage(self, written: int, recovery_seconds: float) -> None:
        """Show the bytes written to the changelog, and how long the last recovery took."""
        self._state.set(written)
        self._recovery.set(recovery_seconds)

    def page(self) -> bytes:
        """Return the exposition, in Prometheus' text format."""
        return generate_latest(self.registry)
