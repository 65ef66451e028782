"""The alerts worker on a real Kafka, from verdicts to people: dead sinks, a killed worker, and operators."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from alerts.lifecycle.alert import Reason
from streams.contract.verdicts import Verdict
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.webhook_receiver import SECRET, Receiver, receiving
from surgewatch.harness.worker_process import Worker, running, total
from tests import waiting
from tests.alerts.made import verdict

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
TOKEN = "correct-horse-battery"
ROUTES = """
[sink.good]
kind = "webhook"
url = "{good}"
secret = "env:HOOK"
allow_private = true

[sink.sick]
kind = "webhook"
url = "{sick}"
secret = "env:HOOK"
allow_private = true

[sink.chat]
kind = "slack"
url = "env:CHAT"
allow_private = true

[sink.manager]
kind = "alertmanager"
url = "{manager}"
every_seconds = 1

[[route]]
name = "watch"
sinks = ["manager"]
border = ["southwest"]

[[route]]
name = "hooks"
sinks = ["good", "sick"]

[[route]]
name = "shift"
sinks = ["chat"]
"""


class Chat(ThreadingHTTPServer):
    """Take Slack's messages, and what is posted to an Alertmanager."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.messages: list[tuple[float, dict[str, object]]] = []
        self.standing: list[dict[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/api/v2/alerts":
            self.server.standing += json.loads(body)
        else:
            self.server.messages.append((time.time(), json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


class House:
    """A worker with two webhooks and a chat; the second webhook answers with its `status`."""

    def __init__(self, servers: str, folder: Path, good: Receiver, sick: Receiver, chat: Chat) -> None:
        self.good, self.sick, self.chat = good, sick, chat
        self.environment = {
            "SURGEWATCH_BROKERS": servers,
            "SURGEWATCH_TOPIC_PREFIX": f"people-{uuid4().hex[:8]}-",
            "SURGEWATCH_CLOCK": "event",
        }
        self.run("topics")
        routes = folder / "routes.toml"
        manager = f"http://127.0.0.1:{chat.server_port}"
        routes.write_text(ROUTES.format(good=good.url, sick=sick.url, manager=manager))
        own = {
            "SURGEWATCH_ALERTS_PORT": str(free_port()),
            "SURGEWATCH_STATE_DIR": str(folder / "alerts"),
            "SURGEWATCH_SESSION_SECONDS": "6",
            "SURGEWATCH_ROUTES": str(routes),
            "SURGEWATCH_CONSOLE_TOKEN": TOKEN,
            "HOOK": SECRET,
            "CHAT": f"http://127.0.0.1:{chat.server_port}/T/B/secret-path",
        }
        self.log = folder / "alerts.log"
        self.worker = Worker("alerts", int(own["SURGEWATCH_ALERTS_PORT"]), self.environment | own, self.log)
        self._producer = Producer({"bootstrap.servers": servers})

    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "surgewatch", *words]
        environment = self.worker.environment if words[0] != "topics" else self.environment
        done = subprocess.run(
            command, env={"PATH": "", **environment}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def recorded(self, sink: str, sector: str) -> list[str]:
        """The reasons of the notices that the worker has on record as taken by the sink."""
        alert = next(one.notice.alert for one in self.good.received if one.notice.alert.sector == sector)
        history = json.loads(self.worker.get(f"/api/alerts/{alert.alert_id}/history") or '{"sent": []}')
        return [one["reason"] for one in history["sent"] if one["sink"] == sink]

    def publish(self, *verdicts: Verdict) -> None:
        """Publish verdicts as the streams worker does."""
        for one in verdicts:
            self._producer.produce(
                self.environment["SURGEWATCH_TOPIC_PREFIX"] + "verdicts",
                one.model_dump_json().encode(),
                one.sector.encode(),
                headers=[("produced_at", str(int(time.time() * 1000)).encode())],
            )
        self._producer.flush(10)


@pytest.fixture(scope="module")
def house(kafka_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    chat = Chat()
    threading.Thread(target=chat.serve_forever, daemon=True).start()
    with receiving(Receiver()) as good, receiving(Receiver()) as sick:
        made = House(kafka_servers, tmp_path_factory.mktemp("people"), good, sick, chat)
        with running(made.worker):
            yield made
    chat.shutdown()
    chat.server_close()


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    waiting.until(true, "it did not come true", seconds, interval=0.02)


@contextmanager
def ill(receiver: Receiver, status: int = 503) -> Iterator[None]:
    receiver.status = status
    try:
        yield
    finally:
        receiver.status = 200


def reasons(receiver: Receiver, sector: str) -> list[Reason]:
    return [one.notice.reason for one in receiver.received if one.notice.alert.sector == sector]


def test_an_alert_is_in_slack_with_what_was_seen_and_expected(house: House) -> None:
    house.publish(verdict(0, breach=True, sector="blaine"))
    until(lambda: len(house.chat.messages) == 1)
    house.publish(verdict(0, breach=True, sector="spokane"))
    until(lambda: len(house.chat.messages) == 2)
    _, message = house.chat.messages[-1]
    assert str(message["text"]).startswith("Surge at Spokane: 90 in 1 day, expected 30")


def test_a_dead_sink_delays_no_other_and_gets_everything_in_order_though_the_worker_is_killed(
    house: House,
) -> None:
    with ill(house.sick):
        house.publish(verdict(0, breach=True, sector="houlton"))
        house.publish(*(verdict(day, breach=False, sector="houlton") for day in (1, 2, 3)))
        until(lambda: reasons(house.good, "houlton") == [Reason.FIRST, Reason.RESOLVED])
        assert reasons(house.sick, "houlton") == []
        # Who is killed between an answer and the record of it sends again, under the same id.
        until(lambda: house.recorded("good", "houlton") == ["first", "resolved"])
        house.worker.kill()
        house.worker.start()
        house.worker.wait_ready()
    until(lambda: reasons(house.sick, "houlton") == [Reason.FIRST, Reason.RESOLVED], 60)
    assert house.good.repeated == 0


def test_an_acknowledgement_is_sent_without_another_verdict(house: House) -> None:
    house.publish(verdict(0, breach=True, sector="havre"))
    until(lambda: reasons(house.good, "havre") == [Reason.FIRST])
    alert = next(one.notice.alert for one in house.good.received if one.notice.alert.sector == "havre")
    house.run("ack", alert.alert_id, "--by", "anna", "--reason", "on it")
    until(lambda: reasons(house.good, "havre") == [Reason.FIRST, Reason.ACKNOWLEDGED])
    held = json.loads(house.worker.get(f"/api/alerts/{alert.alert_id}") or "{}")
    assert held["acknowledged_by"] == "anna"


def test_a_route_that_is_switched_off_closes_what_it_opened_and_opens_it_when_back(
    house: House,
) -> None:
    who = ("--by", "anna", "--reason", "drill")
    house.run("route", "hooks", "--off", *who)
    assert "route hooks is off" in house.run("controls")
    controls = lambda: json.loads(house.worker.get("/api/board") or "{}").get("controls", [])  # noqa: E731
    until(lambda: any(one["id"] == "route/hooks" for one in controls()))
    messages = len(house.chat.messages)
    house.publish(verdict(0, breach=True, sector="detroit"))
    until(lambda: len(house.chat.messages) == messages + 1)
    until(lambda: reasons(house.good, "havre")[-1] is Reason.RESOLVED)
    assert reasons(house.good, "detroit") == []
    house.run("withdraw", "route/hooks", *who)
    until(lambda: not any(one["id"] == "route/hooks" for one in controls()))
    house.publish(verdict(0, breach=True, sector="buffalo"))
    until(lambda: reasons(house.good, "buffalo") == [Reason.FIRST])
    until(lambda: reasons(house.good, "detroit") == [Reason.FIRST])
    until(lambda: reasons(house.good, "havre")[-1] is Reason.FIRST)
    again = next(one for one in reversed(house.good.received) if one.notice.alert.sector == "havre")
    assert again.notice.headline.startswith("Acknowledged: ")


def test_a_standing_alert_is_posted_to_alertmanager_again_until_it_is_over(house: House) -> None:
    posted = house.chat.standing
    lives = lambda: [one for one in posted if one["endsAt"] > one["startsAt"]]  # noqa: E731
    house.publish(verdict(0, breach=True, sector="laredo", border="southwest"))
    until(lambda: len(lives()) >= 3)
    house.publish(*(verdict(day, breach=False, sector="laredo", border="southwest") for day in (1, 2, 3)))
    until(lambda: any("Back to normal" in one["annotations"]["description"] for one in posted))
    over = len(posted)
    time.sleep(2.5)
    assert len(posted) == over
    assert {one["labels"]["sector"] for one in posted} == {"laredo"}  # others go another way


def test_a_storm_is_a_digest_in_slack_and_every_notice_by_itself_in_a_webhook(house: House) -> None:
    storm = [verdict(0, breach=True, sector=f"storm-{at}") for at in range(60)]
    messages = len(house.chat.messages)
    house.publish(*storm)
    until(lambda: all(reasons(house.good, one.sector) == [Reason.FIRST] for one in storm))
    until(lambda: total(house.worker.samples(), "surgewatch_delivery_queue", sink="chat") == 0)
    texts = [str(message["text"]).splitlines()[0] for _, message in house.chat.messages[messages:]]
    print(texts)
    assert len(texts) <= 10
    assert any("alerts: " in text for text in texts)


def test_a_refused_notice_is_a_dead_letter_that_survives_the_worker_and_can_be_sent_again(
    house: House,
) -> None:
    dead = lambda: json.loads(house.worker.get("/api/board") or "{}").get("dead", [])  # noqa: E731
    with ill(house.sick, 400):
        house.publish(verdict(0, breach=True, sector="spokane-valley"))
        until(lambda: len(dead()) == 1)
        house.worker.kill()
        house.worker.start()
        house.worker.wait_ready()
        until(lambda: len(dead()) == 1)
    (letter,) = dead()
    assert (letter["sink"], letter["reason"]) == ("sick", "http_400")
    again = urllib.request.Request(
        f"http://127.0.0.1:{house.worker.port}/api/dead/{quote(letter['id'], safe='')}/resend",
        data=b"{}",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(again, timeout=10) as answer:
        assert answer.status == 202
    until(lambda: reasons(house.sick, "spokane-valley") == [Reason.FIRST])
    until(lambda: dead() == [])


def test_no_secret_is_in_the_log_the_metrics_or_the_console(house: House) -> None:
    shown = house.log.read_text() + "".join(
        house.worker.get(path) or "" for path in ("/metrics", "/api/board")
    )
    assert "secret-path" not in shown
    assert SECRET.removeprefix("whsec_") not in shown
    assert TOKEN not in shown
