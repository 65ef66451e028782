"""Confluent's serializers, a Schema Registry that goes and comes, and a worker that is killed."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from streams.contract.dead_letters import Reason
from streams.contract.events import Encounter
from surgewatch.harness.worker_process import Worker, total
from tests import event_schemas
from tests.integration.streams_worker import streams_worker
from tests.integration.test_bad_days import dead_letters
from tests.schema_registry import SchemaRegistry
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
WATCHDOG = 4  # seconds
PEOPLE = 3  # in each event
Serialize = Callable[[Encounter], bytes]


@pytest.fixture
def registry() -> SchemaRegistry:
    return SchemaRegistry(login="surgewatch:secret")


@pytest.fixture
def worker(kafka_servers: str, registry: SchemaRegistry, tmp_path: Path) -> Iterator[Worker]:
    settings = {
        "SURGEWATCH_INSTANCE": "one",
        "SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS": str(WATCHDOG),
        "SURGEWATCH_SCHEMA_REGISTRY_URL": registry.url,
        "SURGEWATCH_SCHEMA_REGISTRY_USERNAME": "surgewatch",
        "SURGEWATCH_SCHEMA_REGISTRY_PASSWORD": "secret",
    }
    with streams_worker(kafka_servers, tmp_path, "formats", **settings) as found:
        yield found


def serializers(registry: SchemaRegistry) -> dict[str, Serialize]:
    """What producers use, for each format."""
    client = SchemaRegistryClient({"url": registry.url, "basic.auth.user.info": registry.login})
    made = event_schemas.protobuf_class(event_schemas.protobuf())
    millis = {"type": "long", "logicalType": "timestamp-millis"}
    avro = AvroSerializer(client, event_schemas.avro(times=millis))
    as_json = JSONSerializer(event_schemas.JSON_SCHEMA, client)
    protobuf = ProtobufSerializer(made, client, {"use.deprecated.format": False})

    def within(serializer: Any, subject: str, value: Any) -> bytes:
        return bytes(serializer(value, SerializationContext(subject, MessageField.VALUE)))

    def message(event: Encounter) -> Any:
        return event_schemas.protobuf_event(made, event.model_dump(exclude_none=True))

    return {
        "plain": lambda event: event.model_dump_json().encode(),
        "Avro": lambda event: within(avro, "avro", event.model_dump()),
        "JSON Schema": lambda event: within(
            as_json, "json", event.model_dump(mode="json", exclude_none=True)
        ),
        "Protobuf": lambda event: within(protobuf, "protobuf", message(event)),
    }


def event(name: str, sector: str = "swanton") -> Encounter:
    return Encounter.model_validate(
        {
            "event_id": name,
            "occurred_at": "2023-01-01T10:00:00Z",
            "sector": sector,
            "crossing_type": "at_port",
            "demographic": "family_unit",
            "count": PEOPLE,
        }
    )


def send(worker: Worker, *values: bytes, sector: str = "swanton") -> None:
    """Put records behind each other on the partition of a sector."""
    producer = Producer(
        {"bootstrap.servers": worker.environment["SURGEWATCH_BROKERS"], "partitioner": "murmur2_random"}
    )
    for value in values:
        producer.produce(f"{worker.environment['SURGEWATCH_TOPIC_PREFIX']}encounters", value, key=sector)
    assert producer.flush(30) == 0


def people(worker: Worker, sector: str = "swanton") -> float:
    return total(worker.samples(), "surgewatch_people", sector=sector)


def waits(worker: Worker) -> bool:
    return total(worker.samples(), "surgewatch_not_ready", reason="schema_unavailable") == 1


def test_events_of_every_format_are_counted_once_whatever_becomes_of_registry_and_worker(
    registry: SchemaRegistry, worker: Worker
) -> None:
    with registry.serving():
        ways = serializers(registry)
        send(worker, ways["plain"](event("a")), ways["Avro"](event("b")))
        until(lambda: people(worker) == 2 * PEOPLE, worker.tail, 40)
        values = [ways[way](event(way)) for way in ("Protobuf", "JSON Schema", "plain", "Avro")]
    send(worker, *values)
    until(lambda: waits(worker), worker.tail, 20)
    send(worker, ways["plain"](event("other", "tucson")), sector="tucson")  # on another partition
    until(lambda: people(worker, "tucson") == PEOPLE, worker.tail, 20)
    time.sleep(2 * WATCHDOG)  # a worker that waits is not stuck
    assert people(worker) == 2 * PEOPLE
    worker.kill()
    worker.start()
    until(lambda: waits(worker), worker.tail, 40)
    assert "schema_unavailable" in worker.tail() or worker.get("/readyz") is None
    with registry.serving():
        until(lambda: people(worker) == 6 * PEOPLE, worker.tail, 40)
        worker.wait_ready(20)
        unknown = b"\0\0\0\0\x63" + values[-1][5:]
        send(worker, unknown, ways["plain"](event("z")))
        until(lambda: people(worker) == 7 * PEOPLE, worker.tail, 40)
    (letter,) = dead_letters(worker, 1)
    assert (letter.reason, letter.detail) == (Reason.UNKNOWN_SCHEMA, "schema 99 is not known")
    assert letter.value == unknown
