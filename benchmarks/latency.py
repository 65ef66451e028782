"""Seconds from an event to the verdict it causes, at a steady rate: p50 and p99.

    python -m benchmarks.latency [--rate 1000] [--seconds 20]

The workers run as they would. A verdict bears the broker's time of the newest event behind it (header
`produced_at`); what is measured ends when a consumer of `verdicts` has it.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer

from benchmarks import load
from benchmarks.throughput import Ours, assigned
from surgewatch.broker import ApacheKafka

SECTORS = 20
PREFIX = "latency-"


def produce(servers: str, rate: int, seconds: float) -> None:
    """Produce at a steady rate; a second is an hour of event time, so that hours and days get closed."""
    producer = Producer(
        {"bootstrap.servers": servers, "linger.ms": 0, "queue.buffering.max.messages": 500_000}
    )
    number = int(rate * seconds)
    made = load.events(number, load.sectors(SECTORS), days=seconds * 3600 / 86_400)
    started = time.monotonic()
    for at, (sector, text, _, _) in enumerate(made):
        producer.produce(f"{PREFIX}encounters", key=sector, value=text)
        if at % max(1, rate // 200) == 0:
            producer.poll(max(0.0, started + at / rate - time.monotonic()))
    producer.flush()


def listen(servers: str, until: threading.Event) -> list[float]:
    """Seconds from event to verdict, for each verdict that comes."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": f"latency-{time.time_ns()}", "fetch.wait.max.ms": 5}
        | {"auto.offset.reset": "earliest"}
    )
    consumer.subscribe([f"{PREFIX}verdicts"])
    taken = []
    while not until.is_set():
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            produced = int(dict(message.headers() or [])["produced_at"])
            taken.append(time.time() - produced / 1000)
    consumer.close()
    return taken


def measure(rate: int, seconds: float) -> dict[str, float]:
    """p50 and p99 at one rate."""
    with tempfile.TemporaryDirectory(prefix="surgewatch-bench-") as name:
        broker = ApacheKafka(Path(name) / "kafka")
        broker.start()
        try:
            ours = Ours(broker.servers, Path(name), PREFIX, SECTORS)
            worker, log = ours.start("one")
            assigned(log)
            done, heard = threading.Event(), list[float]()
            ear = threading.Thread(target=lambda: heard.extend(listen(broker.servers, done)))
            ear.start()
            time.sleep(5)
            produce(broker.servers, rate, seconds)
            time.sleep(3)
            done.set()
            ear.join()
            worker.terminate()
            worker.wait()
        finally:
            broker.kill()
    cuts = statistics.quantiles(heard, n=100)
    return {"rate": rate, "verdicts": len(heard), "p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000}


def main() -> None:
    """Measure at one rate and print JSON."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--rate", type=int, default=1000)
    parse.add_argument("--seconds", type=float, default=20)
    options = parse.parse_args()
    print(json.dumps(measure(options.rate, options.seconds)))


if __name__ == "__main__":
    main()
