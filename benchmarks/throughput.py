"""Events a second of the streams worker beside its peers, in one run on one broker.

    python -m benchmarks.throughput [--events N] [--quix PYTHON]

`--quix` names a Python that has Quix Streams (it pins an older confluent-kafka, so it cannot live with us);
where it is missing, an environment is made for it. Peers that are slow get fewer events.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from benchmarks import load
from surgewatch.harness.apache_kafka import ApacheKafka, free_port

HOURS = 6  # of event time that the events span
PEERS = Path(__file__).with_name("peers.py")
FEW = 20_000  # events for plain Faust


def peer(python: str, name: str, servers: str, *, topic: str, number: int) -> float:
    """Events a second of a peer."""
    done = subprocess.run(
        [python, str(PEERS), name, servers, topic, str(number)], capture_output=True, text=True, timeout=300
    )
    return float(number / json.loads(done.stdout.splitlines()[-1])["seconds"])


def quix(folder: Path) -> str:
    """A Python with Quix Streams."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "quixstreams"], check=True)
    return python


class Ours:
    """One streams worker over preloaded events under a prefix of its own.

    `security` are the worker's settings of a secured listener, where it does not use the plain one.
    """

    def __init__(
        self, servers: str, folder: Path, prefix: str, *, sectors: int, security: Mapping[str, str] = {}
    ) -> None:
        self.servers, self.folder, self.prefix, self.security = servers, folder, prefix, security
        self.registry = load.registry(folder / f"{prefix}.toml", sectors)
        load.create_topics(servers, prefix)

    def start(self, name: str, session: int = 6) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a worker with a session timeout of so many seconds; return its process and its log."""
        log = self.folder / f"{self.prefix}{name}.log"
        environment = os.environ | {
            "SURGEWATCH_BROKERS": self.servers,
            "SURGEWATCH_TOPIC_PREFIX": self.prefix,
            "SURGEWATCH_REGISTRY": str(self.registry),
            "SURGEWATCH_STATE_DIR": str(self.folder / f"{self.prefix}{name}"),
            "SURGEWATCH_STREAMS_PORT": str(free_port()),
            "SURGEWATCH_CLOCK": "event",
            "SURGEWATCH_COMMIT_SECONDS": "1",
            "SURGEWATCH_SESSION_SECONDS": str(session),
            "SURGEWATCH_WATCHDOG_TIMEOUT_SECONDS": "300",
            **self.security,
        }
        with log.open("wb") as sink:
            command = [sys.executable, "-m", "streams"]
            return subprocess.Popen(command, env=environment, stdout=sink, stderr=sink), log

    def wait_committed(self) -> float:
        """Wait until everything is committed; the moment (epoch seconds)."""
        group = Consumer({"bootstrap.servers": self.servers, "group.id": f"{self.prefix}surgewatch-streams"})
        parts = [TopicPartition(f"{self.prefix}encounters", at) for at in range(load.PARTITIONS)]
        ends = [group.get_watermark_offsets(part)[1] for part in parts]
        deadline = time.time() + 300
        while [part.offset for part in group.committed(parts)] != ends:
            if time.time() > deadline:
                raise TimeoutError("the worker did not get through its events")
            time.sleep(0.1)
        group.close()
        return time.time()


def assigned(log: Path) -> tuple[float, int, float]:
    """When a worker had its partitions (epoch seconds), how many keys it read back, in how many seconds."""
    deadline = time.time() + 60
    while time.time() < deadline:
        for line in log.read_text().splitlines():
            if '"partitions assigned"' in line and re.search(r'"partitions": \[\d', line):
                entry = json.loads(line)
                return datetime.fromisoformat(entry["timestamp"]).timestamp(), entry["keys"], entry["seconds"]
        time.sleep(0.05)
    raise TimeoutError(log.read_text()[-2000:])


def resident(pid: int) -> int:
    """Bytes of memory that a process has in use."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in one)
    return int(line.split()[1]) * 1024


def written(servers: str, topic: str, folder: Path) -> int:
    """Bytes of a topic on the broker's disk."""
    return sum(f.stat().st_size for f in (folder / "kafka" / "data").glob(f"{topic}-[0-9]*/*.log"))


