"""A broker inside this process, for the demo: librdkafka's mock cluster, which comes with `confluent-kafka`.

It speaks Kafka's protocol over TCP and needs neither Java nor Docker. It is no more than a demo's broker:
four partitions a topic, nothing on disk, no compaction, and a partition silently drops its oldest records
beyond 5 MiB or 100,000 messages. So a replay against it has to be paced by the workers' lag.
"""

from types import TracebackType
from typing import Self

from confluent_kafka import Producer

PARTITIONS = 4


class EmbeddedBroker:
    """A broker that lives as long as this object; `servers` is where to find it."""

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
        (broker,) = self._cluster.list_topics(timeout=10).brokers.values()
        self.servers = f"{broker.host}:{broker.port}"

    def touch(self, *topics: str) -> None:
        """Create topics by requesting their metadata (there is no CreateTopics here)."""
        for topic in topics:
            self._cluster.list_topics(topic, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._cluster
