"""How long until people are notified: Prometheus scrape, rule and Alertmanager, beside the direct path.

    python -m benchmarks.alertmanager_path [--samples 12] [--interval 1m] [--direct SECONDS]

The alerts of a worker are made to appear at random moments under `/metrics`; a webhook behind Alertmanager
notes when each arrives. Rules and routes are the shipped ones, with their waits (`group_wait: 30s`); the
interval of scrapes and rules is Prometheus's default of a minute, or `--interval 15s` as shipped. `--direct`
is the median of the direct path, event to webhook, as `surgewatch demo --json` prints it; without it the demo
is run.
"""

import argparse
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from streams.contract.verdicts import Question
from tests.prometheus import Received, alertmanager, prometheus, receiver, serving

PERIOD = {"1m": 60.0, "15s": 15.0}
BORDERS = ("northern", "southwest", "coastal", "interior")


def by_alertmanager(samples: int, interval: str, folder: Path) -> list[float]:
    """Seconds from an alert's appearance to the webhook, for `samples` alerts in groups of their own."""
    groups = list(itertools.product(BORDERS, sorted(Question)))[:samples]
    dice, shown, seen = random.Random(1), dict[str, float](), dict[str, float]()
    with (
        receiver() as hook,
        alertmanager(folder, hook.url, wait=None) as manager,
        serving(lambda: "".join(shown)) as worker,
        prometheus(folder, {"surgewatch-alerts": [worker]}, manager, interval),
    ):
        time.sleep(10)  # until Alertmanager has been discovered
        begun = time.monotonic()
        due = {_series(*group): begun + dice.uniform(0, 2 * PERIOD[interval]) for group in groups}
        while len(seen) < samples and time.monotonic() < begun + 10 * PERIOD[interval] + 120:
            now = time.monotonic()
            shown |= {series: at for series, at in due.items() if at <= now and series not in shown}
            for group in groups:
                if _has_received(hook, *group):
                    seen.setdefault(_series(*group), now)
            time.sleep(0.05)
    return [at - due[series] for series, at in seen.items()]


def _series(border: str, question: str) -> str:
    labels = f'sector="{border}-{question}",question="{question}",border="{border}"'
    return f'surgewatch_alerts{{{labels},severity="critical",state="firing"}} 1\n'


def _has_received(hook: Received, border: str, question: str) -> bool:
    path = f"/watch-{border}" if border != "interior" else "/watch"
    return hook.find(path, sector=f"{border}-{question}") is not None


def direct() -> float:
    """The median of the direct path over the demo's notices, seconds."""
    command = [sys.executable, "-c", "from surgewatch.cli import main; main()", "demo", "--json"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    return float(json.loads(output.strip().splitlines()[-1])["seconds_to_notice_median"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--interval", choices=PERIOD, default="1m")
    parser.add_argument("--direct", type=float)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = by_alertmanager(options.samples, options.interval, Path(folder))
    ours = options.direct if options.direct is not None else direct()
    median = statistics.median(seconds)
    print(f"by Alertmanager, every {options.interval}: median {median:.1f} s, worst {max(seconds):.1f} s"
          f" ({len(seconds)} of {options.samples} received)")  # fmt: skip
    print(f"direct: median {ours:.3f} s; ratio {median / ours:.0f}")


if __name__ == "__main__":
    main()
