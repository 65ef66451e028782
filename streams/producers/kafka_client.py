"""Connect to the broker: options, topics, and errors that an operator can read."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka.errors import KafkaError as AsyncKafkaError
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from streams.contract.topics import Found, Plan, Topic, plan
from streams.runtime.hidden_topics import hidden_topics
from streams.runtime.kafka_diagnosis import diagnose
from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.kafka_settings import KafkaSettings, known_servers


class BrokerError(RuntimeError):
    """The broker is not there, or does not have what is needed; the message names what to do."""


@dataclass(frozen=True)
class Broker:
    """Where the broker is, and how to connect to it. Raises ValueError where `servers` are no host:port."""

    servers: str = "localhost:9092"
    api_version: tuple[int, ...] | None = None  # None: ask; librdkafka's mock cluster needs (2, 0, 0)
    timeout: float = 5.0  # seconds to wait for a first answer
    delivery_timeout: float = 120.0  # seconds that a record may wait until the broker has it
    replication: int = -1  # copies of a new topic; -1 is the broker's own default
    security: KafkaSecurity = field(default_factory=KafkaSecurity)

    def __post_init__(self) -> None:
        known_servers(self.servers)

    @property
    def kafka(self) -> KafkaSettings:
        """Return address and credentials, for other client libraries."""
        return KafkaSettings(self.servers, self.security)

    @property
    def options(self) -> dict[str, Any]:
        """Return the arguments of every kafka-python client."""
        return {
            **self.kafka.kafka_python,
            "api_version": self.api_version,
            "bootstrap_timeout_ms": int(self.timeout * 1000),
        }

    def copied(self, replication: int | None) -> "Broker":
        """Return the same with a replication factor for new topics (None: the broker's default)."""
        return self if replication is None else replace(self, replication=replication)

    def embedded(self) -> "Broker":
        """Return the same, set up for librdkafka's mock cluster."""
        return replace(self, api_version=(2, 0, 0))


@contextmanager
def kafka_errors(broker: Broker) -> Iterator[None]:
    """Turn what kafka-python and aiokafka raise into BrokerError."""
    try:
        yield
    except (KafkaError, AsyncKafkaError) as error:
        raise BrokerError(diagnose(broker.kafka, error)) from error


@contextmanager
def administering(broker: Broker) -> Iterator[KafkaAdminClient]:
    """An admin client for a while; raises BrokerError where no broker answers in time."""
    with kafka_errors(broker):
        admin = KafkaAdminClient(**broker.options)
        try:
            yield admin
        finally:
            admin.close()


def no_topic(broker: Broker, topic: str) -> BrokerError:
    """Return the error where a topic is not there, or may not be seen."""
    hidden = None if broker.api_version else hidden_topics(broker.kafka, [topic])
    return BrokerError(
        f"{broker.servers}: {hidden}"
        if hidden
        else f"the broker at {broker.servers} has no topic {topic!r}: run `surgewatch topics` first"
    )


def find(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, Found]:
    """Return those of the named topics that exist."""
    wanted = set(names)
    # all are asked for: to ask for one by its name could create it
    there = {t["name"]: len(t["partitions"]) for t in admin.describe_topics() if t["name"] in wanted}
    if not there:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    configurations = admin.describe_configs(resources, config_filter="all")["topic"]
    if hidden := sorted(name for name in there if not configurations[name]):
        raise BrokerError(f"an ACL is missing: DESCRIBE_CONFIGS on topic {', '.join(hidden)}")
    return {
        name: Found(partitions, {key: entry["value"] for key, entry in configurations[name].items()})
        for name, partitions in there.items()
    }


def reconcile(broker: Broker, wanted: Iterable[Topic], *, dry: bool = False) -> Plan:
    """Create what is missing and set retention; return what was (or, `dry`, would be) done.

    Does nothing at all where the plan has conflicts. Raises BrokerError where topics may not be seen.
    """
    wanted = tuple(wanted)
    with administering(broker) as admin:
        steps = plan(wanted, find(admin, [topic.name for topic in wanted]))
        if broker.api_version is None and (
            hidden := hidden_topics(broker.kafka, [topic.name for topic in steps.create])
        ):
            raise BrokerError(f"{broker.servers}: {hidden}")
        if steps.conflicts or dry:
            return steps
        if steps.create:
            admin.create_topics(
                {topic.name: _creation(topic, broker) for topic in steps.create}, wait_for_metadata=True
            )
        if steps.change:
            resources = [
                ConfigResource(ConfigResourceType.TOPIC, topic.name, change) for topic, change in steps.change
            ]
            answers = admin.alter_configs(resources, incremental=True)["topic"]
            if refused := {name: answer for name, answer in answers.items() if answer != "OK"}:
                reasons = "; ".join(f"{name}: {answer}" for name, answer in sorted(refused.items()))
                raise BrokerError(f"the broker does not change topics ({reasons}): is ALTER_CONFIGS allowed?")
        return steps


def _creation(topic: Topic, broker: Broker) -> dict[str, Any]:
    return {
        "num_partitions": topic.partitions,
        "replication_factor": broker.replication,
        "configs": topic.configuration,
    }
