"""A million records of any kind over all topics, through the real cores: none of them ends a worker.

`python -m benchmarks.any_record [--records 1000000] [--seed 1]`

Cores live for LIFE records, with a seed of their own. Halfway and at the end they are restored from the state
that they wrote, and have to count the good events that lay between the others.
"""

import argparse
import json
import sys
import time
import warnings
from collections import Counter

from surgewatch.harness.any_cores import MODELS, Cores

BATCH = 1_000
LIFE = 100_000
SHARES = ((0.0, 0.1), (0.01, 0.1), (0.01, 0.5), (0.2, 0.3))  # of wild and of odd values, life by life


def main() -> None:
    """Feed the records and print what became of them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    warnings.simplefilter("error")  # such as an overflow in numpy: what follows it is no number
    outcomes: Counter[tuple[str, str]] = Counter()
    for life, at in enumerate(range(0, asked.records, LIFE)):
        cores = _live(asked.seed + life, min(LIFE, asked.records - at), SHARES[life % len(SHARES)])
        outcomes += cores.outcomes
        done, seconds = min(at + LIFE, asked.records), time.process_time()
        print(f"{done:,} records, {seconds:.0f} s of CPU", file=sys.stderr, flush=True)
    named = {f"{topic} {name}": number for (topic, name), number in sorted(outcomes.items())}
    result = {"records": asked.records, "cpu_seconds": round(time.process_time()), "outcomes": named}
    print(json.dumps(result, indent=1))


def _live(seed: int, records: int, shares: tuple[float, float]) -> Cores:
    wild, odd = shares
    cores, topics = Cores(seed, wild=wild, odd=odd), sorted(MODELS)
    for at in range(0, records, BATCH):
        if at == records // BATCH // 2 * BATCH:
            cores.restart()
        cores.feed(topics[at // BATCH % len(topics)], min(BATCH, records - at))
    cores.restart()
    if cores.counted < cores.people:
        raise SystemExit(f"seed {seed}: {cores.people} people of good events, {cores.counted} counted")
    return cores


if __name__ == "__main__":
    main()
