"""Memory, descriptors and state of both workers, minute by minute, under a steady load.

    python -m benchmarks.soak [--minutes 15] [--rate 2000] [--sectors 200] [--days 60]

One worker of each package, on a real broker. `days` of event time pass meanwhile, so that everything that is
kept for a time (ids for 72 hours, hours for four weeks) has been full for a while at the end. On each day one
sector has five times as many people, so there are alerts; by the wall clock they are a backlog, which waits.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Producer

from benchmarks import load
from benchmarks.latency import workers
from streams.runtime.kafka_settings import KafkaSettings
from surgewatch.harness.apache_kafka import ApacheKafka
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running, total

SLICE = 100  # events between two looks at the clock
SETTLE = 60.0  # seconds that the workers have to catch up at the end


class Plan(NamedTuple):
    """What is sent: events a second, for so many minutes, over so many days of event time."""

    minutes: float
    rate: int
    sectors: int
    days: float

    @property
    def events(self) -> int:
        return int(self.rate * self.minutes * 60)

    def event(self, at: int) -> tuple[str, str]:
        """Return the key and the value of the event with this number."""
        moment = load.START + timedelta(days=self.days) * (at / self.events)
        number = at * 7 % self.sectors
        sector = f"sector-{number:05d}"
        is_surge = number == (moment - load.START).days * 11 % self.sectors
        people = (1 + at % 2) * (5 if is_surge else 1)
        fields = load.DEMOGRAPHICS[at % 4], load.CITIZENSHIPS[at % 8], people, at % 999_999
        text = load.EVENT % (f"s-{at}", moment.isoformat(timespec="seconds"), sector, "at_port", *fields)
        return sector, text


def sample(worker: Worker) -> dict[str, float]:
    """Return the resident memory and the open descriptors of a worker."""
    assert worker.process is not None
    process = Path(f"/proc/{worker.process.pid}")
    pages = int((process / "statm").read_text().split()[1])
    return {
        "memory_mb": round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1),
        "descriptors": len(list((process / "fd").iterdir())),
    }


def size(folder: Path) -> float:
    """Return the megabytes in a folder."""
    return round(sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 2**20, 2)


def feed(servers: str, plan: Plan) -> Iterator[int]:
    """Send the events at their pace; after each minute yield how many were sent."""
    producer = Producer(KafkaSettings(servers).librdkafka_producer)
    began = time.monotonic()
    for at in range(plan.events):
        if at % SLICE == 0:
            time.sleep(max(0.0, began + at / plan.rate - time.monotonic()))
            producer.poll(0)
        sector, text = plan.event(at)
        producer.produce("encounters", key=sector, value=text)
        if (at + 1) % (plan.rate * 60) == 0:
            producer.flush()
            yield at + 1


@contextmanager
def broker(folder: Path) -> Iterator[ApacheKafka]:
    """Run a broker with all topics."""
    kafka = ApacheKafka(folder / "kafka")
    kafka.start()
    try:
        load.create_topics(kafka.servers)
        yield kafka
    finally:
        kafka.kill()


def measure(plan: Plan, folder: Path) -> Iterator[dict[str, object]]:
    """Yield the figures after every minute, and at last what was counted."""
    with receiving(Receiver()) as receiver, broker(folder) as kafka:
        pair = workers(kafka.servers, folder, receiver, plan.sectors)
        for worker, clock in zip(pair, ("event", "wall"), strict=True):  # in a replay all states are kept
            more = {"SURGEWATCH_STORE": "rocksdb", "SURGEWATCH_CLOCK": clock}
            worker.environment = {**worker.environment, **more}
        with running(*pair):
            yield from follow(plan, kafka.servers, pair, receiver=receiver, state=folder / "state")


def follow(
    plan: Plan, servers: str, pair: tuple[Worker, Worker], *, receiver: Receiver, state: Path
) -> Iterator[dict[str, object]]:
    """Yield the figures of running workers after every minute, and at last what was counted."""
    streams, alerts = pair
    for sent in feed(servers, plan):
        yield {
            "minute": sent // (plan.rate * 60),
            "waiting": sent - counted(streams),
            "notices": len(receiver.received),
            "state_mb": size(state),
            "streams": sample(streams),
            "alerts": sample(alerts),
        }
    deadline = time.monotonic() + SETTLE
    while counted(streams) < plan.events and time.monotonic() < deadline:
        time.sleep(0.5)
    yield {"sent": plan.events, "counted": counted(streams), "repeated": receiver.repeated}


def counted(streams: Worker) -> int:
    """Return how many events the worker has counted."""
    return int(total(streams.samples(), "surgewatch_events_total", outcome="counted"))


def main() -> None:
    """Print a line of JSON after every minute."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--minutes", type=float, default=15)
    parse.add_argument("--rate", type=int, default=2000)
    parse.add_argument("--sectors", type=int, default=200)
    parse.add_argument("--days", type=float, default=60)
    plan = Plan(**vars(parse.parse_args()))
    with tempfile.TemporaryDirectory(prefix="surgewatch-soak-") as name:
        for figures in measure(plan, Path(name)):
            print(json.dumps(figures))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
