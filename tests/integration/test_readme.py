"""The commands of the documents work as written: from the wheel, in an empty folder, with defaults."""

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from surgewatch.harness.apache_kafka import ApacheKafka
from tests import kafka
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
BROKERS = "export SURGEWATCH_BROKERS=localhost:9092"
STREAMS, ALERTS = "surgewatch worker streams", "surgewatch worker alerts"
PORTS = {STREAMS: 9101, ALERTS: 9102}
EVENT = {  # FILE of the README
    "event_id": "a",
    "occurred_at": "2022-09-01T14:05:00Z",
    "sector": "swanton",
    "crossing_type": "between_ports",
    "demographic": "family_unit",
    "count": 2,
}


def commands(page: str) -> list[str]:
    """The lines of all shell blocks of a page, which name no language, without comments."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    shell = [block for language, block in blocks if not language]
    lines = [line.partition("#")[0].strip() for block in shell for line in block.splitlines()]
    return [line for line in lines if line.startswith(("surgewatch ", "export "))]


@dataclass(frozen=True)
class Installation:
    """The wheel in a virtual environment of its own, an empty folder to work in, and a broker."""

    folder: Path
    environment: dict[str, str]

    def run(self, line: str) -> str:
        """Run a line to its end, as somebody would type it; it must succeed."""
        done = subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}: {done.stdout[-1000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    @contextmanager
    def working(self, line: str) -> Iterator[None]:
        """Run a worker until the end of the block: it must become ready, and end well when it is asked to."""
        with (self.folder / "log").open("a") as log:
            worker = subprocess.Popen(
                line.split(), cwd=self.folder, env=self.environment, stderr=log, stdout=log
            )
        try:
            until(lambda: read(PORTS[line], "/readyz"), f"{line} is ready", 120)
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            ended = worker.wait(60)
        assert ended == 0


def read(port: int, path: str) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def stands(question: str) -> bool:
    """Return whether the console knows an alert of this question."""
    return any(alert["question"] == question for alert in json.loads(read(9102, "/api/alerts") or "[]"))


def summed(port: int, metric: str) -> float | None:
    """The sum of a metric's samples; None where the worker shows none."""
    found = re.findall(rf"^{metric}\{{.*\}} (\S+)$", read(port, "/metrics") or "", re.MULTILINE)
    return sum(map(float, found)) if found else None


def people() -> float | None:
    """People that the streams worker has counted."""
    return summed(9101, "surgewatch_people")


def has_read_everything(port: int) -> bool:
    return summed(port, "surgewatch_consumer_lag") == 0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """A broker on which nothing has been made yet."""
    yield from kafka.own_broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture(scope="module")
def installed(broker: ApacheKafka, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Surgewatch, installed as docs/image.md says for machines without containers."""
    home = tmp_path_factory.mktemp("opt") / "surgewatch"
    guide = re.search(
        r"^## Without a container.*?^```\n(.*?)^```$", (ROOT / "docs/image.md").read_text(), re.M | re.S
    )
    assert guide
    for line in guide[1].splitlines():
        command = line.partition("#")[0].strip().replace("/opt/surgewatch", str(home))
        if command == "make wheel":
            command = f"{sys.executable} -m hatchling build --directory build/dist"
        subprocess.run(["/bin/bash", "-c", command], cwd=ROOT, check=True, capture_output=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("SURGEWATCH_")}
    path = f"{home}/bin:{os.environ['PATH']}"
    folder = tmp_path_factory.mktemp("empty")
    (folder / "FILE").write_text(json.dumps(EVENT) + "\n")
    (folder / "counts.csv").write_text(history("day"))
    (folder / "days.csv").write_text(history("day"))
    (folder / "months.csv").write_text(history("month"))
    return Installation(folder, own | {"PATH": path, "SURGEWATCH_BROKERS": broker.servers})


def history(cadence: str) -> str:
    """Two years of two sectors, as `surgewatch score` reads them."""
    days = [dt.date(2021, 1, 1) + dt.timedelta(at) for at in range(730)]
    periods = (
        [f"{day}" for day in days] if cadence == "day" else [f"{day:%Y-%m}" for day in days if day.day == 1]
    )
    rows = [
        f"{sector},{period},{usual + at * 7 % 5}\n"
        for sector, usual in (("blaine", 3), ("havre", 8))
        for at, period in enumerate(periods)
    ]
    return "".join(["series,period,count\n", *rows])


def test_a_newcomer_gets_from_an_empty_broker_to_the_story_of_roxham_road(installed: Installation) -> None:
    lines = commands("README.md")
    assert lines.pop(0) == BROKERS
    sent = map(json.loads, installed.run("surgewatch simulate roxham-2022 --out -").splitlines())
    story = sum({event["event_id"]: event["count"] for event in sent}.values())
    installed.run(lines.pop(0))
    with installed.working(ALERTS), installed.working(STREAMS):
        for line in lines:
            if line not in PORTS:
                installed.run(line)
        until(lambda: people() == story + 2, "everybody is counted", 300)
        until(lambda: stands("displacement"), "the console shows where people went in March 2023", 120)
        assert read(9101, "/readyz") is not None
    assert (installed.folder / "scores.csv").read_text().count("\n") > 1000
    assert "[[prior]]" in (installed.folder / "priors.toml").read_text()


def test_an_operator_adds_partitions_and_peer_priors_and_nobody_is_lost(installed: Installation) -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    with installed.working(ALERTS):
        with installed.working(STREAMS):
            counted = until(people, "what was counted is there again", 120)
            until(lambda: has_read_everything(9101), "all events are read", 120)
        time.sleep(10)  # the lag that is shown may be older than the last verdicts
        until(lambda: has_read_everything(9102), "all verdicts are read", 120)
    add = re.search(r"Run `(surgewatch topics --partitions 12)`", guide)
    assert add
    installed.run(add[1])
    installed.run("surgewatch topics --check")
    *learn, priors = commands("docs/operations.md")
    for line in learn:
        installed.run(line)
    name, value = priors.removeprefix("export ").split("=")
    installed.environment[name] = value
    with installed.working(STREAMS):
        until(lambda: people() == counted, "everybody is counted in their new partitions", 120)
        installed.run("surgewatch ingest FILE")
        installed.run("surgewatch topics --check")
