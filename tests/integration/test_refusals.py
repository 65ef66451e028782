"""What a worker cannot trust it refuses, with a reason; what waits is seen. On a real Kafka."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from streams.contract.partitioning import partition_of
from streams.contract.sectors import registry
from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, reconcile
from streams.runtime.broker_monitor import BrokerMonitor
from streams.runtime.kafka_settings import KafkaSettings
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.worker_process import Worker, total
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
TIMEOUT = 60.0  # seconds: whatever is not being done is seen within a minute
SECTORS = [sector.id for sector in registry().sector][:12]


def event(serial: int, sector: str = "swanton") -> bytes:
    return json.dumps(
        {
            "event_id": f"e{serial}",
            "occurred_at": "2022-11-03T14:05:00Z",
            "sector": sector,
            "crossing_type": "between_ports",
            "demographic": "single_adult",
            "count": 1,
        }
    ).encode()


class Site:
    """Topics of their own, and one streams worker that the test starts."""

    def __init__(self, servers: str, folder: Path) -> None:
        self.kafka, self.prefix = KafkaSettings(servers), f"refuse-{uuid4().hex[:8]}-"
        reconcile(Broker(servers), topics(self.prefix))
        port = free_port()
        self.environment = {
            "SURGEWATCH_BROKERS": servers,
            "SURGEWATCH_TOPIC_PREFIX": self.prefix,
            "SURGEWATCH_CLOCK": "event",
            "SURGEWATCH_STATE_DIR": str(folder),
            "SURGEWATCH_STREAMS_PORT": str(port),
            "SURGEWATCH_SESSION_SECONDS": "6",
            "SURGEWATCH_COMMIT_SECONDS": "0.5",
        }
        self.worker = Worker("streams", port, self.environment, folder / "streams.log")
        self.admin = AdminClient(self.kafka.librdkafka)

    def send(self, *values: bytes, topic: str = "encounters", **where: object) -> None:
        """Put records on a topic."""
        producer = Producer(self.kafka.librdkafka_producer)
        for value in values:
            producer.produce(f"{self.prefix}{topic}", value, **where)
        assert producer.flush(TIMEOUT) == 0

    def send_events(self, serials: range, sectors: list[str] | None = None) -> None:
        """Put events on `encounters`, by the partition of their sector."""
        names = sectors or ["swanton"]
        for name in names:
            self.send(*(event(at, name) for at in serials if names[at % len(names)] == name), key=name)

    def people(self) -> float:
        return total(self.worker.samples(), "surgewatch_people")

    def surgewatch(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a user does."""
        return subprocess.run(
            [sys.executable, "-m", "surgewatch", *words],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )


@pytest.fixture
def site(kafka_servers: str, tmp_path: Path) -> Iterator[Site]:
    site = Site(kafka_servers, tmp_path)
    yield site
    site.worker.kill()


def counted(site: Site, people: int) -> None:
    """Start the worker, let it count, and stop it in good order."""
    site.worker.start()
    until(lambda: site.people() == people, site.worker.tail)
    site.worker.stop()


def refused(site: Site) -> str:
    """The line with which the worker ends by itself."""
    process = site.worker.process
    assert process is not None
    assert process.wait(TIMEOUT) == 2, site.worker.tail(40)
    return [one for one in site.worker.tail(40).splitlines() if one.startswith("surgewatch: ")][-1]


def made_anew(site: Site, topic: str = "encounters") -> None:
    """Delete a topic, and make another one of that name."""
    for done in site.admin.delete_topics([f"{site.prefix}{topic}"]).values():
        done.result(30)
    time.sleep(2)
    reconcile(Broker(site.kafka.servers), topics(site.prefix))


def test_a_topic_made_anew_under_a_running_worker_is_refused_however_far_it_reaches(site: Site) -> None:
    site.send_events(range(20))
    site.worker.start()
    until(lambda: site.people() == 20, site.worker.tail)
    made_anew(site)
    site.send_events(range(100, 150))
    assert "The topic was made anew" in refused(site)


@pytest.mark.parametrize("topic", ["controls", "verdicts", "encounters.dead"])
def test_whatever_topic_is_made_anew_under_a_running_worker_ends_it(site: Site, topic: str) -> None:
    site.send_events(range(20))
    site.worker.start()
    until(lambda: site.people() == 20, site.worker.tail)
    made_anew(site, topic)
    assert f"{site.prefix}{topic} was made anew. Start this worker again" in refused(site)


@pytest.mark.parametrize("topic", ["controls", "counts"])
def test_a_topic_that_is_deleted_under_a_running_worker_is_named_within_a_minute(
    site: Site, topic: str
) -> None:
    site.send_events(range(20))
    site.worker.start()
    until(lambda: site.people() == 20, site.worker.tail)
    for done in site.admin.delete_topics([f"{site.prefix}{topic}"]).values():
        done.result(30)
    until(
        lambda: total(site.worker.samples(), "surgewatch_not_ready", reason="topic_missing"), site.worker.tail
    )
    assert site.worker.get("/readyz") is None


async def ids(site: Site, topic: str) -> Mapping[str, str | None]:
    """The broker's ids of a topic, as a worker asks for them."""
    monitor = BrokerMonitor(site.kafka, f"{site.prefix}controls", "any")
    await monitor.start([topic])
    try:
        described = await monitor.described([topic])
        return {name: one and one.id for name, one in described.items()}
    finally:
        await monitor.stop()


def test_a_topic_made_anew_has_another_id(site: Site) -> None:
    topic = f"{site.prefix}encounters"
    before = asyncio.run(ids(site, topic))
    made_anew(site)
    after = asyncio.run(ids(site, topic))
    assert before.keys() == after.keys() == {topic}
    assert before != after


