"""The fixed detection suites through `surgewatch score`, judged beside the reference method.

The suites and their judge are not part of the repository: `SURGEWATCH_BENCH` names the folder that holds
bench.py (../shared/bench by default). With names of suites as arguments, those alone are run.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(os.environ.get("SURGEWATCH_BENCH", Path(__file__).parents[2] / "shared" / "bench"))
SUITES = {"weekly": "week", "daily": "day", "hourly": "hour", "regime": "day", "regime-unannounced": "day"}
ALPHA = {"hour": "0.002"}
BARS = {
    "weekly": "POD >= .53, F1 >= .54, first week >= .40 at 1 %; nominal FPR <= .012, worst <= .03",
    "daily": "POD >= .82, first 3 days >= .68, delay <= 1.5 at 1 %; nominal FPR <= .011, worst <= .02",
    "hourly": "POD >= .40 at .2 %; alarm episodes per series-month <= .5",
    "regime": "down: days 15-60 <= .012, POD >= .90; up: days 15-60 and 61- <= .012",
    "regime-unannounced": "up: days 61- <= .02; down: POD >= .90",
}


def run(suite: str, folder: Path) -> None:
    """Export, score and judge one suite; prints the table under its bar."""
    judge = [sys.executable, str(BENCH / "bench.py")]
    subprocess.run([*judge, "export", suite, str(folder)], check=True, stdout=subprocess.DEVNULL)
    scores, cadence = folder / "scores.csv", SUITES[suite]
    began = time.monotonic()
    subprocess.run(
        [
            sys.executable, "-c", "from surgewatch.cli import main; main()",
            "score", str(folder / "counts.csv"), "--cadence", cadence,
            "--calendar", str(folder / "calendar.csv"),
            "--from", (folder / "from.txt").read_text().strip(), "--alpha", ALPHA.get(cadence, "0.01"),
            "--out", str(scores),
        ],
        check=True,
    )  # fmt: skip
    print(f"\n=== {suite} ({time.monotonic() - began:.0f} s)\nbar: {BARS[suite]}", flush=True)
    subprocess.run([*judge, "judge", suite, str(scores)], check=True)


def main() -> None:
    if not (BENCH / "bench.py").exists():
        sys.exit(f"no suites in {BENCH}: set SURGEWATCH_BENCH to the folder that holds bench.py")
    for suite in sys.argv[1:] or SUITES:
        with tempfile.TemporaryDirectory() as folder:
            run(suite, Path(folder))


if __name__ == "__main__":
    main()
