"""A worker that is stopped hands its partitions over, and gets them back when it returns, on a real Kafka."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.worker_process import Worker, running
from tests.integration.streams_worker import streams_worker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
SESSION = 120  # seconds: longer than the test waits for anything
Owned = dict[str, set[tuple[str, int]]]  # by instance name: topics and partitions


def owned_in(group: str, servers: str) -> Owned:
    """The partitions that the broker knows of each member of a group."""
    (found,) = AdminClient({"bootstrap.servers": servers}).describe_consumer_groups([group]).values()
    return {
        member.group_instance_id: {(tp.topic, tp.partition) for tp in member.assignment.topic_partitions}
        for member in found.result(30).members
    }


def until(holds: Callable[[Owned], bool], group: str, servers: str) -> Owned:
    deadline = time.monotonic() + SESSION / 2
    while not holds(owned := owned_in(group, servers)):
        assert time.monotonic() < deadline, owned
        time.sleep(0.5)
    return owned


def are_shared(owned: Owned) -> bool:
    """Return whether both workers have partitions, and together all of them."""
    numbers = [len(owned.get(name, ())) for name in ("one", "two")]
    return all(numbers) and sum(numbers) == 8


def test_a_worker_that_stops_leaves_its_partitions_at_once_and_gets_them_back(
    kafka_servers: str, tmp_path: Path
) -> None:
    settings = {"SURGEWATCH_INSTANCE": "one", "SURGEWATCH_SESSION_SECONDS": str(SESSION)}
    with streams_worker(kafka_servers, tmp_path, "leaving", **settings) as one:
        group = f"{one.environment['SURGEWATCH_TOPIC_PREFIX']}surgewatch-streams"
        port = free_port()
        own = {"SURGEWATCH_INSTANCE": "two", "SURGEWATCH_STREAMS_PORT": str(port)}
        two = Worker("streams", port, {**one.environment, **own}, tmp_path / "two.log")
        with running(two):
            before = until(are_shared, group, kafka_servers)
            two.stop()
            until(lambda owned: len(owned.get("one", ())) == 8, group, kafka_servers)
            two.start()
            two.wait_ready()
            until(lambda owned: owned == before, group, kafka_servers)