def test_a_topic_made_anew_is_refused_although_new_events_have_come(site: Site) -> None:
    site.send_events(range(20))
    counted(site, 20)
    made_anew(site)
    site.send_events(range(100, 150))
    site.worker.start()
    assert "has another record at offset 19 than was processed" in refused(site)


def test_a_loss_that_is_accepted_keeps_the_state_and_counts_what_is_new(site: Site) -> None:
    site.send_events(range(20))
    counted(site, 20)
    made_anew(site)
    site.send_events(range(15, 25))  # five of them are known
    site.worker.start()
    refused(site)
    home = f"{site.prefix}encounters[{partition_of(b'swanton', 4)}]"
    accepted = site.surgewatch("topics", "--accept-loss")
    assert f"{home} was processed up to 20, goes on from 0" in accepted.stdout, accepted.stderr
    assert site.surgewatch("topics", "--accept-loss").stdout == ""
    site.worker.start()
    until(lambda: site.people() == 25, site.worker.tail)
    assert total(site.worker.samples(), "surgewatch_events_total", outcome="duplicate") == 5


def test_state_ahead_of_its_topic_is_refused(site: Site) -> None:
    site.send_events(range(20))
    counted(site, 20)
    made_anew(site)
    site.worker.start()
    assert "is processed up to 20, but ends at 0" in refused(site)


def test_partitions_that_somebody_adds_end_the_worker_and_are_named_by_the_check(site: Site) -> None:
    site.send_events(range(5))
    site.worker.start()
    until(lambda: site.people() == 5, site.worker.tail)
    for done in site.admin.create_partitions([NewPartitions(f"{site.prefix}encounters", 6)]).values():
        done.result(30)
    assert "counts" in refused(site)
    site.worker.start()
    assert f"{site.prefix}encounters has 6 partitions, {site.prefix}counts has 4" in refused(site)
    check = site.surgewatch("topics", "--check")
    assert check.returncode == 2
    assert "`surgewatch topics --partitions 6`" in check.stderr


def test_more_partitions_take_the_state_of_every_sector_along(site: Site) -> None:
    site.send_events(range(240), SECTORS)
    counted(site, 240)
    before = {name: partition_of(name.encode(), 4) for name in SECTORS}
    moved = site.surgewatch("topics", "--partitions", "6")
    assert moved.returncode == 0, moved.stderr
    assert site.surgewatch("topics", "--check", "--partitions", "6").returncode == 0
    assert any(partition_of(name.encode(), 6) != at for name, at in before.items())
    site.send_events(range(120, 360), SECTORS)  # half of them are duplicates
    site.worker.start()
    until(lambda: site.people() == 360, site.worker.tail)
    assert total(site.worker.samples(), "surgewatch_events_total", outcome="duplicate") == 120
    assert total(site.worker.samples(), "surgewatch_rejected_total", reason="misplaced") == 0


def test_state_is_not_moved_while_a_worker_runs(site: Site) -> None:
    site.send_events(range(5))
    site.worker.start()
    until(lambda: site.people() == 5, site.worker.tail)
    moved = site.surgewatch("topics", "--partitions", "6")
    assert moved.returncode == 1
    assert "run: stop them" in moved.stderr


def test_an_open_transaction_is_reported_and_is_no_hang(site: Site) -> None:
    producer = Producer({**site.kafka.librdkafka_producer, "transactional.id": site.prefix})
    producer.init_transactions(TIMEOUT)
    producer.begin_transaction()
    producer.produce(f"{site.prefix}encounters", event(0), key="swanton")
    producer.flush(TIMEOUT)
    site.environment["SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS"] = "5"
    site.worker.start()
    reason = {"reason": "transaction_open"}
    until(lambda: total(site.worker.samples(), "surgewatch_not_ready", **reason) == 1, site.worker.tail)
    time.sleep(8)
    assert site.worker.process is not None
    assert site.worker.process.poll() is None
    producer.commit_transaction(TIMEOUT)
    until(lambda: site.people() == 1, site.worker.tail)
    until(lambda: site.worker.get("/readyz") is not None, site.worker.tail)


def test_an_event_in_another_partition_than_its_sectors_is_counted_as_misplaced(site: Site) -> None:
    home = partition_of(b"swanton", 4)
    site.send(event(1), key="swanton", partition=(home + 1) % 4)
    site.send(event(2), key="swanton")
    site.worker.start()
    until(lambda: site.people() == 1, site.worker.tail)
    assert total(site.worker.samples(), "surgewatch_rejected_total", reason="misplaced") == 1


def test_records_that_retention_dropped_unread_are_counted(site: Site) -> None:
    site.send_events(range(10))
    home = TopicPartition(f"{site.prefix}encounters", partition_of(b"swanton", 4), 4)
    for done in site.admin.delete_records([home]).values():
        done.result(30)
    site.worker.start()
    until(lambda: site.people() == 6, site.worker.tail)
    assert total(site.worker.samples(), "surgewatch_unread_records_total") == 4


def test_lag_is_shown_before_the_worker_is_a_member_and_sigterm_is_heeded(site: Site) -> None:
    site.send_events(range(10))
    site.worker.start()
    until(lambda: total(site.worker.samples(), "surgewatch_source_age_seconds") > 0, site.worker.tail)
    assert ("surgewatch_consumer_lag", (("partition", "0"), ("topic", f"{site.prefix}encounters"))) in (
        site.worker.samples()
    )
    site.worker.wait_ready(TIMEOUT)
    process = site.worker.process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert '"event": "started"' in site.worker.tail(40)
