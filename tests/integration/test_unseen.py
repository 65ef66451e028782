"""What stands still without an error is seen, on a real Kafka."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from surgewatch.harness.apache_kafka import ApacheKafka, free_port
from surgewatch.harness.worker_process import Worker, running, total
from tests.integration.streams_worker import streams_worker


@pytest.fixture
def streams(own_kafka: ApacheKafka, tmp_path: Path) -> Iterator[Worker]:
    settings = {"SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS": "5"}
    with streams_worker(own_kafka.servers, tmp_path, "unseen", **settings) as worker:
        yield worker


def name(worker: Worker, topic: str) -> str:
    return f"{worker.environment['SURGEWATCH_TOPIC_PREFIX']}{topic}"


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
