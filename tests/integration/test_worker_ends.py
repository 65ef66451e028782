"""How a worker ends, and what it logs, on the embedded broker: no Java, no Docker."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from streams.contract.topics import topics
from streams.runtime.kafka_settings import KafkaSettings
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from surgewatch.harness.worker_process import Package, Worker, running, total
from tests.waiting import until

TIMEOUT = 60.0  # seconds


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        broker.touch(*(topic.name for topic in topics()))
        yield broker


def worker_of(servers: str, folder: Path, package: Package = "streams", **settings: str) -> Worker:
    """A worker that is not started yet."""
    port = free_port()
    environment = {
        "SURGEWATCH_BROKERS": servers,
        "SURGEWATCH_STATE_DIR": str(folder),
        f"SURGEWATCH_{package.upper()}_PORT": str(port),
        **settings,
    }
    return Worker(package, port, environment, folder / f"{package}.log")


@pytest.mark.parametrize(
    ("key", "position", "reason"),
    [
        ("swanton\0now", b"5", "key b'swanton\\x00now'"),
        ("hello", b"5", "key b'hello'"),
        ("hello", b"junk", "holds a foreign record at offset 0 (key b'hello'"),
    ],
    ids=["unknown version", "foreign key", "junk position"],
)
def test_state_that_cannot_be_restored_ends_the_worker_with_one_line_that_names_its_place(
    broker: EmbeddedBroker, tmp_path: Path, key: str, position: bytes, reason: str
) -> None:
    producer = Producer(KafkaSettings(broker.servers).librdkafka_producer)
    version_99 = b"\x81\xa7version\x63"
    producer.produce("counts", version_99, key=key, partition=0, headers=[("position", position)])
    producer.produce("counts", b"5", key="\0at", partition=0, headers=[("position", b"5")])
    producer.flush(TIMEOUT)
    worker = worker_of(broker.servers, tmp_path)
    worker.start()
    assert worker.process is not None
    assert worker.process.wait(TIMEOUT) == 2
    (line,) = [one for one in worker.tail(40).splitlines() if one.startswith("surgewatch: ")]
    assert "counts[0]" in line
    assert reason in line
    assert "Traceback" not in worker.tail(40)


def test_a_watchdog_of_a_second_lets_workers_work_and_end_in_good_order(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """The embedded broker leaves some requests without an answer for five seconds."""
    packages: tuple[Package, ...] = ("streams", "alerts")
    timeout = {"SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS": "1"}
    workers = [worker_of(broker.servers, tmp_path, package, **timeout) for package in packages]
    with running(*workers, seconds=TIMEOUT):
        for worker in workers:
            assert worker.process is not None
            worker.terminate()
            assert worker.process.wait(TIMEOUT) == 0, worker.tail()


def test_a_broker_that_goes_away_is_named_as_the_reason_and_costs_a_handful_of_lines(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        broker.touch(*(topic.name for topic in topics()))
        worker = worker_of(broker.servers, tmp_path)
        worker.start()
        worker.wait_ready(TIMEOUT)
        assert '"event": "started"' in worker.tail(40)
    try:
        until(
            lambda: total(worker.samples(), "surgewatch_not_ready", reason="broker_unreachable"), worker.tail
        )
        assert worker.get("/healthz") is not None
        assert len(worker.log.read_text().splitlines()) < 50
        assert worker.process is not None
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(15) == 0
    finally:
        worker.kill()
