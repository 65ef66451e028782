"""A million records of any kind over all topics, through the real cores: none of them ends a worker.

`python -m benchmarks.any_record [--records 1000000] [--seed 1]`
"""

import argparse
import json
import time

from surgewatch.harness.any_cores import MODELS, Cores

BATCH = 1_000


def main() -> None:
    """Feed the records and print what became of them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    started, cores = time.monotonic(), Cores(asked.seed)
    topics = sorted(MODELS)
    for at in range(0, asked.records, BATCH):
        cores.feed(topics[at // BATCH % len(topics)], BATCH)
    print(
        json.dumps(
            {
                "records": asked.records,
                "seconds": round(time.monotonic() - started, 1),
                "outcomes": {f"{topic} {name}": n for (topic, name), n in sorted(cores.outcomes.items())},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
