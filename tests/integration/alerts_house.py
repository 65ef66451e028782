"""An alerts worker with two webhooks, a chat and an Alertmanager, and what people do about its alerts.

For tests and benchmarks on a real Kafka.
"""

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

from confluent_kafka import Producer

from alerts.lifecycle.alert import Reason
from streams.contract.verdicts import Verdict
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.webhook_receiver import SECRET, Receiver, receiving
from surgewatch.harness.worker_process import Worker
from tests import waiting

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


@contextmanager
def alerts_house(servers: str, folder: Path) -> Iterator[House]:
    """A house, whose worker is not started."""
    chat = Chat()
    threading.Thread(target=chat.serve_forever, daemon=True).start()
    with receiving(Receiver()) as good, receiving(Receiver()) as sick:
        yield House(servers, folder, good, sick, chat)
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


def board(worker: Worker, rows: str) -> list[dict[str, Any]]:
    """The rows of a kind that a worker's console shows."""
    return list(json.loads(worker.get("/api/board") or "{}").get(rows, []))


def send_again(worker: Worker, letter: str) -> None:
    """Send a dead letter again, as the button of the console does."""
    again = urllib.request.Request(
        f"http://127.0.0.1:{worker.port}/api/dead/{quote(letter, safe='')}/resend",
        data=b"{}",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(again, timeout=10) as answer:
        assert answer.status == 202
