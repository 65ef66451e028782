"""Events a second of `surgewatch ingest` beside a bare kafka-python loop, on one broker, by clock and by CPU.

    python -m benchmarks.producing [--events N] [--rounds N]

The bare loop has the same settings of delivery, its keys and values ready in memory, and looks at nothing.
Both are processes of their own and take turns; the result is the median of the rounds.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import load
from surgewatch.harness.apache_kafka import ApacheKafka

DELIVERY = {"acks": "all", "enable_idempotence": True, "linger_ms": 10, "batch_size": 65_536}


def bare(servers: str, topic: str, file: str) -> None:
    """What any program would do that has its records already."""
    from kafka import KafkaProducer

    lines = Path(file).read_bytes().splitlines()
    records = [(json.loads(line)["sector"].encode(), line) for line in lines]
    producer = KafkaProducer(bootstrap_servers=servers, **DELIVERY)
    producer.partitions_for(topic)
    began, used = time.perf_counter(), time.process_time()
    for key, value in records:
        producer.send(topic, value=value, key=key)
    producer.flush()
    print(json.dumps([time.perf_counter() - began, time.process_time() - used]))


def ingest(servers: str, registry: Path, file: Path, *, prefix: str, client: str) -> tuple[float, float]:
    """Seconds and CPU seconds of a whole `surgewatch ingest`, without what it takes to start."""
    command = [str(Path(sys.executable).with_name("surgewatch")), "ingest", "--brokers", servers]
    options = ["--topic-prefix", prefix, "--client", client, "--registry", str(registry)]
    figures = []
    for path in (file, file.with_name("one.ndjson")):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*command, *options, str(path)], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        figures.append((time.perf_counter() - began, cpu))
    (wall, cpu), (empty_wall, empty_cpu) = figures
    return wall - empty_wall, cpu - empty_cpu


def measure(servers: str, folder: Path, events: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """For each way of sending, clock and CPU seconds of each round."""
    file = folder / "events.ndjson"
    lines = [text for _, text, _, _ in load.events(events, load.sectors(20), 1)]
    file.write_text("\n".join(lines))
    file.with_name("one.ndjson").write_text(lines[0])
    registry = load.registry(folder / "sectors.toml", 20)
    found: dict[str, list[tuple[float, float]]] = {"bare kafka-python": [], "ingest": [], "ingest, fast": []}
    for at in range(rounds):
        load.create(servers, {f"r{at}-encounters": load.PARTITIONS})
        topic = f"r{at}-encounters"
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.producing", "--bare", servers, topic, str(file)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found["bare kafka-python"].append(tuple(json.loads(done.stdout)))
        found["ingest"].append(ingest(servers, registry, file, prefix=f"r{at}-", client="kafka"))
        found["ingest, fast"].append(ingest(servers, registry, file, prefix=f"r{at}-", client="fast"))
    return found


def main() -> None:
    """Measure and print ratios."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--events", type=int, default=200_000)
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--bare", nargs=3, metavar=("SERVERS", "TOPIC", "FILE"), help=argparse.SUPPRESS)
    options = parse.parse_args()
    if options.bare:
        bare(*options.bare)
        return
    with tempfile.TemporaryDirectory(prefix="surgewatch-bench-") as name:
        broker = ApacheKafka(Path(name) / "kafka")
        broker.start()
        try:
            found = measure(broker.servers, Path(name), options.events, options.rounds)
        finally:
            broker.kill()
    medians = {
        name: [statistics.median(column) for column in zip(*rounds, strict=True)]
        for name, rounds in found.items()
    }
    wall, cpu = medians["bare kafka-python"]
    for name, (clock, used) in medians.items():
        print(
            f"{name:18} {options.events / clock:8,.0f} events/s   by the clock {wall / clock:.2f}, "
            f"by CPU {cpu / used:.2f} of the bare loop's speed"
        )


if __name__ == "__main__":
    main()
