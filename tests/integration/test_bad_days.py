"""Bad input and bad days, met by the workers as a user starts them, on a real Kafka."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # re-exported

from streams.contract.dead_letters import KEPT, DeadLetter
from streams.contract.topics import topics
from surgewatch.harness.worker_process import Worker, total
from tests.integration.streams_worker import streams_worker

NOWHERE = "127.0.0.1:1"
TIMEOUT = 30  # seconds
workers = pytest.mark.parametrize("package", ["streams", "alerts"])
GOOD = {
    "event_id": "good",
    "occurred_at": "2022-11-03T14:05:00Z",
    "sector": "swanton",
    "crossing_type": "between_ports",
    "demographic": "single_adult",
    "count": 3,
}


def record(**changes: object) -> bytes:
    """An encounter with some fields changed."""
    return json.dumps(GOOD | changes).encode()


BAD = {
    "garbage": (b"\x00\xff\xfe", "malformed_json"),
    "truncated JSON": (record()[:-9], "malformed_json"),
    "as large as the broker takes": (record(citizenship="x" * 990_000), "too_large"),
    "a count as text": (record(count="3"), "invalid"),
    "NaN": (record(count=float("nan")), "malformed_json"),
    "a negative count": (record(count=-1), "invalid"),
    "the year 9999": (record(occurred_at="9999-12-31T00:00:00Z"), "future"),
    "an unknown sector": (record(sector="swnton"), "unknown_sector"),
    "an unknown field": (record(passport="X123"), "unknown_field"),
}


def ended(folder: Path, package: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A worker that ends by itself."""
    environment = os.environ | {
        "SURGEWATCH_BROKERS": NOWHERE,
        "SURGEWATCH_STATE_DIR": str(folder),
        "SURGEWATCH_STREAMS_PORT": "0",
        "SURGEWATCH_ALERTS_PORT": "0",
        **settings,
    }
    command = [sys.executable, "-m", package]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)


@workers
def test_a_missing_broker_is_named_in_seconds_and_without_a_stack_trace(package: str, tmp_path: Path) -> None:
    began = time.monotonic()
    worker = ended(tmp_path, package)
    assert time.monotonic() - began < 20
    assert worker.returncode == 2, worker.stderr
    assert NOWHERE in worker.stderr.splitlines()[-1]
    assert "Traceback" not in worker.stderr + worker.stdout


@pytest.mark.kafka
def test_topics_that_do_not_exist_are_named_by_the_alerts_worker(kafka_servers: str, tmp_path: Path) -> None:
    prefix = f"nobody-{uuid4().hex[:8]}-"
    given = {"SURGEWATCH_BROKERS": kafka_servers, "SURGEWATCH_TOPIC_PREFIX": prefix}
    worker = ended(tmp_path, "alerts", **given)
    assert worker.returncode == 2, worker.stderr
    assert f"{prefix}verdicts" in worker.stderr
    assert "surgewatch topics" in worker.stderr
    assert "Traceback" not in worker.stderr


@pytest.mark.kafka
def test_topics_with_settings_that_lose_state_or_let_producers_move_time_are_refused(
    kafka_servers: str, tmp_path: Path
) -> None:
    prefix = f"unfit-{uuid4().hex[:8]}-"
    unfit = {"encounters": {"message.timestamp.type": "CreateTime"}, "counts": {"cleanup.policy": "delete"}}
    admin = AdminClient({"bootstrap.servers": kafka_servers})
    made = [
        NewTopic(topic.name, topic.partitions, 1, config=topic.configuration | unfit.get(name, {}))
        for topic in topics(prefix)
        for name in [topic.name.removeprefix(prefix)]
    ]
    for done in admin.create_topics(made).values():
        done.result(TIMEOUT)
    given = {"SURGEWATCH_BROKERS": kafka_servers, "SURGEWATCH_TOPIC_PREFIX": prefix}
    worker = ended(tmp_path, "streams", **given)
    assert worker.returncode == 2, worker.stderr
    line = worker.stderr.splitlines()[-1]
    assert f"{prefix}encounters has message.timestamp.type=CreateTime, LogAppendTime is needed" in line
    assert f"{prefix}counts has cleanup.policy=delete, compact is needed" in line


