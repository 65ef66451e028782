"""The changelog and the worker's start, on a real Kafka."""

import os
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import Copy, NoStore, RocksStore
from streams.runtime.partition_reader import AT, State
from streams.runtime.transport import App, Producer, Transport

pytestmark = pytest.mark.kafka


def made(servers, name):
    """A changelog as `surgewatch topics` makes it."""
    settings = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}
    admin = AdminClient({"bootstrap.servers": servers})
    for done in admin.create_topics([NewTopic(name, 2, 1, config=settings)]).values():
        done.result(30)
    return name


@pytest.fixture
def topic(kafka_servers):
    return made(kafka_servers, f"counts-{uuid.uuid4().hex}")


@pytest.fixture
async def producer(kafka_servers):
    app = App("tests", broker=f"surgewatch://{kafka_servers}", web_enabled=False)
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


async def test_a_copy_that_ends_with_the_changelogs_record_is_used(kafka_servers, topic, producer, tmp_path):
    """What only the copy has shows that it was."""
    settings, store = KafkaSettings(kafka_servers), RocksStore(tmp_path)
    here = Changelog(topic, settings, store)
    await here.read(producer, [0])
    await here.write(producer, {0: State(5, [(b"a", b"1")])})
    copy = store.load(0)
    store.save(0, [(b"mark", b"1")], copy)
    here.close(0)
    for _ in range(2):
        again = Changelog(topic, settings, RocksStore(tmp_path))
        (held,) = (await again.read(producer, [0])).values()
        assert dict(held.pairs) == {b"a": b"1", b"mark": b"1"}
        again.close(0)
        await Changelog(topic, settings, NoStore()).write(producer, {0: State(9, [])})


async def test_a_copy_of_a_tail_that_the_broker_has_lost_is_not_used(
    kafka_servers, topic, producer, tmp_path
):
    """Others have written since, further than the copy reaches. Nothing of the lost tail comes back."""
    settings = KafkaSettings(kafka_servers)
    lost = Changelog(made(kafka_servers, f"lost-{uuid.uuid4().hex}"), settings, RocksStore(tmp_path))
    await lost.read(producer, [0])
    for position, pair in ((5, (b"a", b"1")), (9, (b"b", b"lost"))):
        await lost.write(producer, {0: State(position, [pair])})
    lost.close(0)
    others = Changelog(topic, settings, NoStore())
    for position, pair in ((5, (b"a", b"1")), (7, (b"c", b"3")), (9, (b"c", b"4")), (11, (b"a", b"2"))):
        await others.write(producer, {0: State(position, [pair])})
    for _ in range(2):
        here = Changelog(topic, settings, RocksStore(tmp_path))
        (held,) = (await here.read(producer, [0])).values()
        assert (held.position, dict(held.pairs)) == (11, {b"a": b"2", b"c": b"4"})
        here.close(0)


async def test_a_copy_that_reaches_beyond_the_changelog_leaves_nothing_behind(
    kafka_servers, topic, producer, tmp_path
):
    settings, store = KafkaSettings(kafka_servers), RocksStore(tmp_path)
    store.save(0, [(b"lost", b"1")], Copy(following=1000, saved_at=time.time()))
    store.close(0)
    await Changelog(topic, settings, NoStore()).write(producer, {0: State(5, [(b"a", b"1")])})
    for _ in range(2):
        here = Changelog(topic, settings, RocksStore(tmp_path))
        assert (await here.read(producer, [0]))[0] == State(5, [(b"a", b"1")])
        here.close(0)


async def test_an_unfinished_write_is_rolled_back_though_its_reader_died_before_it_did(
    kafka_servers, topic, producer, tmp_path
):
    settings = KafkaSettings(kafka_servers)
    await Changelog(topic, settings, NoStore()).write(producer, {0: State(5, [(b"a", b"1")])})
    await producer.put(topic, 0, [(b"a", b"half", [("position", b"7")])])
    await producer.settled()
    dying = Changelog(topic, settings, RocksStore(tmp_path))
    await dying.look([0])
    dying.close(0)
    here = Changelog(topic, settings, RocksStore(tmp_path))
    assert (await here.read(producer, [0]))[0] == State(5, [(b"a", b"1")])
    await here.write(producer, {0: State(9, [(b"b", b"2")])})
    here.close(0)
    for store in (NoStore(), RocksStore(tmp_path)):
        (held,) = (await Changelog(topic, settings, store).read(producer, [0])).values()
        assert (held.position, dict(held.pairs)) == (9, {b"a": b"1", b"b": b"2"})


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
