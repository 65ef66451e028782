"""The loop in one message on a real Kafka: both workers, two of them for alerts, and a stand-in for Slack."""

import datetime as dt
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from streams.contract.verdicts import Verdict
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.worker_process import Worker, running, total
from tests.alerts.made import FIRST_DAY, verdict
from tests.integration.alerts_house import until
from tests.slack_server import APP, BOT, USER, Message, ServerThread, buttons

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
ROUTES = """
[sink.shift]
kind = "slack_app"
channel = "C0123456789"
bot_token = "env:BOT"
app_token = "env:APP"
api_url = "{url}"

[[route]]
name = "shift"
sinks = ["shift"]
"""
POLICIES = "[default]\nresolve_after = 1\n"
YESTERDAY = (dt.datetime.now(dt.UTC) - FIRST_DAY).days - 1  # alerts of the past are a backlog
CLICKS = 12  # of each kind
ANNA = "Anna Roy (anna@example.org)"


class Slack(ServerThread):
    """The stand-in, and what it shows of an alert."""

    def message(self, sector: str) -> Message | None:
        """The message about an alert in a sector."""
        found = [one for one in list(self.server.parents()) if f"{sector.title()}:" in one["text"]]
        assert len(found) <= 1
        return found[0] if found else None

    def shows(self, sector: str, text: str) -> bool:
        message = self.message(sector)
        return message is not None and text in json.dumps(message["blocks"], ensure_ascii=False)


class House:
    """A worker for streams and two for alerts."""

    def __init__(self, servers: str, folder: Path, slack: Slack, routes: str = ROUTES) -> None:
        self.slack, self.folder = slack, folder
        document = folder / "routes.toml"
        document.write_text(routes.replace("{url}", slack.server.url))
        policies = folder / "policies.toml"
        policies.write_text(POLICIES)
        self.prefix = f"slack-{uuid4().hex[:8]}-"
        self.environment = {
            "SURGEWATCH_BROKERS": servers,
            "SURGEWATCH_TOPIC_PREFIX": self.prefix,
            "SURGEWATCH_SESSION_SECONDS": "6",
            "SURGEWATCH_ROUTES": str(document),
            "SURGEWATCH_POLICIES": str(policies),
            "BOT": BOT,
            "APP": APP,
            "DUTY": "routing-key",
        }
        self.alerts = [self._worker("alerts", name) for name in ("a", "b")]
        self.streams = self._worker("streams", "s")
        self._producer = Producer({"bootstrap.servers": servers})

    def _worker(self, package: Any, name: str) -> Worker:
        port = free_port()
        own = {
            f"SURGEWATCH_{package.upper()}_PORT": str(port),
            "SURGEWATCH_STATE_DIR": str(self.folder / name),
        }
        return Worker(package, port, self.environment | own, self.folder / f"{name}.log")

    def publish(self, *verdicts: Verdict) -> None:
        for one in verdicts:
            self._producer.produce(
                f"{self.prefix}verdicts", one.model_dump_json().encode(), one.sector.encode()
            )
        self._producer.flush(10)

    def open(self, sector: str) -> Message:
        """Begin an alert, and return its message."""
        self.publish(verdict(YESTERDAY - 1, breach=True, sector=sector))
        until(lambda: self.slack.message(sector) is not None)
        return dict(self.slack.message(sector) or {})

    def end(self, sector: str) -> None:
        self.publish(verdict(YESTERDAY, breach=False, sector=sector))

    def mark(self, alert_id: str, name: str) -> list[Any]:
        """Return a mark of an alert on the console of each worker."""
        shown = [worker.get(f"/api/alerts/{alert_id}") for worker in self.alerts]
        return [json.loads(one)[name] if one else None for one in shown]


@pytest.fixture(scope="module")
def house(kafka_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Slack() as slack:
        made = House(kafka_servers, tmp_path_factory.mktemp("slack"), slack)
        options = ("--brokers", kafka_servers, "--topic-prefix", made.prefix)
        topics = [sys.executable, "-m", "surgewatch", "topics", *options]
        subprocess.run(topics, check=True, capture_output=True, timeout=60)
        with running(*made.alerts, made.streams, seconds=120):
            until(lambda: len(slack.server.sockets) == 2)
            yield made


def test_from_a_click_to_the_consoles_of_both_workers_and_the_edited_message(house: House) -> None:
    delays: dict[str, list[float]] = {}
    for number in range(CLICKS):
        message = house.open(f"sector{number}")
        timed_click(house, message, "take", f"{ANNA} takes care of it.", ("acknowledged_by", ANNA), delays)
        timed_click(
            house, message, "bad_data", f"{ANNA} marked it as bad data.", ("assessment", "bad_data"), delays
        )
    for what, seconds in delays.items():
        median, slowest = statistics.median(seconds), max(seconds)
        print(f"{len(seconds)} clicks, {what}: median {median:.3f} s, slowest {slowest:.3f} s")
    samples = [worker.samples() for worker in house.alerts]
    accepted = [total(one, "surgewatch_slack_clicks_total", outcome="accepted") for one in samples]
    assert sum(accepted) == 2 * CLICKS


def timed_click(
    house: House,
    message: Message,
    action: str,
    sentence: str,
    mark: tuple[str, str],
    delays: dict[str, list[float]],
) -> None:
    """Click, and add after how many seconds that is to be seen where."""
    time.sleep(1.1)  # at rest: Slack takes a message a second
    server, (name, value) = house.slack.server, mark
    alert_id = message["metadata"]["event_payload"]["alert"]
    began = time.monotonic()
    envelope = house.slack.run(server.click(message, action))
    waits: dict[str, Callable[[], bool]] = {
        "acknowledged": lambda: envelope in server.acknowledged,
        "in the message": lambda: sentence in json.dumps(server.messages[message["ts"]]),
        "on both consoles": lambda: house.mark(alert_id, name) == [value, value],
    }
    for what, is_true in waits.items():
        until(is_true)
        delays.setdefault(what, []).append(time.monotonic() - began)


def test_a_silence_and_the_end_are_shown_by_the_message_also_after_its_worker_was_killed(
    house: House,
) -> None:
    message = house.open("houlton")
    house.slack.run(house.slack.server.click(message, "silence"))
    until(lambda: house.slack.shows("houlton", f"Silenced by {ANNA}."))
    for worker in house.alerts:
        worker.kill()
    house.end("houlton")
    for worker in house.alerts:
        worker.start()
    until(lambda: house.slack.shows("houlton", "Resolved: "), 90)
    over = house.slack.message("houlton") or {}
    assert over["ts"] == message["ts"]
    assert buttons(over) == []
    until(lambda: len(house.slack.server.sockets) == 2)
    house.slack.run(house.slack.server.click(message, "take"))
    until(lambda: house.slack.server.ephemerals == [(USER, "This alert is over. Nothing was changed.")])


def test_no_token_is_in_a_log_a_metric_or_the_console(house: House) -> None:
    workers = [*house.alerts, house.streams]
    shown = "".join(worker.log.read_text() for worker in workers)
    shown += "".join(worker.get(path) or "" for worker in workers for path in ("/metrics", "/api/board"))
    assert not any(secret in shown for secret in (BOT, APP, "secret-ticket"))
