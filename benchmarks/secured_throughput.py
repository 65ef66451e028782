"""Events a second of the streams worker over secured listeners, beside plain text, in one run on one broker.

    python -m benchmarks.secured_throughput [--events N] [--rounds N]

Each round takes each listener once, in turn, with the same events; figures are medians. SASL is SCRAM-SHA-512
without TLS; TLS is mutual; both are SCRAM-SHA-512 over TLS.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks import load
from benchmarks.throughput import HOURS, Ours, assigned
from surgewatch.harness.secured_kafka import SecuredKafka, secured_kafka

SECTORS = 20
Settings = Mapping[str, str]


def listeners(secured: SecuredKafka) -> dict[str, Settings]:
    """The settings of a worker on each listener, by name."""
    return {
        "plain text": {},
        "SASL": secured.password_without_tls(),
        "TLS": secured.mtls(),
        "SASL and TLS": secured.password("SCRAM-SHA-512"),
    }


def measure(secured: SecuredKafka, folder: Path, prefix: str, *, security: Settings, number: int) -> float:
    """Events a second of one worker, from its assignment to its last commit."""
    servers = secured.broker.servers
    ours = Ours(servers, folder, prefix, sectors=SECTORS, security=security)
    load.preload(servers, f"{prefix}encounters", load.events(number, load.sectors(SECTORS), HOURS / 24))
    process, log = ours.start("worker")
    began, _, _ = assigned(log)
    ended = ours.wait_committed()
    process.kill()
    process.wait()
    return number / (ended - began)


def compare(secured: SecuredKafka, folder: Path, number: int, rounds: int) -> dict[str, list[float]]:
    """Events a second on each listener, a figure for each round."""
    found: dict[str, list[float]] = {name: [] for name in listeners(secured)}
    for turn in range(rounds):
        for at, (name, security) in enumerate(listeners(secured).items()):
            found[name].append(measure(secured, folder, f"r{turn}l{at}-", security=security, number=number))
    return found


def main() -> None:
    """Measure, and print a table and all figures as JSON on the last line."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--events", type=int, default=1_000_000)
    parse.add_argument("--rounds", type=int, default=3)
    options = parse.parse_args()
    with tempfile.TemporaryDirectory(prefix="surgewatch-bench-") as name:
        secured = secured_kafka(Path(name))
        secured.broker.start()
        try:
            figures = compare(secured, Path(name), options.events, options.rounds)
        finally:
            secured.broker.kill()
    plain = median(figures["plain text"])
    for way, speeds in figures.items():
        ratios = [speed / base for speed, base in zip(speeds, figures["plain text"], strict=True)]
        print(
            f"{way:13} {median(speeds):10,.0f} events/s   ratio {median(speeds) / plain:.2f} "
            f"(by round {min(ratios):.2f}-{max(ratios):.2f})"
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
