"""Surges found and false alarms in the first weeks of a sector.

    python -m benchmarks.cold_start [--seed 1] [--people 15]

New sectors begin beside some that have been there for two years. All are of one kind: levels differ by a
factor of three, weekdays and dispersions by some tenths. *Alone* each new sector has nothing but its own
counts by day and the weak priors; *by the hour* it has those of hours too; *with peers* it is held to be one
of the others until it shows otherwise.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streams.backtest.history_judge import HistoryJudge
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.counting.sector_counts import Counts
from streams.counting.series import Series
from streams.detectors import surge

OLD, NEW, BEHIND, DAYS, FIRST = 60, 500, 2 * 366, 63, 18_000
SPANS = ((0, 1), (1, 3), (3, 7), (7, 14), (14, 28), (28, 42), (42, 63))
HOURS = 24
ALPHA, LARGE = 0.01, 10  # people a day from which on a doubled day is looked for

Floats = NDArray[np.float64]


class World:
    """Means and dispersions of sectors that are like each other."""

    def __init__(self, seed: int, factor: float = 3.0, people: float = 15.0) -> None:
        self.random = np.random.default_rng(seed)
        n = OLD + NEW
        at = np.arange(FIRST - BEHIND, FIRST + DAYS)
        weekdays = np.log([1.1, 1.1, 1.0, 1.0, 1.05, 0.8, 0.6]) + self.random.normal(0, 0.1, (n, 7))
        size, peak = np.abs(self.random.normal(0.3, 0.1, n)), self.random.normal(1.0, 0.3, n)
        season = size[:, None] * np.cos(2 * np.pi * at / 365.25 - peak[:, None])
        level = np.log(people) + np.log(factor) * self.random.normal(size=n)
        self.mean = np.exp(level[:, None] + weekdays[:, (at + 3) % 7] + season)
        self.phi = 1 + np.exp(self.random.normal(0, 0.4, n)) * np.sqrt(np.exp(level) / people)

    def draw(self, mean: Floats) -> Floats:
        """Counts of the sectors, given their means [n, T]."""
        excess = (self.phi - 1)[:, None]
        return self.random.negative_binomial(mean / excess, 1 / (1 + excess)).astype(float)


def counts(name: str, first: int, values: Floats) -> Counts:
    """A series of days; where `values` are by the hour [days, 24], of hours as well."""
    made, by_day = Counts(name), values.reshape(-1, values.shape[1] if values.ndim > 1 else 1).sum(1)
    made.series[Cadence.DAY] = Series(Cadence.DAY, BEHIND + DAYS, first, by_day.astype(np.int32))
    if values.ndim > 1:
        hours = values.ravel().astype(np.int32)
        made.series[Cadence.HOUR] = Series(Cadence.HOUR, len(hours), first * HOURS, hours)
    return made


def lived(world: World, *, peer_priors: bool = False, hours: bool = False) -> tuple[Floats, Floats]:
    """P-values of the new sectors' days [NEW, DAYS] as they are, and as if that day were doubled."""
    drawn, ahead_of = world.draw(world.mean), slice(OLD, None)
    arrived = drawn[ahead_of, BEHIND:]
    if hours:  # people in groups of the same kind in each hour as in each day
        arrived = np.stack([world.draw(world.mean[:, BEHIND:] / HOURS)[ahead_of] for _ in range(HOURS)], 2)
    judge, day = HistoryJudge(Registry(sector=())), Cadence.DAY
    old = [counts(f"old-{at}", FIRST - BEHIND, drawn[at]) for at in range(OLD)]
    new = [counts(f"new-{at}", FIRST, arrived[at]) for at in range(NEW)]
    judge.models[day].refresh(old, FIRST)
    if peer_priors:
        judge.compare([*old, new[0]], day, FIRST)
    plain, doubled = np.full((2, NEW, DAYS), np.nan)
    for ahead in range(DAYS):
        answer = judge.score(new, day, FIRST + ahead)
        if answer is None:
            continue
        view, found = answer
        plain[:, ahead] = found.p_value
        more = view.observed.copy()
        more[:, -1] = world.draw(2 * world.mean[:, [BEHIND + ahead]])[OLD:, 0]
        doubled[:, ahead] = surge.of(replace(view, observed=more)).p_value
    return plain, doubled


def share(p_values: Floats, span: Sequence[int]) -> str:
    """Of the days that are at most ALPHA; a dash where nothing is judged."""
    p = p_values[:, slice(*span)]
    return "-" if np.isnan(p).all() else f"{np.nanmean(p <= ALPHA):.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=float, default=15.0, help="a day, in the median sector")
    options = parser.parse_args()

    def world() -> World:
        return World(options.seed, people=options.people)

    kinds = ({}, {"hours": True}, {"peer_priors": True})
    print(f"{'days':<8}{'false alarms at .01':^36}{'a doubled day found':^36}")
    print(f"{'':<8}" + f"{'alone':>12}{'by the hour':>12}{'with peers':>12}" * 2)
    found = [lived(world(), **kind) for kind in kinds]
    large = np.flatnonzero(world().mean[OLD:].mean(1) >= LARGE)
    for span in SPANS:
        cells = [share(each[0], span) for each in found]
        cells += [share(each[1][large], span) for each in found]
        print(f"{f'{span[0] + 1}-{span[1]}':<8}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
