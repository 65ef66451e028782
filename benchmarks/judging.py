"""What a judgement costs: microseconds a series for scoring a closed day, and for the fits, spread over days.

    python -m benchmarks.judging

A thousand series with three years of days, on one core (OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1). *Scoring*
is all that becomes of counts and a kept model until the surge's p-value is there; *fits* are what all of
them cost, by the day. Given as shares of fixed bars, since no peer does the same work.
"""

import time
from collections.abc import Callable

import numpy as np

from streams.baselines.fitted_models import EVERY
from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import Registry
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import Series
from streams.detectors import surge
from streams.judging.judge import Judge
from streams.judging.views import Views

SERIES, DAYS, FIRST = 1_000, 3 * 366, 18_000
BARS = {"scoring": 10.0, "fits": 50.0}  # microseconds


def made() -> list[Counts]:
    """Series from one person a day to some hundreds, with three years behind them."""
    random, batch = np.random.default_rng(1), []
    for at in range(SERIES):
        counts = Counts(f"sector-{at}")
        mean = np.exp(random.uniform(0, 6)) * (1 + 0.3 * np.sin(np.arange(DAYS + 14) / 58))
        values = random.negative_binomial(mean, 0.5).astype(np.int32)
        counts.series[Cadence.DAY] = Series(Cadence.DAY, KEEP[Cadence.DAY] + 14, FIRST, values)
        batch.append(counts)
    return batch


def microseconds(work: Callable[[], object], times: int) -> float:
    """Of one series, in the fastest of some runs of all."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken) / SERIES * 1e6


def main() -> None:
    """Measure and print."""
    batch, judge = made(), Judge(Registry(sector=()))
    models, today, views = judge.models[Cadence.DAY], FIRST + DAYS, Views(judge.models, judge.limits)
    models.refresh(batch, today)  # the first fit of all comes once

    def score() -> None:
        view = views.of(batch, Look.CLOSED, Cadence.DAY, today, as_of=0.0)
        assert view is not None
        surge.of(view)

    def fits() -> None:
        for day in range(1, EVERY[Cadence.DAY] + 1):
            models.refresh(batch, today + day)

    found = {"scoring": microseconds(score, 20), "fits": microseconds(fits, 8) / EVERY[Cadence.DAY]}
    for name, cost in found.items():
        print(f"{name:<8}{cost:>7.1f} µs a series and day: {cost / BARS[name]:.2f} of the bar")


if __name__ == "__main__":
    main()
