"""What stands still without an error is seen, on a real Kafka."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from surgewatch.harness.apache_kafka import ApacheKafka, free_port
from surgewatch.harness.worker_process import Worker, running, total
from tests.integration.streams_worker import streams_worker
from tests.waiting import until

OFFSETS = "__consumer_offsets"
EVENT = (
    '{"event_id": "%s", "occurred_at": "2022-11-03T14:05:00Z", "sector": "swanton", '
    '"crossing_type": "between_ports", "demographic": "single_adult", "count": 3}'
)


@pytest.fixture
def streams(own_kafka: ApacheKafka, tmp_path: Path) -> Iterator[Worker]:
    settings = {"SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS": "5"}
    with streams_worker(own_kafka.servers, tmp_path, "unseen", **settings) as worker:
        yield worker


def name(worker: Worker, topic: str) -> str:
    return f"{worker.environment['SURGEWATCH_TOPIC_PREFIX']}{topic}"


def send(worker: Worker, event: str) -> None:
    producer = Producer({"bootstrap.servers": worker.environment["SURGEWATCH_BROKERS"]})
    producer.produce(name(worker, "encounters"), EVENT % event, partition=0)
    assert producer.flush(30) == 0


def need(servers: str, replicas: int) -> None:
    """Let the broker take offsets only where so many replicas are in sync."""
    change = ConfigEntry("min.insync.replicas", str(replicas), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, OFFSETS, incremental_configs=[change])
    for done in AdminClient({"bootstrap.servers": servers}).incremental_alter_configs([resource]).values():
        done.result(30)


@pytest.mark.kafka
def test_offsets_that_the_broker_does_not_take_are_seen_and_work_goes_on_once_it_takes_them(
    streams: Worker, own_kafka: ApacheKafka
) -> None:
    send(streams, "first")
    until(lambda: total(streams.samples(), "surgewatch_events_total") == 1, streams.tail)
    need(own_kafka.servers, 2)
    try:
        send(streams, "second")
        until(lambda: total(streams.samples(), "surgewatch_not_ready", reason="unwritten"), streams.tail)
    finally:
        need(own_kafka.servers, 1)
    until(lambda: streams.get("/readyz") == "ok\n", streams.tail, seconds=60)
    send(streams, "third")
    until(lambda: total(streams.samples(), "surgewatch_events_total") == 3, streams.tail)


@pytest.mark.kafka
def test_marks_of_transactions_hold_no_consumer_beside_the_flows(
    streams: Worker, own_kafka: ApacheKafka, tmp_path: Path
) -> None:
    """Behind the last record of a topic lies a mark: whoever has read the record has read all there is."""
    port = free_port()
    environment = {
        **streams.environment,
        "SURGEWATCH_STATE_DIR": str(tmp_path / "alerts"),
        "SURGEWATCH_ALERTS_PORT": str(port),
    }
    del environment["SURGEWATCH_STREAMS_PORT"]
    with running(Worker("alerts", port, environment, tmp_path / "alerts.log")) as (alerts,):
        producer = Producer({"bootstrap.servers": own_kafka.servers, "transactional.id": tmp_path.name})
        producer.init_transactions(30)
        for end in (producer.abort_transaction, producer.commit_transaction):
            producer.begin_transaction()
            for topic in ("controls", "alerts.current", "notices.dead"):
                producer.produce(name(streams, topic), b"{}", key=b"?", partition=0)
            producer.flush(30)
            end(30)
        looks_until = time.monotonic() + 22  # the watchdog ends who stands for five seconds
        while time.monotonic() < looks_until:
            for worker in (streams, alerts):
                standing = total(worker.samples(), "surgewatch_not_ready", reason="no_progress")
                assert standing == 0, worker.tail()
            time.sleep(0.5)
        for worker in (streams, alerts):
            assert worker.process is not None
            assert worker.process.poll() is None, worker.tail()
        assert total(alerts.samples(), "surgewatch_unusable_records_total", topic="alerts.current") == 2
