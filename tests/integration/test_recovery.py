"""The changelog and the worker's start, on a real Kafka."""

import os
import subprocess
import sys
import uuid

import faust
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import NoStore, RocksStore
from streams.runtime.partition_reader import AT, State
from streams.runtime.transport import Producer, Transport

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(kafka_servers):
    name = f"counts-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_servers})
    for done in admin.create_topics([NewTopic(name, 2, 1, config={"cleanup.policy": "compact"})]).values():
        done.result(30)
    return name


@pytest.fixture
async def producer(kafka_servers):
    app = faust.App("tests", broker=f"surgewatch://{kafka_servers}", web_enabled=False)
    producer = Producer(Transport(app.conf.broker, app))
    await producer.start()
    yield producer
    await producer.stop()


async def test_what_was_written_is_read_back_with_its_position(kafka_servers, topic, producer):
    changelog = Changelog(topic, KafkaSettings(kafka_servers), NoStore())
    await changelog.write(producer, {0: State(5, [(b"a", b"1"), (b"b", b"1")])})
    await changelog.write(producer, {0: State(9, [(b"a", b"2"), (b"b", None)]), 1: State(2, [(b"c", b"1")])})
    held = await Changelog(topic, KafkaSettings(kafka_servers), NoStore()).read(producer, [0, 1])
    assert held == {0: State(9, [(b"a", b"2")]), 1: State(2, [(b"c", b"1")])}


async def test_a_write_that_a_dying_worker_began_is_taken_back_for_all_who_come_after(
    kafka_servers, topic, producer
):
    changelog = Changelog(topic, KafkaSettings(kafka_servers), NoStore())
    await changelog.write(producer, {0: State(5, [(b"a", b"1")])})
    await producer.put(topic, 0, [(b"a", b"half", [("position", b"9")])])
    await producer.settled()
    assert (await changelog.read(producer, [0]))[0] == State(5, [(b"a", b"1")])
    await changelog.write(producer, {0: State(12, [(b"c", b"1")])})
    held, undone = await changelog.look([0])
    assert held[0] == State(12, [(b"a", b"1"), (b"c", b"1")])
    assert undone == {}


async def test_a_shelf_is_brought_up_to_date_from_the_changelog_alone(
    kafka_servers, topic, producer, tmp_path
):
    here = Changelog(topic, KafkaSettings(kafka_servers), RocksStore(tmp_path))
    await here.read(producer, [0])
    await here.write(producer, {0: State(5, [(b"a", b"1")])})
    here.close(0)
    await Changelog(topic, KafkaSettings(kafka_servers), NoStore()).write(
        producer, {0: State(9, [(b"a", b"2")])}
    )
    again = Changelog(topic, KafkaSettings(kafka_servers), RocksStore(tmp_path))
    assert (await again.read(producer, [0]))[0] == State(9, [(b"a", b"2")])
    again.close(0)
    copy = RocksStore(tmp_path).load(0)
    assert (copy.following, copy.pairs) == (4, {b"a": b"2", AT: b"9"})


def start_worker(servers: str, folder: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SURGEWATCH_BROKERS": servers, "SURGEWATCH_STATE_DIR": folder}
    environment["SURGEWATCH_STREAMS_PORT"] = "0"
    return subprocess.run(
        [sys.executable, "-m", "streams"], env=environment, capture_output=True, text=True, timeout=60
    )


def test_missing_topics_are_named_with_the_command_that_makes_them(kafka_servers, tmp_path, monkeypatch):
    monkeypatch.setenv("SURGEWATCH_TOPIC_PREFIX", "nobody-made-these-")
    ended = start_worker(kafka_servers, str(tmp_path))
    assert ended.returncode == 2
    assert "missing topics" in ended.stderr
    assert "nobody-made-these-encounters" in ended.stderr
    assert "surgewatch topics" in ended.stderr
    assert "Traceback" not in ended.stderr