def measure(servers: str, folder: Path, sectors: int, number: int) -> dict[str, float]:
    """One worker through preloaded events; then SIGKILL, and what a successor needs to be back."""
    ours = Ours(servers, folder, f"s{sectors}-", sectors=sectors)
    load.preload(servers, f"s{sectors}-encounters", load.events(number, load.sectors(sectors), HOURS / 24))
    process, log = ours.start("first")
    began, _, _ = assigned(log)
    ended = ours.wait_committed()
    memory = resident(process.pid)
    process.kill()
    process.wait()
    successor, log = ours.start("second")
    _, keys, seconds = assigned(log)
    successor.terminate()
    successor.wait()
    return {
        "events_per_second": number / (ended - began),
        "recovery_seconds": seconds,
        "keys": keys,
        "changelog_bytes_per_event": written(servers, f"s{sectors}-counts", folder) / number,
        "resident_megabytes": memory / 1e6,
    }


def holds(log: Path, partitions: int) -> bool:
    """Return whether a worker has been assigned so many partitions."""
    lines = [line for line in log.read_text().splitlines() if '"partitions assigned"' in line]
    return any(len(json.loads(line)["partitions"]) == partitions for line in lines)


def together(servers: str, folder: Path, workers: int, number: int) -> float:
    """Events a second of several workers that share the partitions, all of them members before there is work.

    They stand still (SIGSTOP) while the events are produced.
    """
    ours = Ours(servers, folder, f"w{workers}-", sectors=20)
    started = [ours.start(f"worker{at}", session=120) for at in range(workers)]
    share, deadline = load.PARTITIONS // workers, time.time() + 90
    while not all(holds(log, share) for _, log in started):
        if time.time() > deadline:
            raise TimeoutError("the workers did not share the partitions")
        time.sleep(0.2)
    processes = [process for process, _ in started]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    load.preload(servers, f"w{workers}-encounters", load.events(number, load.sectors(20), HOURS / 24))
    began = time.time()
    for process in processes:
        process.send_signal(signal.SIGCONT)
    ended = ours.wait_committed()
    for process in processes:
        process.kill()
        process.wait()
    return number / (ended - began)


def main() -> None:
    """Measure and print a table, and all figures as JSON on the last line."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--events", type=int, default=3_000_000)
    parse.add_argument("--quix", help="a Python that has Quix Streams")
    options = parse.parse_args()
    with tempfile.TemporaryDirectory(prefix="surgewatch-bench-") as name:
        folder = Path(name)
        broker = ApacheKafka(folder / "kafka")
        broker.start()
        try:
            report(compare(broker.servers, folder, options.events, options.quix or quix(folder / "quix")))
        finally:
            broker.kill()


def compare(servers: str, folder: Path, number: int, python: str) -> dict[str, object]:
    """Ours with few and with many sectors, then the peers on the very same topic."""
    few, many = (measure(servers, folder, sectors, number) for sectors in (20, 20_000))
    one, two = (together(servers, folder, workers, number) for workers in (1, 2))
    load.create(servers, {"few": load.PARTITIONS})
    load.preload(servers, "few", load.events(FEW, load.sectors(20), HOURS / 24))
    peers = {
        "raw aiokafka": peer(sys.executable, "raw", servers, topic="s20-encounters", number=number),
        "plain Faust": peer(sys.executable, "faust", servers, topic="few", number=FEW),
        "Quix Streams": peer(python, "quix", servers, topic="s20-encounters", number=number),
    }
    return {
        "ours, 20 sectors": few,
        "ours, 20,000 sectors": many,
        "ours, two workers": two,
        "ours, two workers / one": two / one,
        "peers": peers,
    }


def report(figures: dict[str, object]) -> None:
    """Print ratios as a table."""
    few, many = figures["ours, 20 sectors"], figures["ours, 20,000 sectors"]
    peers = figures["peers"]
    assert isinstance(few, dict) and isinstance(many, dict) and isinstance(peers, dict)  # noqa: PT018
    ours = few["events_per_second"]
    print(f"ours, 20 sectors      {ours:10,.0f} events/s")
    print(
        f"ours, 20,000 sectors  {many['events_per_second']:10,.0f} events/s   "
        f"ratio {many['events_per_second'] / ours:.2f}"
    )
    print(
        f"ours, two workers     {figures['ours, two workers']:10,.0f} events/s   "
        f"ratio {figures['ours, two workers / one']:.2f}, where each finds its partitions full"
    )
    for name, speed in peers.items():
        print(f"{name:21} {speed:10,.0f} events/s   ours / it {ours / speed:.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
