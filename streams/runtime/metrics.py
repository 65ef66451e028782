"""What every worker shows to Prometheus about its own running."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from streams.runtime.heartbeat import Beat
from streams.runtime.readiness import NotReady, Position

disable_created_metrics()  # type: ignore[no-untyped-call]


class CurrentGauge(Collector):
    """A gauge whose series are replaced as a whole: none outlives the sector or partition it is of."""

    def __init__(
        self, name: str, text: str, labels: Iterable[str], registry: CollectorRegistry | None = None
    ) -> None:
        self._name, self._text, self._labelnames = f"surgewatch_{name}", text, tuple(labels)
        self._series: Mapping[tuple[str, ...], float] = {}
        if registry is not None:
            registry.register(self)

    def replace(self, series: Mapping[tuple[str, ...], float]) -> None:
        """Show these series (values by labels, in their order) and no others."""
        self._series = dict(series)

    def describe(self) -> list[GaugeMetricFamily]:
        """The family without its series."""
        return [GaugeMetricFamily(self._name, self._text, labels=self._labelnames)]

    def collect(self) -> list[GaugeMetricFamily]:
        """The family with the series of now."""
        (family,) = self.describe()
        for labels, value in self._series.items():
            family.add_metric(labels, value)
        return [family]


class RuntimeMetrics:
    """Lag, state, readiness and clock of one worker, in the worker's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._lag = CurrentGauge(
            "consumer_lag", "Records in the broker not yet processed", ("topic", "partition"), registry
        )
        self._age = CurrentGauge(
            "source_age_seconds",
            "Seconds since a record of a topic was last processed (since the start, where none was)",
            ("topic",),
            registry,
        )
        self._not_ready = CurrentGauge(
            "not_ready", "1 for each reason for which the worker is not ready", ("reason",), registry
        )
        self._skew = Gauge(
            "surgewatch_clock_skew_seconds",
            "Seconds that this machine's clock is ahead of the broker's",
            registry=registry,
        )
        self._state = Gauge(
            "surgewatch_state_bytes",
            "Bytes written to the changelog since the worker started",
            registry=registry,
        )
        self._recovery = Gauge(
            "surgewatch_recovery_seconds", "How long the last reading back of state took", registry=registry
        )
        self._copy_lost = Gauge(
            "surgewatch_local_copy_lost",
            "1 where the local copy of the state was given up: its disk cannot be used",
            registry=registry,
        )
        self._lost = Counter(
            "surgewatch_unread_records_total",
            "Records that the broker dropped before they were processed",
            ("topic",),
            registry=registry,
        )
        self._beats = Counter(
            "surgewatch_heartbeats_total",
            "Requests to the heartbeat's URL, by what came of them",
            ("outcome",),
            registry=registry,
        )
        for beat in Beat:
            self._beats.labels(beat)
        self.not_ready({reason.value: 0 for reason in NotReady})

    def lag(self, behind: Mapping[Position, int]) -> None:
        """How many records of each topic's partitions are not yet processed."""
        self._lag.replace({(topic, str(at)): records for (topic, at), records in behind.items()})

    def source_age(self, seconds: Mapping[str, float]) -> None:
        """Seconds since a record of each topic was last processed."""
        self._age.replace({(topic,): age for topic, age in seconds.items()})

    def not_ready(self, by_reason: Mapping[str, int]) -> None:
        """1 for each reason that holds, 0 for the others."""
        self._not_ready.replace({(reason,): holds for reason, holds in by_reason.items()})

    def clock_skew(self, seconds: float) -> None:
        """Seconds that this machine's clock is ahead of the broker's."""
        self._skew.set(seconds)

    def storage(self, written: int, recovery_seconds: float, *, copy_lost: bool) -> None:
        """Bytes written to the changelog, how long reading it back took, and whether a copy was given up."""
        self._state.set(written)
        self._recovery.set(recovery_seconds)
        self._copy_lost.set(copy_lost)

    def unread(self, topic: str, records: int) -> None:
        """The broker dropped records (retention) before they were processed."""
        self._lost.labels(topic).inc(records)

    def heartbeat(self, beat: Beat) -> None:
        """Count a request to the heartbeat's URL."""
        self._beats.labels(beat).inc()

    def page(self) -> bytes:
        """The exposition of the whole registry, in Prometheus' text format."""
        return generate_latest(self.registry)
