"""Is a level that changes found, after how much history, and by which question?

    python -m benchmarks.changed_levels [--factor 0.5] [--people 40] [--history 60 200 400] [--strays 0]
                                        [--within 14] [--weekends 1]

Sectors of one level (negative binomial, φ 2) live for some days through the whole pure flow. Then their level
changes and stays. Printed is the share of them in which each question gives a first notice soon after.
"""

import argparse
from collections import Counter

import numpy as np

from benchmarks.budget import World
from streams.contract.questions import DEFAULT_BUDGET, Question

SECTORS, PHI, MEMORY = 100, 2.0, 0.9
SATURDAY, SUNDAY = 4, 5  # of weeks that begin on a Tuesday, as `World` does


def found(days: int, change: argparse.Namespace) -> Counter[Question]:
    """The sectors that each question finds, of SECTORS with so many days of history."""
    random, world, strays = np.random.default_rng(1), World(SECTORS, change.budget), change.strays
    log = random.normal(0, strays, SECTORS)
    for day in range(days + change.within):
        if day == days:
            world.noticed.clear()
        log = MEMORY * log + random.normal(0, strays * (1 - MEMORY**2) ** 0.5, SECTORS)
        usual = change.people * (change.weekends if day % 7 in (SATURDAY, SUNDAY) else 1.0)
        mean = usual * np.exp(log - strays**2 / 2) * (change.factor if day >= days else 1.0)
        counts = random.poisson(random.gamma(mean / (PHI - 1), PHI - 1))
        world.live(
            day,
            [
                (0, {"sector": f"s{at}", "count": int(count), "period": "day"})
                for at, count in enumerate(counts)
            ],
        )
    return Counter(question for question, _ in world.noticed)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--factor", type=float, default=0.5, help="the new level, in times the old one")
    parser.add_argument("--people", type=float, default=40.0, help="a day, before")
    parser.add_argument("--history", type=int, nargs="+", default=[60, 200, 400], help="days")
    parser.add_argument("--strays", type=float, default=0.0, help="standard deviation of the log level")
    parser.add_argument("--within", type=int, default=14, help="days after the change")
    parser.add_argument("--weekends", type=float, default=1.0, help="people on those days, in times others")
    parser.add_argument("--budget", type=float, default=DEFAULT_BUDGET)
    options = parser.parse_args()
    for days in options.history:
        counted = found(days, options)
        shares = ", ".join(f"{question} {number / SECTORS:.2f}" for question, number in counted.most_common())
        print(f"after {days} days: {shares or 'nothing'}", flush=True)


if __name__ == "__main__":
    main()
