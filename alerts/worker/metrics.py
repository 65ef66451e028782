"""The metrics of the alerts worker."""

from collections.abc import Container, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alerts.notices.alert_pipeline import Outcome
from streams.runtime.metrics import CurrentGauge, RuntimeMetrics

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

        self._alerts = CurrentGauge(
            "alerts",
            "Alerts that stand",
            ("sector", "border", "question", "severity", "state", "silenced"),
            on,
        )
        self._unrouted = CurrentGauge(
            "unrouted_alerts",
            "Alerts that fire and that no route brings to anybody",
            ("border", "severity"),
            on,
        )
        self._transitions = counter(
            "alert_transitions_total", "Alerts by the state they came into", "question", "state"
        )
        self._notices = counter("notices_total", "Notices that a sink took or will never take", "reason")
        self._unusable = counter(
            "unusable_records_total", "Records of other workers that were passed over", "topic", "reason"
        )
        self._deliveries = counter("deliveries_total", "Tries to deliver a notice", "sink", "outcome")
        self._seconds = histogram("delivery_seconds", "Time of one try", "sink")
        self._queue = gauge("delivery_queue", "Notices that are due and that a sink has not taken", "sink")
        self._oldest = gauge("delivery_oldest_seconds", "How long the oldest of them has been due", "sink")
        self._dead = gauge("dead_letters", "Dead letters that wait to be sent again", "sink")
        self._unknown_host = gauge(
            "sink_unknown_host",
            "1 where the host of a sink, or of its proxy, cannot be looked up",
            "sink",
        )
        self._unusable_document = gauge(
            "document_unusable",
            "1 where a document was changed to one that the next start would refuse",
            "document",
        )
        self._latency = histogram(
            "event_to_notice_seconds", "From the newest event behind a notice to its delivery"
        )
        self._clicks = counter("slack_clicks_total", "Clicks in Slack", "action", "outcome")
        self.slack_connections = gauge(
            "slack_connections", "Connections to Slack over which clicks are taken"
        )
        self._batch = histogram("alerts_batch_seconds", "Time that one batch of verdicts took")
        self._answers = counter(
            "pagerduty_answers_total", "What people did in PagerDuty, by what became of it", "outcome"
        )
        self.runtime = RuntimeMetrics(on)
        self._sinks = tuple(sinks)
        for sink in self._sinks:
            for outcome in ("delivered", "retry", "refused", "dead"):
                self._deliveries.labels(sink, outcome)
            self._seconds.labels(sink)
            self._unknown_host.labels(sink)
        self.deliveries({}, {})

    def batch(self, outcome: Outcome, events: int, seconds: float) -> None:
        """Record one batch of verdicts."""
        self._batch.observe(seconds)
        self.outcome(outcome)

    def outcome(self, outcome: Outcome) -> None:
        """Record what followed from verdicts, or from a tick."""
        for (question, state), number in outcome.transitions.items():
            self._transitions.labels(question, state).inc(number)
        for reason, number in outcome.unusable.items():
            self.unusable("verdicts", reason, number)

    def unusable(self, topic: str, reason: str, number: int = 1) -> None:
        """Count records that were passed over."""
        self._unusable.labels(topic, reason).inc(number)

    def standing(self, alerts: Mapping[tuple[str, ...], int]) -> None:
        """Show the alerts that stand, by sector, border, question, severity and state."""
        self._alerts.replace(alerts)

    def unrouted(self, alerts: Mapping[tuple[str, ...], int]) -> None:
        """Show the alerts that nobody is sent, by border and severity."""
        self._unrouted.replace(alerts)

    def unknown_hosts(self, sinks: Container[str]) -> None:
        """Show which sinks cannot be reached, because a name cannot be looked up."""
        for sink in self._sinks:
            self._unknown_host.labels(sink).set(sink in sinks)

    def unusable_documents(self, documents: Iterable[str], unusable: Container[str]) -> None:
        """Show which of the documents the next start would refuse."""
        for document in documents:
            self._unusable_document.labels(document).set(document in unusable)

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

    def pagerduty_answer(self, outcome: str) -> None:
        """Count what somebody did in PagerDuty."""
        self._answers.labels(outcome).inc()

    def click(self, action: str, outcome: str) -> None:
        """Record a click in Slack: accepted, refused or failed."""
        self._clicks.labels(action, outcome).inc()

    def latency(self, seconds: float) -> None:
        """Record the delay from the newest event behind a notice to its delivery, in seconds."""
        self._latency.observe(max(seconds, 0.0))
