"""Microseconds of CPU an event, stage by stage, in one process and without a broker: where a profile starts.

    python -m benchmarks.stages [--events N] [--against COMMIT [--rounds N]]

Fetches are made as aiokafka gets them from a broker. What is measured is CPU time of this process alone; the
network is not in it. Other work on the machine still costs caches, so two versions are compared by running
them in turn: `--against` checks a commit out into a temporary git worktree and prints the ratios.
"""

import argparse
import gc
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from benchmarks import load
from streams.contract.sectors import Registry, registry
from streams.counting.decoder import Decoder
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.runtime.batch_fetcher import in_whole_batches
from streams.runtime.process import YOUNG

HOURS, FETCH, BATCH = 6, 60_000, 4_000  # of event time in all; events of a fetch, and of a record batch
APPENDED_AT = int(load.START.timestamp() + 86_400) * 1000
COMMITS = 3
HERE = Path(__file__).parents[1]
_COST = re.compile(r"([a-z ]+) (\d+\.\d+)")


class Fetched(NamedTuple):
    """One fetch of one partition, as it comes from the broker."""

    partition: int
    offset: int
    data: bytes


def fetches(events: int, sectors: int) -> list[Fetched]:
    """All events, by partition, in the order in which a consumer takes turns."""
    parts: list[list[tuple[bytes, bytes]]] = [[] for _ in range(load.PARTITIONS)]
    for sector, text, _, _ in load.events(events, load.sectors(sectors), HOURS / 24):
        parts[int(sector[-5:]) % load.PARTITIONS].append((sector.encode(), text.encode()))
    turns = zip(*(packed(at, records) for at, records in enumerate(parts)), strict=False)
    return [fetch for turn in turns for fetch in turn]


def packed(partition: int, records: list[tuple[bytes, bytes]]) -> Iterator[Fetched]:
    """The fetches of one partition."""
    for start in range(0, len(records), FETCH):
        data = b""
        for at in range(start, min(start + FETCH, len(records)), BATCH):
            builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 24)
            for place, (key, value) in enumerate(records[at : min(at + BATCH, start + FETCH)]):
                builder.append(place, APPENDED_AT, key, value, [])
            batch = builder.build()
            batch[:8] = at.to_bytes(8, "big")
            data += batch
        yield Fetched(partition, start, data)


def unpacked(fetch: Fetched) -> list[Any]:
    """A fetch as the pipeline gets it."""
    at = TopicPartition("encounters", fetch.partition)
    records = MemoryRecords(fetch.data)
    return list(
        fetcher.PartitionRecords(at, records, [], fetch.offset, None, None, True, 0)._records_iterator
    )


def measure(events: int, sectors: int, places: Registry) -> dict[str, float]:
    """CPU seconds of each stage."""
    pipeline, decoder = SectorPipeline(places, Judge(places)), Decoder(places)
    spent = dict.fromkeys(("records", "decoding", "decoding and folding", "commits"), 0.0)
    made = fetches(events, sectors)
    for number, fetch in enumerate(made, 1):
        moments = [time.process_time()]
        records = unpacked(fetch)
        moments.append(time.process_time())
        decoder.decode([record.value for record in records], APPENDED_AT / 1000)
        moments.append(time.process_time())
        pipeline.process(fetch.partition, records)
        moments.append(time.process_time())
        if number * COMMITS // len(made) > (number - 1) * COMMITS // len(made):
            pipeline.dirty()
        moments.append(time.process_time())
        for stage, since, until in zip(spent, moments, moments[1:], strict=False):
            spent[stage] += until - since
    return spent


def run(checkout: Path, events: int) -> dict[str, float]:
    """Microseconds an event by sectors and stage, as a checkout prints them in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.stages", "--events", str(events)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    lines = subprocess.run(
        command, cwd=checkout, env=environment, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return {
        f"{line.partition(' sectors')[0].strip()} sectors, {stage.strip()}": float(cost)
        for line in lines
        for stage, cost in _COST.findall(line.partition("event:")[2])
    }


def compare(commit: str, events: int, rounds: int) -> None:
    """Print for each stage the medians of a commit and of this checkout, and the range of their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", other, commit], cwd=HERE, check=True)
        try:
            pairs = [(run(other, events), run(HERE, events)) for _ in range(rounds)]
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=HERE, check=True)
    for stage in pairs[0][0]:
        before, now = ([pair[at][stage] for pair in pairs] for at in (0, 1))
        ratios = sorted(new / old for old, new in zip(before, now, strict=True))
        print(
            f"{stage:<40} {median(before):6.2f} -> {median(now):6.2f} µs: "
            f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def main() -> None:
    """Measure with few and with many sectors and print."""
    parse = argparse.ArgumentParser(description=__doc__)
    parse.add_argument("--events", type=int, default=1_000_000)
    parse.add_argument("--against", metavar="COMMIT", help="compare with this version")
    parse.add_argument("--rounds", type=int, default=3, help="of `--against`: each version in turn")
    options = parse.parse_args()
    if options.against:
        compare(options.against, options.events, options.rounds)
        return
    in_whole_batches()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    for sectors in (20, 20_000):
        with tempfile.TemporaryDirectory() as folder:
            places = registry(load.registry(Path(folder) / "sectors.toml", sectors))
        spent = measure(options.events, sectors, places)
        costs = ", ".join(f"{stage} {seconds / options.events * 1e6:.2f}" for stage, seconds in spent.items())
        print(f"{sectors:6,} sectors, µs an event: {costs}")


if __name__ == "__main__":
    main()
