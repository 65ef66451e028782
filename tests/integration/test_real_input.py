"""Official files through real Kafka and both workers: nobody is lost, and the known surges are alerted."""

import csv
import gzip
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from alerts.lifecycle.alert import Notice, Reason
from streams.contract.sectors import registry
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running, total

DATA = Path(os.environ.get("SURGEWATCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
MONTHLY = "cbp_nationwide_encounters_fy20_fy22_aor.csv.gz"
SINGLE = "usbp_blw_spw_events_2012_2019.csv"
EPISODES = {  # of episodes.csv, within the file's months: sector and month of onset
    "DR-2021": ("del-rio", 2021, 3),
    "RG-2021": ("rio-grande-valley", 2021, 2),
    "YU-2021": ("yuma", 2021, 2),
    "SW-2022": ("swanton", 2022, 7),
}
WITHIN = 3  # months after its onset by which an episode has been alerted
TIMEOUT = 60  # seconds without anything new

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.data,
    pytest.mark.skipif(not DATA.exists(), reason=f"no official files in {DATA}: set SURGEWATCH_DATA"),
]


@contextmanager
def system(servers: str, folder: Path) -> Iterator[tuple[Worker, Worker, Receiver]]:
    """Topics, both workers and a receiver of webhooks, as a user has them."""
    common = {
        "SURGEWATCH_BROKERS": servers,
        "SURGEWATCH_TOPIC_PREFIX": f"real-{uuid4().hex[:8]}-",
        "SURGEWATCH_CLOCK": "event",
        "SURGEWATCH_ALLOW_PRIVATE": "true",
    }
    verb(common, "topics")
    with receiving(Receiver()) as receiver:
        common |= {"SURGEWATCH_WEBHOOK_URL": receiver.url, "SURGEWATCH_WEBHOOK_SECRET": receiver.secret}
        workers = []
        for package in ("streams", "alerts"):
            port = free_port()
            own = {
                f"SURGEWATCH_{package.upper()}_PORT": str(port),
                "SURGEWATCH_STATE_DIR": str(folder / package),
            }
            workers.append(Worker(package, port, common | own, folder / f"{package}.log"))
        with running(*workers) as (streams, alerts):
            yield streams, alerts, receiver


def verb(environment: dict[str, str], *words: str) -> str:
    """Run `surgewatch` with these words; return its output."""
    command = [sys.executable, "-c", "from surgewatch.cli import main; main()", *words]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, f"surgewatch {words[0]}: {done.stderr}"
    return done.stdout


class ProgressTimeout:
    """Lasts for as long as something moves, however slow the machine is."""

    def __init__(self) -> None:
        self._seen: tuple[float, ...] = ()
        self._since = time.monotonic()

    def lasts(self, *seen: float) -> bool:
        """Return whether these figures were others a short while ago."""
        if seen != self._seen:
            self._seen, self._since = seen, time.monotonic()
        return time.monotonic() - self._since < TIMEOUT


def counted(streams: Worker, people: int) -> dict[str, int]:
    """People by sector, once all are counted."""
    progress = ProgressTimeout()
    while (seen := total(samples := streams.samples(), "surgewatch_people")) < people:
        assert progress.lasts(seen), f"{seen:.0f} of {people} people counted:\n{streams.tail()}"
        time.sleep(0.2)
    found: Counter[str] = Counter()
    for (name, labels), value in samples.items():
        if name == "surgewatch_people" and value:
            found[dict(labels)["sector"]] += int(value)
    return dict(found)


def delivered(alerts: Worker, receiver: Receiver) -> list[Notice]:
    """All notices, once nothing has moved for two seconds."""
    progress = ProgressTimeout()
    last, since = -1.0, time.monotonic()
    while time.monotonic() - since < 2:
        samples = alerts.samples()
        behind = total(samples, "surgewatch_consumer_lag")
        now = total(samples, "surgewatch_notices_total")
        assert progress.lasts(behind, now), f"notices do not come to rest:\n{alerts.tail()}"
        if behind or now != last or len(receiver.received) < now:
            last, since = now, time.monotonic()
        time.sleep(0.2)
    return [one.notice for one in receiver.received]


def first_upward(notices: list[Notice]) -> dict[str, list[tuple[int, str]]]:
    """By sector: the month (years times 12) and the question of each new upward alert."""
    found: dict[str, list[tuple[int, str]]] = {}
    for notice in notices:
        alert = notice.alert
        if notice.reason is Reason.FIRST and alert.question.value not in ("drop", "silence"):
            onset = alert.onset.year * 12 + alert.onset.month - 1
            found.setdefault(alert.sector, []).append((onset, alert.question.value))
    return {sector: sorted(ones) for sector, ones in sorted(found.items())}


def test_every_sector_of_the_monthly_file_is_whole_and_its_surges_are_alerted(
    kafka_servers: str, tmp_path: Path
) -> None:
    places, expected = registry(), Counter[str]()
    with gzip.open(DATA / MONTHLY, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            border_patrol = row["Component"] == "U.S. Border Patrol"
            name = row["AOR (Abbv)"] if border_patrol else row["Area of Responsibility"]
            expected[places.find(name).id] += int(row["Encounter Count"])
    with system(kafka_servers, tmp_path) as (streams, alerts, receiver):
        verb(dict(streams.environment), "ingest", str(DATA / MONTHLY))
        assert counted(streams, expected.total()) == dict(expected)
        fired = first_upward(delivered(alerts, receiver))
    for sector, ones in fired.items():
        labelled = [name for name, (place, *_) in EPISODES.items() if place == sector]
        listed = ", ".join(f"{at // 12}-{at % 12 + 1:02d} {question}" for at, question in ones)
        print(f"{sector:24} {' '.join(labelled) or '-':8} {listed}")
    missed = [
        name
        for name, (sector, year, month) in EPISODES.items()
        if not any(0 <= at - (year * 12 + month - 1) <= WITHIN for at, _ in fired.get(sector, []))
    ]
    assert missed == [], f"not alerted within {WITHIN} months: {missed}"


def test_every_single_record_of_blaine_and_spokane_is_counted(kafka_servers: str, tmp_path: Path) -> None:
    places, expected = registry(), Counter[str]()
    with (DATA / SINGLE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["status_when_found"] != "IN INSTITUTION":  # found in a prison, not at the border
                expected[places.find(row["sector_code"]).id] += 1
    with system(kafka_servers, tmp_path) as (streams, _, _):
        verb(dict(streams.environment), "ingest", str(DATA / SINGLE))
        assert counted(streams, expected.total()) == dict(expected)
