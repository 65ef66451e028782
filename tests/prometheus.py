"""Prometheus and Alertmanager, as installed, for tests; and an HTTP receiver that keeps what it is sent."""

import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from surgewatch.harness.apache_kafka import free_port
from tests.waiting import until

DEPLOY = Path(__file__).parent.parent / "deploy"


def tool(*names: str) -> str:
    """The first of these programs that is installed; else a skip, or a failure where required."""
    for name in names:
        if found := shutil.which(name):
            return found
    reason = f"{names[0]} is not installed (Debian: prometheus, prometheus-alertmanager)"
    if os.environ.get("SURGEWATCH_REQUIRE_PROMETHEUS") == "1":
        pytest.fail(f"SURGEWATCH_REQUIRE_PROMETHEUS=1, but {reason}")
    pytest.skip(reason)


def run(*command: str, **options: Any) -> str:
    """Run a command and return its output; a failure shows all of it."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, list[str]], alertmanager: str = "", interval: str = "1s"
) -> Iterator[str]:
    """The shipped configuration with these addresses for its jobs, running; yields its URL."""
    binary = tool("prometheus")
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": interval, "evaluation_interval": interval}
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules" / "*.yml")]
    port = free_port()
    known = {**targets, "prometheus": [f"127.0.0.1:{port}"]}
    config["scrape_configs"] = [
        {"job_name": job["job_name"], "static_configs": [{"targets": known.get(job["job_name"], [])}]}
        for job in config["scrape_configs"]
    ]
    managers = [{"static_configs": [{"targets": [alertmanager] if alertmanager else []}]}]
    config["alerting"]["alertmanagers"] = managers
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    command = [
        binary,
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=expand-external-labels",
        "--rules.alert.resend-delay=1s",  # the first alerts come before Alertmanager is discovered
    ]
    environment = {**os.environ, "SURGEWATCH_GRAFANA_URL": "http://grafana.test"}
    with _running(command, folder / "prometheus.log", f"http://127.0.0.1:{port}", environment) as url:
        yield url


@contextmanager
def alertmanager(folder: Path, hook: str, wait: str | None = "0s") -> Iterator[str]:
    """The shipped routes and inhibitions with a webhook for every receiver, running; yields `host:port`.

    `wait` replaces every group_wait (None keeps the shipped ones). The hook's path is the receiver's name.
    """
    binary = tool("prometheus-alertmanager", "alertmanager")
    config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    config.pop("global")
    config["templates"] = [str(DEPLOY / "alertmanager" / "templates" / "*.tmpl")]
    config["receivers"] = [
        {"name": receiver["name"], "webhook_configs": [{"url": f"{hook}/{receiver['name']}"}]}
        for receiver in config["receivers"]
    ]
    if wait is not None:
        _quicken(config["route"], wait)
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        binary,
        f"--config.file={path}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with _running(command, folder / "alertmanager.log", f"http://127.0.0.1:{port}", dict(os.environ)):
        yield f"127.0.0.1:{port}"


def query(url: str, expression: str) -> list[dict[str, Any]]:
    """The instant vector of an expression; raises AssertionError with Prometheus's own words."""
    address = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return list(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{expression}: {error.read().decode()}") from error


class Received:
    """What was posted, in order: the path, and the JSON body."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def find(self, path: str, **labels: str) -> dict[str, Any] | None:
        """The first alert posted to `path` with these labels (`status` counts as one)."""
        for at, body in list(self.posts):
            for alert in body["alerts"] if at == path else ():
                if labels.items() <= {**alert["labels"], "status": alert["status"]}.items():
                    return dict(alert)
        return None


@contextmanager
def receiver() -> Iterator[Received]:
    """A webhook that takes everything."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.posts.append((self.path, json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(text: Callable[[], str]) -> Iterator[str]:
    """An exporter that shows this text under /metrics; yields `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text().encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _quicken(route: dict[str, Any], wait: str) -> None:
    route |= {"group_wait": wait, "group_interval": "1s"}
    for child in route.get("routes", ()):
        _quicken(child, wait)


@contextmanager
def _running(command: list[str], log: Path, url: str, environment: dict[str, str]) -> Iterator[str]:
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=environment)
    try:
        until(lambda: process.poll() is not None or _ready(url), f"{command[0]} ready")
        assert process.poll() is None, log.read_text()
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False
