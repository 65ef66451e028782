"""How every Kafka client of the project is set up: the one place for brokers and, later, for security.

Three client libraries are in use, each with names of its own: aiokafka (workers, also beneath Faust),
kafka-python (commands) and librdkafka (fast producing, the torture run).
"""

from dataclasses import dataclass
from typing import Any

CLIENT_ID = "surgewatch"
# Milliseconds after which metadata is asked for again. What a broker says of its topics just after its start
# can lack some, and a group's leader then assigns nothing of them until it asks again; the default is 5 min.
METADATA_MS = 5_000


@dataclass(frozen=True)
class KafkaSettings:
    """Where Kafka is. `servers`: host:port, several with commas between them."""

    servers: str

    @property
    def bootstrap(self) -> list[str]:
        """The bootstrap servers, one by one."""
        return [server.strip() for server in self.servers.split(",")]

    @property
    def aiokafka(self) -> dict[str, Any]:
        """Keyword arguments for every client of aiokafka."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": CLIENT_ID,
            "metadata_max_age_ms": METADATA_MS,
        }

    @property
    def faust(self) -> dict[str, Any]:
        """Keyword arguments for a Faust app, which sets up its own consumer and producer."""
        return {
            "broker": [f"surgewatch://{server}" for server in self.bootstrap],
            "consumer_metadata_max_age_ms": METADATA_MS,
        }

    @property
    def kafka_python(self) -> dict[str, Any]:
        """Keyword arguments for every client of kafka-python."""
        return {"bootstrap_servers": self.bootstrap, "client_id": CLIENT_ID}

    @property
    def librdkafka(self) -> dict[str, Any]:
        """Configuration for every client of librdkafka that does not produce."""
        return {"bootstrap.servers": self.servers, "client.id": CLIENT_ID, "log_level": 0}

    @property
    def librdkafka_producer(self) -> dict[str, Any]:
        """Configuration for a producer of librdkafka.

        Its own default partitioner is not Kafka's: without `murmur2_random`, the events of a sector would lie
        in another partition than those that a Java or Python producer sends.
        """
        return {**self.librdkafka, "enable.idempotence": True, "partitioner": "murmur2_random"}
