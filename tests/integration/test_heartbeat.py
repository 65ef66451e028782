"""The heartbeat of both workers as processes, on the embedded broker."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streams.contract.topics import topics
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from surgewatch.harness.worker_process import Package, Worker

TIMEOUT = 60.0  # seconds
SECRET = "b7d2-secret"


@pytest.fixture
def watcher() -> Iterator[ThreadingHTTPServer]:
    """A dead man's switch; `asked` is set by the first request."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            server.asked.set()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        asked = threading.Event()

    server = Server(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("package", ["streams", "alerts"])
def test_a_worker_that_is_ready_beats_and_its_url_is_shown_nowhere(
    package: Package, watcher: ThreadingHTTPServer, tmp_path: Path
) -> None:
    port = free_port()
    environment = {
        "SURGEWATCH_STATE_DIR": str(tmp_path),
        f"SURGEWATCH_{package.upper()}_PORT": str(port),
        "SURGEWATCH_HEARTBEAT_URL": f"http://127.0.0.1:{watcher.server_address[1]}/{SECRET}",
        "SURGEWATCH_HEARTBEAT_ALLOW_PRIVATE": "true",
    }
    with EmbeddedBroker() as broker:
        broker.touch(*(topic.name for topic in topics()))
        worker = Worker(
            package, port, {**environment, "SURGEWATCH_BROKERS": broker.servers}, tmp_path / "log"
        )
        worker.start()
        try:
            assert watcher.asked.wait(TIMEOUT), worker.tail()
            worker.wait_ready(TIMEOUT)
            deadline = time.monotonic() + TIMEOUT
            sent = ("surgewatch_heartbeats_total", (("outcome", "sent"),))
            while worker.samples().get(sent) != 1 and time.monotonic() < deadline:
                time.sleep(0.1)
            assert worker.samples()[sent] == 1
            assert SECRET not in (worker.get("/metrics") or "") + worker.log.read_text()
        finally:
            worker.kill()