@pytest.mark.parametrize(
    ("package", "setting", "text", "key", "line"),
    [
        ("streams", "REGISTRY", '[[sector]]\nid = "a"\nnaem = "A"\n', "naem", 3),
        ("alerts", "POLICIES", "[default]\nopen_after = 1\nresolve_afetr = 3\n", "resolve_afetr", 3),
        ("alerts", "ROUTES", '# who is notified\n[[ruote]]\nname = "a"\n', "ruote", 2),
    ],
)
def test_a_misspelt_key_is_named_with_file_and_line(
    tmp_path: Path, package: str, setting: str, text: str, key: str, line: int
) -> None:
    file = tmp_path / f"{setting.lower()}.toml"
    file.write_text(text)
    worker = ended(tmp_path, package, **{f"SURGEWATCH_{setting}": str(file)})
    assert worker.returncode == 2, worker.stderr
    (fault,) = [one for one in worker.stderr.splitlines() if key in one]
    assert f"{file}:{line}:" in fault
    assert "Traceback" not in worker.stderr


@pytest.fixture
def streams(kafka_servers: str, tmp_path: Path) -> Iterator[Worker]:
    settings = {
        "SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS": "10",
        "SURGEWATCH_SESSION_SECONDS": "6",
        "SURGEWATCH_DEDUP_IDS": "1000000",
        "MALLOC_ARENA_MAX": "1",  # no memory in hand that nobody can see
    }
    with streams_worker(kafka_servers, tmp_path, "bad", **settings) as worker:
        yield worker


def encounters(worker: Worker) -> str:
    """The topic that a worker reads."""
    return f"{worker.environment['SURGEWATCH_TOPIC_PREFIX']}encounters"


def sent(worker: Worker, values: list[bytes]) -> dict[int, bytes]:
    """Put records on partition 0 of `encounters`; what lies at which offset."""
    producer = Producer({"bootstrap.servers": worker.environment["SURGEWATCH_BROKERS"]})
    lies: dict[int, bytes] = {}
    for value in values:
        producer.produce(
            encounters(worker),
            value,
            partition=0,
            on_delivery=lambda error, there: lies.update({there.offset(): there.value()}),
        )
    assert producer.flush(TIMEOUT) == 0, "the broker did not take every record"
    return lies


def dead_letters(worker: Worker, count: int) -> list[DeadLetter]:
    """What lies on `encounters.dead`, once it is `count` (or all that is there in time)."""
    reader = Consumer(
        {"bootstrap.servers": worker.environment["SURGEWATCH_BROKERS"], "group.id": uuid4().hex}
    )
    topic = f"{worker.environment['SURGEWATCH_TOPIC_PREFIX']}encounters.dead"
    partitions = reader.list_topics(topic, timeout=TIMEOUT).topics[topic].partitions
    reader.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    found: list[DeadLetter] = []
    deadline = time.monotonic() + TIMEOUT
    while len(found) < count and time.monotonic() < deadline:
        message = reader.poll(0.5)
        if message is not None and message.error() is None:
            found.append(DeadLetter.model_validate_json(message.value()))
    reader.close()
    return found


def settled(worker: Worker, events: int) -> None:
    """Wait until the worker is done with so many events."""
    deadline = time.monotonic() + TIMEOUT
    while (seen := total(worker.samples(), "surgewatch_events_total")) < events:
        assert time.monotonic() < deadline, f"{seen:.0f} of {events} events:\n{worker.tail()}"
        time.sleep(0.2)


