"""Milliseconds from producing an event to the webhook that it causes, at a steady rate: p50 and p99.

    python -m benchmarks.latency [--rate 1000] [--seconds 20]

Both workers run as they would, on a real broker. Every sector has a history of calm days. While events come
at a steady rate, one second of event time a second, one sector after the other gets a single event that lifts
its day far above normal; the time is that from handing this event to the producer until a receiver on
loopback has the signed webhook. The first events close the day before; surges begin after them.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from confluent_kafka import Producer

from benchmarks import load
from streams.contract.verdicts import Question
from surgewatch.harness.apache_kafka import ApacheKafka, free_port
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running, total

SECTORS, HISTORY = 200, 40  # days
WARM = 10.0  # seconds of events before the first surge
EVENT = (
    '{"event_id":"%s","occurred_at":"%s","sector":"%s","crossing":"bridge of the americas","crossing_type":'
    '"at_port","demographic":"single_adult","citizenship":"HAITI","count":%d,"group_id":"g-1"}'
)


def calm(normal: int) -> Iterator[tuple[str, str, str, int]]:
    """Days on which every sector has four events and about the normal number of people."""
    for day in range(HISTORY):
        for part in range(4):
            moment = (load.START + timedelta(days=day, hours=part * 6 + 3)).isoformat()
            for at, sector in enumerate(load.sectors(SECTORS)):
                count = max(1, normal // 4 + (at + day * 7 + part * 3) % 5 - 2)
                event_id = f"h-{day}-{part}-{at}"
                yield sector, EVENT % (event_id, moment, sector, count), event_id, count


def produce(servers: str, rate: int, seconds: float, normal: int) -> dict[str, float]:
    """A day of events at a steady rate; when each sector's surge was produced (epoch seconds)."""
    producer = Producer(
        {"bootstrap.servers": servers, "queue.buffering.max.messages": 500_000}
        | {"partitioner": "murmur2_random"}
    )
    names, number, surges = load.sectors(SECTORS), int(rate * seconds), dict[str, float]()
    noon = load.START + timedelta(days=HISTORY, hours=12)
    first = int(rate * WARM)
    every = max(number // SECTORS, 1)
    started = time.monotonic()
    for at in range(first + number):
        if at % max(1, rate // 1000) == 0:
            time.sleep(max(0.0, started + at / rate - time.monotonic()))
            producer.poll(0)
            moment = (noon + timedelta(seconds=at / rate)).isoformat(timespec="seconds")
        sector, count = names[at * 7 % SECTORS], 1
        if at >= first and at % every == every // 2 and len(surges) < SECTORS:
            sector, count = names[len(surges)], normal * 3
            surges[sector] = time.time()
        producer.produce("encounters", key=sector, value=EVENT % (f"l-{at}", moment, sector, count))
    producer.flush()
    return surges


def measure(rate: int, seconds: float) -> dict[str, float]:
    """Latencies at one rate, and the rate that the producer really reached."""
    with tempfile.TemporaryDirectory(prefix="surgewatch-bench-") as name, receiving(Receiver()) as receiver:
        folder, normal = Path(name), max(int(rate * (WARM + seconds)) // SECTORS, 40)
        broker = ApacheKafka(folder / "kafka")
        broker.start()
        try:
            load.create_topics(broker.servers)
            events = load.preload(broker.servers, "encounters", calm(normal))
            with running(*workers(broker.servers, folder, receiver)) as (streams, _):
                while total(streams.samples(), "surgewatch_events_total", outcome="counted") < events:
                    time.sleep(0.5)
                time.sleep(3)
                started = time.monotonic()
                surges = produce(broker.servers, rate, seconds, normal)
                taken = time.monotonic() - started
                time.sleep(5)
        finally:
            broker.kill()
    received_at: dict[str, float] = {}
    for one in receiver.received:
        sector = one.notice.alert.sector
        if one.at >= surges[sector] and one.notice.alert.question is Question.SURGE:
            received_at.setdefault(sector, one.at)
    late = [(received_at[sector] - at) * 1000 for sector, at in surges.items() if sector in received_at]
    cuts = statistics.quantiles(late, n=100)
    return {
        "rate": rate,
        "rate_reached": rate * (WARM + seconds) / taken,
        "surges": len(surges),
        "notified": len(late),
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
    }


def workers(servers: str, folder: Path, receiver: Receiver, sectors: int = SECTORS) -> tuple[Worker, Worker]:
    """Both workers, as they would run."""
    streams, alerts = free_port(), free_port()
    common = {
        "SURGEWATCH_BROKERS": servers,
        "SURGEWATCH_REGISTRY": str(load.registry(folder / "sectors.toml", sectors)),
        "SURGEWATCH_STATE_DIR": str(folder / "state"),
        "SURGEWATCH_CLOCK": "event",
    }
    sink = {
        "SURGEWATCH_WEBHOOK_URL": receiver.url,
        "SURGEWATCH_WEBHOOK_SECRET": receiver.secret,
        "SURGEWATCH_ALLOW_PRIVATE": "true",
    }
    return (
        Worker(
            "streams", streams, common | {"SURGEWATCH_STREAMS_PORT": str(streams)}, folder / "streams.log"
        ),
        Worker("alerts", alerts, common | sink | {"SURGEWATCH_ALERTS_PORT": str(alerts)}, folder / "a.log"),
    )


def main() -> None:
    """Measure at one rate and print JSON."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--rate", type=int, default=1000)
    parse.add_argument("--seconds", type=float, default=20)
    options = parse.parse_args()
    print(json.dumps(measure(options.rate, options.seconds)))


if __name__ == "__main__":
    main()
