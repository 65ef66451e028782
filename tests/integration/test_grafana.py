"""Every panel has an answer: real Kafka, both workers under a replay, real Prometheus, the shipped rules.

And one story to its end: replay, verdict, alert, metric, rule, Alertmanager, captured webhook.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.webhook_receiver import SECRET
from surgewatch.harness.worker_process import Worker, running, total
from tests.integration.panels import questions
from tests.prometheus import Received, alertmanager, prometheus, query, receiver, run, tool, until

pytest.importorskip("alerts.worker.app")
pytestmark = [pytest.mark.kafka, pytest.mark.prometheus]

SECTOR, CLIMBING = "swanton", "2022-07-06"
VALUES = {"sector": SECTOR, "window": "day", "__rate_interval": "30s"}


@dataclass(frozen=True)
class Stack:
    """What is running."""

    prometheus: str
    hook: Received
    workers: tuple[Worker, ...]


def surgewatch(*words: str, servers: str, prefix: str, allowed: tuple[int, ...] = (0,)) -> None:
    """The command line, as an operator uses it."""
    where = ("--brokers", servers, "--topic-prefix", prefix)
    done = subprocess.run(
        [sys.executable, "-c", "from surgewatch.cli import main; main()", *words, *where],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in allowed, done.stdout + done.stderr


@pytest.fixture(scope="module")
def stack(kafka_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both workers that have lived through a winter in Swanton and two weeks of chaos."""
    tool("prometheus")
    folder, prefix, ports = tmp_path_factory.mktemp("stack"), "grafana-", (free_port(), free_port())
    environment = {
        "SURGEWATCH_BROKERS": kafka_servers,
        "SURGEWATCH_TOPIC_PREFIX": prefix,
        "SURGEWATCH_STATE_DIR": str(folder / "state"),
        "SURGEWATCH_CLOCK": "event",
        "HOOK_SECRET": SECRET,
        "SURGEWATCH_STREAMS_PORT": str(ports[0]),
        "SURGEWATCH_ALERTS_PORT": str(ports[1]),
    }
    with ExitStack() as stack:
        hook = stack.enter_context(receiver())
        manager = stack.enter_context(alertmanager(folder, hook.url))
        environment["SURGEWATCH_ROUTES"] = str(_routes(folder, hook.url))
        surgewatch("topics", servers=kafka_servers, prefix=prefix)
        streams = Worker("streams", ports[0], environment, folder / "streams.log")
        alerts = Worker("alerts", ports[1], environment, folder / "alerts.log")
        workers = stack.enter_context(running(streams, alerts))
        targets = {f"surgewatch-{worker.package}": [f"127.0.0.1:{worker.port}"] for worker in workers}
        server = stack.enter_context(prometheus(folder, targets, manager, interval="2s"))
        surgewatch("simulate", "swanton-2022", "--to", CLIMBING, servers=kafka_servers, prefix=prefix)
        # A standing alert is what panels and rules are about.
        surgewatch("ingest", str(_flood(folder)), servers=kafka_servers, prefix=prefix)
        surgewatch("simulate", "chaos", "--to", "2022-01-15", servers=kafka_servers, prefix=prefix)
        # A place without events, as this heartbeat is of now.
        surgewatch(
            "heartbeat", "field-office", "miami", "--every", "1h", servers=kafka_servers, prefix=prefix
        )
        until(lambda: _lived(streams), "the replay in the metrics", 60)
        yield Stack(server, hook, workers)


def test_every_panel_has_data(stack: Stack) -> None:
    asks = dict(questions(VALUES))

    def unanswered() -> list[str]:
        return [name for name, expression in asks.items() if not query(stack.prometheus, expression)]

    try:
        until(lambda: not unanswered(), "an answer to every panel", 30)
    except AssertionError:
        assert unanswered() == []


def test_promtool_accepts_the_metrics(stack: Stack) -> None:
    for worker in stack.workers:
        run(tool("promtool"), "check", "metrics", input=worker.get("/metrics"))


def test_a_replayed_surge_reaches_the_border_watch_by_way_of_alertmanager(stack: Stack) -> None:
    alert = until(
        lambda: stack.hook.find("/watch-northern", sector=SECTOR, component="surge"), "the webhook", 40
    )
    assert alert["labels"]["border"] == "northern"
    assert alert["annotations"]["dashboard_url"].endswith(f"?var-sector={SECTOR}")


def _lived(worker: Worker) -> bool:
    """Has the worker counted, refused what was broken, and nothing left to do?"""
    samples = worker.samples()
    refused = total(samples, "surgewatch_events_total", outcome="rejected")
    return bool(refused) and not total(samples, "surgewatch_consumer_lag")


def _flood(folder: Path) -> Path:
    """Three hundred people in one morning, where some ten come in a day."""
    event = {
        "occurred_at": f"{CLIMBING}T14:00:00Z", "sector": SECTOR, "crossing_type": "between_ports",
        "demographic": "single_adult", "citizenship": "MEXICO", "count": 10,
    }  # fmt: skip
    path = folder / "flood.ndjson"
    path.write_text("".join(json.dumps({"event_id": f"flood-{at}", **event}) + "\n" for at in range(30)))
    return path


def _routes(folder: Path, hook: str) -> Path:
    """One webhook for everything."""
    path = folder / "routes.toml"
    path.write_text(
        f'''
        [sink.hook]
        kind = "webhook"
        url = "{hook}/direct"
        secret = "env:HOOK_SECRET"
        allow_private = true

        [[route]]
        sinks = ["hook"]
        '''
    )
    return path
