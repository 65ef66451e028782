"""A shadow on a real Kafka finds what the live workers find; with other settings it differs."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer

from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, reconcile
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.worker_process import Worker, running

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]
SECTORS = ("swanton", "rcmp-quebec")
HISTORY, MORE = 90, 20  # days


def streams(servers: str, folder: Path, live: str, shadow: str = "", **more: str) -> Worker:
    """The live worker, or one of a shadow."""
    port, name = free_port(), shadow or "live"
    environment = {
        "SURGEWATCH_BROKERS": servers,
        "SURGEWATCH_TOPIC_PREFIX": shadow or live,
        "SURGEWATCH_CLOCK": "event",
        "SURGEWATCH_STATE_DIR": str(folder / name),
        "SURGEWATCH_STREAMS_PORT": str(port),
        **({"SURGEWATCH_EVENTS_PREFIX": live} if shadow else {}),
        **more,
    }
    return Worker("streams", port, environment, folder / f"{name}.log")


def send(servers: str, live: str, days: range) -> None:
    """Send some people at each sector on each of these days, and many on every tenth."""
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random"})
    for day in days:
        for sector in SECTORS:
            moment = dt.datetime(2023, 1, 1, 12, tzinfo=dt.UTC) + dt.timedelta(days=day)
            event = {
                "event_id": f"{sector}-{day}",
                "occurred_at": moment.isoformat(),
                "sector": sector,
                "crossing_type": "between_ports",
                "demographic": "unknown",
                "count": 60 if day % 10 == 9 else 4 + day % 3,
            }
            producer.produce(f"{live}encounters", json.dumps(event), key=sector)
    assert producer.flush(30) == 0


def surgewatch(servers: str, live: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {
        **os.environ, "SURGEWATCH_BROKERS": servers, "SURGEWATCH_TOPIC_PREFIX": live
    }  # fmt: skip
    command = [sys.executable, "-m", "surgewatch", "shadow", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150)


def wait_for_record(servers: str, topic: str) -> None:
    """Wait until the topic has a committed record."""
    reader = Consumer(
        {"bootstrap.servers": servers, "group.id": f"watch-{topic}", "auto.offset.reset": "earliest"}
    )
    reader.subscribe([topic])
    try:
        assert reader.poll(60) is not None, f"nothing in {topic}"
    finally:
        reader.close()


@pytest.fixture
def live(kafka_servers: str, tmp_path: Path) -> Iterator[str]:
    """The prefix of a live worker that has some history and has committed state of it."""
    prefix = f"live-{uuid4().hex[:8]}-"
    reconcile(Broker(kafka_servers), topics(prefix))
    with running(streams(kafka_servers, tmp_path, prefix)):
        send(kafka_servers, prefix, range(HISTORY))
        wait_for_record(kafka_servers, f"{prefix}counts")
        yield prefix


def test_a_shadow_finds_what_the_live_workers_find_unless_it_is_set_otherwise(
    kafka_servers: str, live: str, tmp_path: Path
) -> None:
    same, other = f"same-{live}", f"other-{live}"
    for shadow in (same, other):
        begun = surgewatch(kafka_servers, live, "begin", shadow)
        assert begun.returncode == 0, begun.stderr
    again = surgewatch(kafka_servers, live, "begin", same)
    assert (again.returncode, f"{same}counts has state" in again.stderr) == (2, True), again.stderr
    workers = (
        streams(kafka_servers, tmp_path, live, same),
        streams(kafka_servers, tmp_path, live, other, SURGEWATCH_FALSE_ALARMS_PER_MONTH="20"),
    )
    with running(*workers):
        send(kafka_servers, live, range(HISTORY, HISTORY + MORE))
        equal = surgewatch(kafka_servers, live, "compare", same)
        assert equal.returncode == 0, equal.stdout + equal.stderr
        assert "0 missing, 0 extra, 0 different" in equal.stdout
        differs = surgewatch(kafka_servers, live, "compare", other, "--json", "--show", "1000")
    assert differs.returncode == 1, differs.stdout + differs.stderr
    lines = [json.loads(line) for line in differs.stdout.splitlines()]
    stricter = [one for one in lines if one["kind"] == "different" and "alpha" in one["live"]]
    assert stricter
    assert all(one["live"]["alpha"] < one["shadow"]["alpha"] for one in stricter)