@pytest.mark.kafka
def test_garbage_between_good_events_is_laid_aside_whole_and_loses_none_of_them(streams: Worker) -> None:
    values = [record(event_id="good 0")]
    for number, (bad, _) in enumerate(BAD.values(), 1):
        values += [bad, record(event_id=f"good {number}")]
    lies = sent(streams, values)
    settled(streams, len(values))
    samples = streams.samples()
    good = len(BAD) + 1
    assert total(samples, "surgewatch_people", sector="swanton") == 3 * good
    assert total(samples, "surgewatch_events_total", outcome="counted") == good
    for reason in {reason for _, reason in BAD.values()}:
        expected = sum(why == reason for _, why in BAD.values())
        assert total(samples, "surgewatch_rejected_total", reason=reason) == expected, reason
    letters = {letter.offset: letter for letter in dead_letters(streams, len(BAD))}
    for offset, value in lies.items():
        assert (offset in letters) == (offset % 2 == 1)
        if offset in letters:
            assert_explained(letters[offset], value, list(BAD.values())[offset // 2][1], streams)
    assert "swanton" in next(one.detail for one in letters.values() if one.reason == "unknown_sector")
    assert streams.get("/readyz") is not None


def assert_explained(letter: DeadLetter, value: bytes, reason: str, worker: Worker) -> None:
    assert letter.reason == reason
    assert letter.topic == encounters(worker)
    assert letter.partition == 0
    assert letter.size == len(value)
    if reason == "unknown_field":
        assert b"X123" not in letter.value
    else:
        assert value.startswith(letter.value)
        assert len(letter.value) == min(len(value), KEPT)


@pytest.mark.kafka
def test_a_worker_without_memory_ends_by_itself_and_the_next_one_counts_everybody_once(
    streams: Worker,
) -> None:
    process = streams.process
    assert process is not None
    sent(streams, [record(event_id="first")])
    settled(streams, 1)
    size = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(process.pid, resource.RLIMIT_AS, (size, size))
    events = 0
    deadline = time.monotonic() + TIMEOUT * 2
    while process.poll() is None:  # a worker may have some memory in hand, so more is sent until it ends
        assert time.monotonic() < deadline, streams.tail()
        sent(streams, [record(event_id=f"more {number}") for number in range(events, events + 20_000)])
        events += 20_000
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    # Mostly with a status of its own; where a C library meets the lack of memory first, by its signal.
    assert process.returncode != 0, streams.tail()
    streams.start()
    streams.wait_ready()
    settled(streams, events)
    deadline = time.monotonic() + TIMEOUT
    while (people := total(streams.samples(), "surgewatch_people", sector="swanton")) < 3 * (events + 1):
        assert time.monotonic() < deadline, people
        time.sleep(0.2)
    assert people == 3 * (events + 1)


@pytest.mark.kafka
def test_what_a_producer_took_back_is_not_counted_and_the_marks_of_its_transactions_hold_nothing_up(
    streams: Worker,
) -> None:
    producer = Producer(
        {
            "bootstrap.servers": streams.environment["SURGEWATCH_BROKERS"],
            "transactional.id": streams.environment["SURGEWATCH_TOPIC_PREFIX"],
        }
    )
    producer.init_transactions(TIMEOUT)
    for number, kept in enumerate((True, False, True, True, False)):
        producer.begin_transaction()
        for part in range(3):
            producer.produce(encounters(streams), record(event_id=f"{number} {part}"), partition=0)
        producer.flush(TIMEOUT)
        (producer.commit_transaction if kept else producer.abort_transaction)(TIMEOUT)
    settled(streams, 9)
    caught_up(streams)
    assert total(streams.samples(), "surgewatch_people", sector="swanton") == 9 * GOOD["count"]


@pytest.mark.kafka
def test_what_the_broker_has_dropped_before_it_was_read_holds_nothing_up(streams: Worker) -> None:
    streams.kill()
    sent(streams, [record(event_id=f"old {number}") for number in range(6)])
    admin = AdminClient({"bootstrap.servers": streams.environment["SURGEWATCH_BROKERS"]})
    for done in admin.delete_records([TopicPartition(encounters(streams), 0, 4)]).values():
        done.result(TIMEOUT)
    streams.start()
    streams.wait_ready()
    settled(streams, 2)
    caught_up(streams)
    assert total(streams.samples(), "surgewatch_people", sector="swanton") == 2 * GOOD["count"]


def caught_up(worker: Worker) -> None:
    """Wait until nothing is left to be read."""
    deadline = time.monotonic() + TIMEOUT
    while lag := total(worker.samples(), "surgewatch_consumer_lag"):
        assert time.monotonic() < deadline, f"{lag:.0f} records are left:\n{worker.tail()}"
        time.sleep(0.2)
