"""Controls that operators set at run time reach both workers within seconds, and survive them."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from alerts.notices.controls import CONTROL
from alerts.notices.ledger import CAUGHT_UP, CaughtUp, LedgerRecord
from streams.contract.controls import PolicyDate
from surgewatch.harness.webhook_receiver import SECRET, Receiver, receiving
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink
from tests.slack_server import APP, BOT, CHANNEL, Fault, ServerThread

PREFIX = "controls-"


def surgewatch(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "surgewatch", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=environment or None, check=False
    )


@pytest.fixture(scope="module")
def where(kafka_servers: str) -> tuple[str, ...]:
    options = ("--brokers", kafka_servers, "--topic-prefix", PREFIX)
    assert surgewatch("topics", *options).returncode == 0
    desk = OneSink()
    desk.judge(verdict(0, breach=True))
    alert = desk.alert().model_copy(update={"alert_id": "abc123"})
    producer = KafkaProducer(bootstrap_servers=kafka_servers)
    producer.send(
        f"{PREFIX}alerts.current", alert.model_dump_json().encode(), key=alert.question_key.encode()
    )
    for sink in ("duty", "anna"):
        record = LedgerRecord(sink, CAUGHT_UP, CaughtUp(until=0))
        producer.send(f"{PREFIX}deliveries", record.encode(), key=record.key)
    producer.close()
    return options


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("silence", "swanton", "--hours", "4"), "silence/swanton-all"),
        (
            ("silence", "rcmp-*", "--starts", "2199-12-05", "--repeats", "FREQ=DAILY", "--name", "n"),
            "silence/n",
        ),
        (
            ("silence", "swanton", "--starts", "2199-12-05 22:00", "--notify", "anna"),
            "silence/swanton-all-2199-12-05T22:00Z",
        ),
        (("ack", "abc123"), "ack/abc123"),
        (("ack", "abc123", "--as", "bad-data"), "ack/abc123"),
        (("policy", "treaty", "--date", "2023-03-25", "--sectors", "rcmp-*,swanton"), "policy/treaty"),
        (("capacity", "swanton", "60"), "capacity/swanton"),
        (("sensitivity", "*", "0.5"), "sensitivity/*"),
        (("route", "night", "--sinks", "duty", "--least", "critical"), "route/night"),
        (("route", "day", "--off"), "route/day"),
    ],
)
def test_a_control_is_on_its_topic_with_who_and_why(
    where: tuple[str, ...], words: tuple[str, ...], key: str
) -> None:
    published = surgewatch(*words, *where, "--reason", "a drill", "--by", "m.tremblay")
    assert published.returncode == 0, published.stderr
    first, undo = published.stdout.splitlines()
    assert first.startswith(f"{key}: ")
    assert undo == f"Undo: surgewatch withdraw {key} --reason ..."
    taken = surgewatch(*words, *where, "--reason", "over", "--by", "m.tremblay", "--withdraw")
    assert taken.stdout.strip() == f"{key}: {key} is withdrawn. Takes effect within seconds."
    values = [record.value for record in _records(where[1]) if record.key == key.encode()]
    control = CONTROL.validate_json(values[0])
    assert (control.by, control.reason) == ("m.tremblay", "a drill")
    withdrawn = CONTROL.validate_json(values[-1])
    assert (withdrawn.key, withdrawn.by, withdrawn.reason) == (key, "m.tremblay", "over")


@pytest.mark.kafka
def test_an_alert_is_acknowledged_by_the_beginning_of_its_id_and_an_unknown_one_is_refused(
    where: tuple[str, ...],
) -> None:
    taken = surgewatch("ack", "abc", *where, "--reason", "on it")
    assert taken.stdout.startswith("ack/abc123: "), taken.stderr
    refused = surgewatch("ack", "nope", *where, "--reason", "on it")
    assert refused.returncode == 2
    assert "no alert 'nope'" in refused.stderr


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("route", "night", "--sinks", "duti"), "unknown sink 'duti'; nearest known: duty"),
        (("silence", "swanton", "--notify", "duti"), "unknown sink 'duti'; nearest known: duty"),
        (
            ("route", "night", "--sinks", "duty", "--border", "northrn"),
            "no border matches 'northrn'; nearest known: northern",
        ),
    ],
)
def test_a_control_by_which_nobody_would_be_notified_is_refused(
    where: tuple[str, ...], words: tuple[str, ...], fault: str
) -> None:
    refused = surgewatch(*words, *where, "--reason", "r")
    assert refused.returncode == 2
    assert fault in refused.stderr


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("policy", "treaty", "--date", "soon", "--sectors", "swanton"), "date"),
        (("policy", "treaty", "--date", "2023-02-30", "--sectors", "swanton"), "date"),
        (("policy", "treaty", "--date", "2023-03-25", "--sectors", "swantn"), "nearest known: swanton"),
        (("silence", "nosuch-*"), "unknown sector 'nosuch-*'"),
        (("silence", "swanton", "--until", "2199-01-01"), "--until is for silences with --repeats"),
        (("silence", "swanton", "--starts", "2022-01-01"), "it would be over since 2022-01-01 08:00 UTC"),
        (("silence", "swanton", "--repeats", "FREQ=SECONDLY"), "FREQ=DAILY, WEEKLY or MONTHLY"),
        (("silence", "swanton", "--time-zone", "Torronto"), "unknown time zone 'Torronto'"),
        (("silence", "swanton", "--question", "surgee"), "unknown question 'surgee'"),
        (("capacity", "swanton", "inf"), "people_per_day"),
        (("capacity", "swanton", "1e999"), "people_per_day"),
        (("capacity", "swantn", "40"), "unknown sector 'swantn'"),
    ],
)
def test_a_control_that_cannot_be_used_is_refused_before_it_is_sent(
    words: tuple[str, ...], fault: str
) -> None:
    refused = surgewatch(*words, "--reason", "r", "--brokers", "localhost:1")
    assert refused.returncode == 2
    assert fault in refused.stderr


@pytest.mark.kafka
def test_a_route_that_there_is_not_cannot_be_switched_off(
    where: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "routes.toml"
    document.write_text(
        '[sink.duty]\nkind = "teams"\nurl = "env:TEAMS"\n\n[[route]]\nname = "night"\nsinks = ["duty"]\n'
    )
    monkeypatch.setenv("SURGEWATCH_ROUTES", str(document))
    refused = surgewatch("route", "nihgt", "--off", *where, "--reason", "r")
    assert refused.returncode == 2
    assert "unknown route 'nihgt'; nearest known: night" in refused.stderr
    assert surgewatch("route", "night", "--off", *where, "--reason", "r").returncode == 0


@pytest.mark.kafka
def test_what_was_never_set_cannot_be_withdrawn(where: tuple[str, ...]) -> None:
    refused = surgewatch("withdraw", "capacity/nobody", *where, "--reason", "r")
    assert refused.returncode == 2
    assert "unknown control 'capacity/nobody'" in refused.stderr


@pytest.mark.kafka
def test_controls_in_force_are_listed_and_withdrawn_by_key(where: tuple[str, ...]) -> None:
    who = ("--reason", "flood", "--by", "m.tremblay")
    surgewatch("capacity", "houlton", "25", *where, *who)
    held = surgewatch("controls", *where).stdout
    assert "capacity/houlton: capacity of houlton: 25 a day (m.tremblay, " in held
    assert surgewatch("withdraw", "capacity/houlton", *where, *who).returncode == 0
    assert "capacity/houlton" not in surgewatch("controls", *where).stdout


def test_a_test_page_reaches_the_sink_that_it_names(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    with receiving(Receiver()) as receiver:
        routes.write_text(
            f'[sink.hook]\nkind = "webhook"\nurl = "{receiver.url}"\n'
            'secret = "env:HOOK"\nallow_private = true\n'
        )
        paged = surgewatch("page", "--test", "hook", SURGEWATCH_ROUTES=str(routes), HOOK=SECRET)
        unknown = surgewatch("page", "--test", "nobody", SURGEWATCH_ROUTES=str(routes), HOOK=SECRET)
    assert paged.returncode == 0, paged.stderr
    assert [one.notice.headline for one in receiver.received] == [
        "[TEST] Test page from Surgewatch",
        "[TEST] Resolved: test page from Surgewatch",
    ]
    assert unknown.returncode == 2
    assert "hook" in unknown.stderr


@pytest.mark.parametrize(("token", "status"), [(BOT, 0), ("xoxb-old", 1)])
def test_a_test_page_is_one_message_of_a_slack_app_that_is_edited(
    tmp_path: Path, token: str, status: int
) -> None:
    routes = tmp_path / "routes.toml"
    with ServerThread() as slack:
        routes.write_text(
            f'[sink.shift]\nkind = "slack_app"\nchannel = "{CHANNEL}"\n'
            f'bot_token = "env:BOT"\napp_token = "env:APP"\napi_url = "{slack.server.url}"\n'
        )
        environment = {"SURGEWATCH_ROUTES": str(routes), "BOT": token, "APP": APP}
        paged = surgewatch("page", "--test", "shift", **environment)
        shown = [message["text"].splitlines()[0] for message in slack.server.parents()]
    assert paged.returncode == status, paged.stderr
    assert shown == ([] if status else ["[TEST] Resolved: test page from Surgewatch"])
    assert ("it refuses the token" in paged.stdout) == bool(status)


def test_a_test_page_that_may_have_been_received_is_ended_too(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    with ServerThread() as slack:
        routes.write_text(
            f'[sink.shift]\nkind = "slack_app"\nchannel = "{CHANNEL}"\n'
            f'bot_token = "env:BOT"\napp_token = "env:APP"\napi_url = "{slack.server.url}"\n'
        )
        slack.server.faults.append(Fault.LOST_AFTER)
        paged = surgewatch("page", "--test", "shift", SURGEWATCH_ROUTES=str(routes), BOT=BOT, APP=APP)
        shown = [message["text"].splitlines()[0] for message in slack.server.parents()]
    assert paged.returncode == 1
    assert shown == ["[TEST] Resolved: test page from Surgewatch"]
    assert "its end was delivered" in paged.stdout


def test_a_missing_secret_is_named_and_not_guessed(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    routes.write_text('[sink.chat]\nkind = "slack"\nurl = "env:CHAT_URL"\n')
    paged = surgewatch("page", "--test", "chat", SURGEWATCH_ROUTES=str(routes))
    assert paged.returncode == 2
    assert "CHAT_URL" in paged.stderr
    assert "Traceback" not in paged.stderr


def _records(servers: str) -> list[object]:
    topic = f"{PREFIX}controls"
    consumer = KafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", consumer_timeout_ms=3000
    )
    try:
        consumer.assign([TopicPartition(topic, at) for at in consumer.partitions_for_topic(topic) or ()])
        return list(consumer)
    finally:
        consumer.close()


@pytest.mark.kafka
def test_controls_that_a_producer_compressed_are_read_and_shown_on_any_terminal(
    where: tuple[str, ...],
) -> None:
    options = ("--brokers", where[1], "--topic-prefix", "packed-")  # others read theirs without these codecs
    assert surgewatch("topics", *options).returncode == 0
    at = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
    control = PolicyDate(
        by="m.tremblay",
        at=at,
        reason="\u6570",
        name="packed",
        date=dt.date(2023, 3, 25),
        sectors=("swanton",),
    )
    for codec in ("snappy", "lz4", "zstd"):
        producer = Producer({"bootstrap.servers": where[1], "compression.type": codec})
        producer.produce("packed-controls", control.model_dump_json().encode(), control.key.encode())
        assert producer.flush(30) == 0
    listed = surgewatch(
        "controls", *options, PYTHONIOENCODING="latin-1", PYTHONPATH=os.pathsep.join(sys.path)
    )
    assert listed.returncode == 0, listed.stderr
    assert "policy/packed: a new level from 2023-03-25" in listed.stdout
    assert "\\u6570" in listed.stdout
    assert surgewatch("withdraw", control.key, *options, "--reason", "over").returncode == 0
