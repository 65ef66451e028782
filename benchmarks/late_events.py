"""Late events: how often a doubled rate is found when six of ten people are known, and how often nothing is
taken for something.

A day has 40 people on average, variance twice that; 60 % are known at its end, the others half a day later.
It is judged at its end, at alpha .01: against the whole day (naive), against the thinned baseline with the
share known exactly or learnt from some days before, and when all have come. The mean and its dispersion are
known throughout, so that the figures are of late events alone. `python -m benchmarks.late_events`
"""

from typing import NamedTuple

import numpy as np

from streams.baselines import reporting_delay
from streams.baselines.negative_binomial import Floats, at_least
from streams.baselines.reporting_delay import DelayTotals, ReportedShare
from streams.contract.cadence import Cadence
from streams.counting.reporting_triangle import ReportingTriangle, column
from streams.detectors import surge

MEAN, SPREAD, SHARE, ALPHA = 40.0, 2.0, 0.6, 0.01
FIRST, TRIALS, LEARNERS = 19_000, 4_000, 300
EXACT = ReportedShare(np.array([SHARE]), np.zeros(1))


class Figures(NamedTuple):
    """Alarms where the rate has doubled, and where nothing has changed."""

    found: float
    false: float


def people(random: np.random.Generator, mean: float, size: int) -> Floats:
    """Negative binomial counts of dispersion SPREAD."""
    return random.negative_binomial(mean / (SPREAD - 1), 1 / SPREAD, size).astype(float)


def known_by_then(random: np.random.Generator, whole: Floats, differ: float) -> Floats:
    """How many are known at a day's end; days differ in their shares by a standard deviation `differ`."""
    shares = np.clip(random.normal(SHARE, differ, len(whole)), 0, 1) if differ else SHARE
    return random.binomial(whole.astype(int), shares).astype(float)


def learnt(random: np.random.Generator, days: int, differ: float = 0.0) -> ReportedShare:
    """The reported share at the end of a day, learnt from `days` days before."""
    triangle, state = ReportingTriangle(Cadence.DAY), DelayTotals.empty(Cadence.DAY, FIRST)
    whole = people(random, MEAN, days)
    prompt = known_by_then(random, whole, differ)
    for day in range(days):
        triangle.add(FIRST + day, column(0.9), int(prompt[day]))
        triangle.add(FIRST + day, column(1.4), int(whole[day] - prompt[day]))
        state = state.learn(triangle, FIRST + day + 1.5)
    found = reporting_delay.at(
        reporting_delay.reported_share(state.sums[None], Cadence.DAY), Cadence.DAY, np.ones((1, 1))
    )
    return ReportedShare(found.share[0], found.doubt[0])


def alarms(part: Floats, known: ReportedShare) -> float:
    """The share of alarms, where `part` is known of a day."""
    mean, spread = reporting_delay.thinned(np.array([MEAN]), np.array([SPREAD]), known)
    return float((at_least(part, mean, spread + mean * known.doubt) <= ALPHA).mean())


def single(days: int | None, differ: float = 0.0, learners: int = LEARNERS) -> Figures:
    """One day by itself. `days`: the share is learnt from so many days; None: it is known."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(learners):
        known = EXACT if days is None else learnt(random, days, differ)
        parts = [known_by_then(random, people(random, m * MEAN, TRIALS), differ) for m in (2, 1)]
        found.append([alarms(part, known) for part in parts])
    return Figures(*np.mean(found, axis=0).tolist())


def references() -> tuple[Figures, Figures]:
    """Naive (what is known against the whole mean), and when all have come."""
    random, whole = np.random.default_rng(1), ReportedShare(np.ones(1), np.zeros(1))
    days = [people(random, times * MEAN, TRIALS * 50) for times in (2, 1)]
    naive = Figures(*(alarms(known_by_then(random, day, 0), whole) for day in days))
    return naive, Figures(*(alarms(day, whole) for day in days))


def followed(days: int | None) -> Figures:
    """The surge detector with the four days before, which are reported in full."""
    random, past, found = np.random.default_rng(1), surge.PAST[Cadence.DAY], []
    length = past.periods + 1
    for _ in range(LEARNERS):
        known = EXACT if days is None else learnt(random, days)
        share, doubt = np.ones((1, length)), np.zeros((1, length))
        share[0, -1], doubt[0, -1] = known.share[0], known.doubt[0]
        whole = np.full((1, length), MEAN), np.full((1, length), SPREAD)
        mean, spread = reporting_delay.thinned(*whole, ReportedShare(share, doubt))
        row = []
        for times in (2, 1):
            observed = np.stack([people(random, MEAN, 1_000) for _ in range(length)], 1)
            observed[:, -1] = known_by_then(random, people(random, times * MEAN, 1_000), 0)
            n = len(observed)
            judged = surge.judge(
                observed,
                np.repeat(mean, n, 0),
                np.repeat(spread + mean * doubt, n, 0),
                np.zeros(n),
                past=past,
            )
            row.append(float((judged.p_value <= ALPHA).mean()))
        found.append(row)
    return Figures(*np.mean(found, axis=0).tolist())


def main() -> None:
    naive, whole = references()
    print(f"{'60 % reported, mean 40, alpha .01':<52}{'doubled: found':>15}{'null: false':>13}")
    rows = {"naive: against the whole day": naive, "share known": single(None)}
    rows |= {f"share learnt from {days} days": single(days) for days in (7, 14, 30, 60)}
    rows |= {f"30 days, shares differ by sd {sd}": single(30, sd) for sd in (0.05, 0.1, 0.2)}
    rows["30 days, weighed by the days before"] = followed(30)
    rows["share known, weighed by the days before"] = followed(None)
    rows["all reported"] = whole
    for name, figures in rows.items():
        print(f"{name:<52}{figures.found:>15.3f}{figures.false:>13.4f}", flush=True)


if __name__ == "__main__":
    main()
