"""Producers and topics against brokers: one that is not there, the embedded one, and real Apache Kafka."""

import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition

from streams.contract.topics import TOPICS, topics
from streams.producers.kafka_client import Broker, BrokerError, administering, find, reconcile
from streams.producers.outgoing import Outgoing
from streams.producers.sender import Client, send
from surgewatch.cli import main
from surgewatch.harness.embedded_kafka import EmbeddedBroker

# kafka-python leaves sockets to the garbage collector where a connection is refused or a client closed
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
NOWHERE = "127.0.0.1:1"
RECORDS = [Outgoing(f"s{n % 7}".encode(), b"%d" % n, n) for n in range(3_000)]
clients = pytest.mark.parametrize("client", ["kafka", "fast"])


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    """Collect what a test leaves within that test, where the warning is known."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def embedded() -> Iterator[Broker]:
    with EmbeddedBroker() as broker:
        yield Broker(broker.servers).embedded()


@pytest.fixture
def fresh(kafka_servers: str) -> tuple[Broker, str]:
    """A real broker, and a prefix that no topic has yet."""
    return Broker(kafka_servers), f"t{uuid4().hex[:8]}-"


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit status of a command line."""
    monkeypatch.setattr(sys, "argv", ["surgewatch", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def received(broker: Broker, topic: str, count: int) -> dict[int, list[tuple[bytes, bytes]]]:
    """Keys and values of a topic, by partition, in the order of their offsets."""
    options = {name: broker.options[name] for name in ("bootstrap_servers", "api_version")}
    consumer = KafkaConsumer(**options, auto_offset_reset="earliest", consumer_timeout_ms=5_000)
    # Where it subscribes, kafka-python now and then stays without partitions for as long as it is waited.
    consumer.assign([TopicPartition(topic, at) for at in consumer.partitions_for_topic(topic) or ()])
    found: dict[int, list[tuple[bytes, bytes]]] = {}
    for number, record in enumerate(consumer, 1):
        found.setdefault(record.partition, []).append((record.key, record.value))
        if number == count:
            break
    consumer.close()
    return found


@pytest.mark.parametrize(
    "words",
    [("ingest", "FILE"), ("ingest", "FILE", "--client", "fast"), ("simulate", "swanton-2022"), ("topics",)],
)
def test_a_broker_that_is_not_there_is_named_in_seconds_and_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
) -> None:
    file = tmp_path / "file.ndjson"
    file.write_text("{}\n")
    began = time.monotonic()
    given = [str(file) if one == "FILE" else one for one in words]
    assert command(monkeypatch, *given, "--brokers", NOWHERE) == 2
    assert time.monotonic() - began < 10
    error = capsys.readouterr().err
    assert error.startswith(f"surgewatch: {NOWHERE}: nothing listens there")
    assert len(error.splitlines()) == 1


def test_a_file_that_is_not_there_is_named_before_a_broker_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "ingest", "/nowhere.csv", "--brokers", NOWHERE) == 2
    assert "surgewatch: /nowhere.csv cannot be read" in capsys.readouterr().err


def test_a_scenario_is_written_as_ndjson(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "scenario.ndjson"
    words = ("simulate", "swanton-2022", "--from", "2022-07-01", "--to", "2022-07-08", "--out", str(file))
    assert command(monkeypatch, *words) == 0
    days = {json.loads(line)["occurred_at"][:10] for line in file.read_text().splitlines()}
    assert min(days) >= "2022-07-01"
    assert max(days) <= "2022-07-07"


@clients
def test_the_embedded_broker_gets_every_record_in_order(embedded: Broker, client: Client) -> None:
    topic = f"embedded-{client}"
    progress: list[int] = []
    sent = send(RECORDS, embedded, topic, client=client, progress=progress.append)
    assert sent.records == progress[-1] == len(RECORDS)
    assert_in_order(received(embedded, topic, len(RECORDS)))


def assert_in_order(found: dict[int, list[tuple[bytes, bytes]]]) -> None:
    for key in {record.key for record in RECORDS}:
        (values,) = [
            [v for k, v in records if k == key] for records in found.values() if key in dict(records)
        ]
        assert values == [record.value for record in RECORDS if record.key == key]


@pytest.mark.kafka
@clients
def test_a_topic_that_is_not_there_is_named(fresh: tuple[Broker, str], client: Client) -> None:
    broker, prefix = fresh
    with pytest.raises(BrokerError, match=f"no topic '{prefix}encounters': run `surgewatch topics` first"):
        send(RECORDS, broker, f"{prefix}encounters", client=client)
    with administering(broker) as admin:
        assert not find(admin, [f"{prefix}encounters"])


@pytest.mark.kafka
@clients
def test_kafka_gets_every_record_in_order(fresh: tuple[Broker, str], client: Client) -> None:
    broker, prefix = fresh
    reconcile(broker, topics(prefix)[:1])
    assert send(RECORDS, broker, f"{prefix}encounters", client=client).records == len(RECORDS)
    assert_in_order(received(broker, f"{prefix}encounters", len(RECORDS)))


@pytest.mark.kafka
def test_both_clients_send_a_sector_to_the_same_partition(fresh: tuple[Broker, str]) -> None:
    broker, prefix = fresh
    reconcile(broker, topics(prefix)[:1])
    for client in ("kafka", "fast"):
        send(RECORDS[:70], broker, f"{prefix}encounters", client=client)
    found = received(broker, f"{prefix}encounters", 140)
    partitions = [{key for key, _ in records} for records in found.values()]
    assert sum(map(len, partitions)) == 7


@pytest.mark.kafka
def test_topics_are_created_once_and_then_left_alone(fresh: tuple[Broker, str]) -> None:
    broker, prefix = fresh
    assert len(reconcile(broker, topics(prefix), dry=True).create) == len(TOPICS)
    assert len(reconcile(broker, topics(prefix)).create) == len(TOPICS)
    assert not any(reconcile(broker, topics(prefix)))


@pytest.mark.kafka
def test_retention_is_set_right_and_what_cannot_be_is_refused(fresh: tuple[Broker, str]) -> None:
    broker, prefix = fresh
    encounters = topics(prefix)[0]
    reconcile(broker, [encounters])
    shorter = encounters._replace(retention_days=5)
    assert reconcile(broker, [shorter]).change
    assert not any(reconcile(broker, [shorter]))
    wider = reconcile(broker, [encounters._replace(partitions=8), *topics(prefix)[1:]])
    assert len(wider.conflicts) == 1
    with administering(broker) as admin:  # a plan with conflicts is not begun
        assert len(find(admin, [topic.name for topic in topics(prefix)])) == 1


@pytest.mark.kafka
def test_ingest_sends_good_rows_and_names_bad_ones(
    fresh: tuple[Broker, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    broker, prefix = fresh
    file = tmp_path / "chaos.ndjson"
    where = ("--brokers", broker.servers, "--topic-prefix", prefix)
    assert command(monkeypatch, "topics", *where) == 0
    assert command(monkeypatch, "simulate", "chaos", "--to", "2022-02-01", "--out", str(file)) == 0
    capsys.readouterr()
    assert command(monkeypatch, "ingest", str(file), *where) == 1
    out, err = capsys.readouterr()
    assert f"events to {prefix}encounters" in out
    assert "refused row" in err
    assert "unknown_sector" in err
