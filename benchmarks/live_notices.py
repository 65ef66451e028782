"""Memory of the alerts worker while it delivers notices live, slice by slice.

    python -m benchmarks.live_notices [--sectors 300] [--hours 60] [--seconds 180]

Verdicts on the last hours are put on the topic at a steady pace, on the embedded broker. In each sector three
hours of six are in breach, so alerts begin and end all the time, and each beginning and end is a notice.
"""

import argparse
import datetime as dt
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from confluent_kafka import Producer

from benchmarks.soak import sample
from streams.contract.cadence import Cadence
from streams.contract.topics import topics
from streams.contract.verdicts import Evidence, Question, Verdict
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.embedded_kafka import EmbeddedBroker
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running

SAMPLES = 12  # over the run


def verdict(sector: int, hour: dt.datetime, at: int) -> Verdict:
    """Return the verdict on one closed hour of a sector."""
    breach = (at + sector) % 6 < 3
    evidence = Evidence(
        observed=90 if breach else 30,
        expected=30,
        lower=15,
        upper=50,
        p_value=1e-6 if breach else 0.5,
        alpha=0.001,
        baseline="regression over 700 days",
    )
    return Verdict.of(
        question=Question.SURGE,
        sector=f"sector-{sector:05d}",
        border="northern",
        cadence=Cadence.DAY,
        period=hour - dt.timedelta(days=1),
        as_of=hour,
        closed=True,
        breach=breach,
        evidence=evidence,
    )


def produce(servers: str, *, sectors: int, hours: int, seconds: float) -> Iterator[int]:
    """Put the verdicts at a steady pace; yield the number so far, SAMPLES times."""
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random"})
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    began, number = time.monotonic(), sectors * hours
    for one in range(number):
        time.sleep(max(0.0, began + one * seconds / number - time.monotonic()))
        at, sector = divmod(one, sectors)
        made = verdict(sector, now - dt.timedelta(hours=hours - at), at)
        producer.produce("verdicts", key=made.sector, value=made.model_dump_json())
        producer.poll(0)
        if (one + 1) % max(1, number // SAMPLES) == 0:
            producer.flush()
            yield one + 1


def measure(*, sectors: int, hours: int, seconds: float) -> Iterator[dict[str, object]]:
    """Yield notices received, memory and descriptors of the worker, SAMPLES times."""
    with tempfile.TemporaryDirectory() as name, EmbeddedBroker() as broker, receiving(Receiver()) as receiver:
        broker.touch(*(topic.name for topic in topics()))
        folder, port = Path(name), free_port()
        environment = {
            "SURGEWATCH_BROKERS": broker.servers,
            "SURGEWATCH_STATE_DIR": str(folder / "state"),
            "SURGEWATCH_ALERTS_PORT": str(port),
            "SURGEWATCH_WEBHOOK_URL": receiver.url,
            "SURGEWATCH_WEBHOOK_SECRET": receiver.secret,
            "SURGEWATCH_ALLOW_PRIVATE": "true",
            "SURGEWATCH_STORE": os.environ.get("SURGEWATCH_STORE", "memory"),
        }
        worker = Worker("alerts", port, environment, folder / "alerts.log")
        with running(worker):
            for sent in produce(broker.servers, sectors=sectors, hours=hours, seconds=seconds):
                yield {"verdicts": sent, "notices": len(receiver.received), **sample(worker)}
            yield {"repeated": receiver.repeated}


def main() -> None:
    """Print a line of JSON for each sample."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--sectors", type=int, default=300)
    parse.add_argument("--hours", type=int, default=60)
    parse.add_argument("--seconds", type=float, default=180)
    options = parse.parse_args()
    for figures in measure(**vars(options)):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
