"""The detection suites over seeds on which no setting was chosen: means and their standard errors.

    python -m benchmarks.seeds [SUITE ...] [--seeds 20] [--first 1001]

Each seed makes the suites anew (`benchmarks/suites.py`); series are scored as by `surgewatch score`.
Figures at a matched rate are with that threshold on p at which a calm period is in alarm with chance alpha.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from statistics import mean, stdev
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.suites import CHANGE, MONDAY, SUITES, Suite, names
from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Column, Table
from streams.backtest.scoring import Scorer
from streams.baselines.calendar import EPOCH, Calendar
from streams.contract.cadence import DAY, Cadence
from streams.contract.sectors import Registry

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# By suite and figure: at least (+) or at most (-).
BARS: Final = {
    "weekly": {"POD": 0.53, "F1": 0.54, "early": 0.40, "FPR": -0.012},
    "daily": {"POD": 0.82, "early": 0.68, "delay": -1.5, "FPR": -0.011},
    "hourly": {"POD": 0.40, "episodes a series-month": -0.5},
    "regime": {
        "down: alarms days 15-60": -0.012,
        "down: POD after": 0.90,
        "up: alarms days 15-60": -0.012,
        "up: alarms days 61-": -0.012,
    },
    "regime-unannounced": {"up: alarms days 61-": -0.02, "down: POD after": 0.90},
}
MONTH: Final = 30 * 24  # hours


class Scores(NamedTuple):
    """What was scored of a suite, from its first scored period on [series, periods]."""

    score: Floats  # -log10 p; 0 where nothing is scored
    alarm: Bools
    surge: Bools
    group: NDArray[np.str_]  # [series]


def scored(suite: Suite) -> Scores:
    """Score all series of a suite, together."""
    first = suite.cadence.index((MONDAY - EPOCH).days * DAY)
    columns = {
        name: Column(first, case.counts, np.ones(len(case.counts), bool))
        for name, case in zip(names(suite), suite.cases, strict=True)
    }
    judge = HistoryJudge(Registry(sector=()), Calendar(suite.dates))
    scorer = Scorer(Table(suite.cadence, columns), judge, suite.alpha, first + suite.first)
    row = {name: at for at, name in enumerate(columns)}
    surge = np.array([case.surge[suite.first :] > 0 for case in suite.cases])
    score, alarm = np.zeros(surge.shape), np.zeros(surge.shape, bool)
    for one in chain.from_iterable(scorer):
        if one.p_value is not None:
            at = row[one.series], one.period - first - suite.first
            score[at], alarm[at] = -np.log10(max(one.p_value, 1e-300)), one.alarm
    return Scores(score, alarm, surge, np.array([case.group for case in suite.cases]))


def outbreaks(alarm: Bools, surge: Bools, lead: int) -> dict[str, float]:
    """How many surges are found at all and in their first `lead` periods, F1 of periods, and mean delay."""
    hit = alarm & surge
    found, start = hit.any(1), surge.argmax(1)
    early = [alarm[row, at : at + lead].any() for row, at in enumerate(start)]
    right, missed, wrong = hit.sum(), (surge & ~alarm).sum(), (alarm & ~surge).sum()
    return {
        "POD": float(found.mean()),
        "early": float(np.mean(early)),
        "F1": float(2 * right / max(2 * right + missed + wrong, 1)),
        "delay": float((hit.argmax(1) - start)[found].mean()),
    }


def figures(suite: Suite) -> dict[str, float]:
    """The figures of one seed of a suite with surges."""
    scores = scored(suite)
    has = scores.surge.any(1)
    # Where each series also comes without a surge, those are what is calm.
    calm = ~scores.surge if has.all() else ~scores.surge & ~has[:, None]
    cut = np.quantile(scores.score[calm], 1 - suite.alpha, method="higher")
    out = outbreaks(scores.score[has] > cut, scores.surge[has], suite.lead)
    out["FPR"] = float(scores.alarm[calm].mean())
    if suite.cadence is Cadence.HOUR:
        begins = np.diff(scores.alarm[~has].astype(int), axis=1, prepend=0) > 0
        out["episodes a series-month"] = float(begins.sum(1).mean() / scores.alarm.shape[1] * MONTH)
    return out


def regime_figures(suite: Suite, changed: int) -> dict[str, float]:
    """The figures of one seed of the suite of changed levels; `changed` is the scored day of the change."""
    scores = scored(suite)
    has, out = scores.surge.any(1), {}
    for name in ("steady", "down", "up"):
        calm = scores.alarm[(scores.group == name) & ~has]
        out[f"{name}: alarms before"] = float(calm[:, :changed].mean())
        out[f"{name}: alarms days 15-60"] = float(calm[:, changed + 14 : changed + 60].mean())
        out[f"{name}: alarms days 61-"] = float(calm[:, changed + 60 :].mean())
        there = (scores.group == name) & has
        out[f"{name}: POD after"] = float((scores.alarm & scores.surge)[there].any(1).mean())
    return out


def lines(name: str, found: dict[str, list[float]]) -> Iterator[str]:
    """One line a figure: mean, standard error, and what is asked of it."""
    for figure, values in found.items():
        error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
        bar = BARS[name].get(figure)
        asked = "" if bar is None else f"{'>=' if bar > 0 else '<='} {abs(bar):.3f}"
        is_met = bar is not None and (mean(values) >= bar if bar > 0 else mean(values) <= -bar)
        met = "" if bar is None else "met" if is_met else "missed"
        yield f"  {figure:26} {mean(values):.3f} (standard error {error:.3f})  {asked:9} {met}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", nargs="*", choices=[*SUITES, []], help="; ".join(SUITES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1001, help="the first seed")
    options = parser.parse_args()
    for name in options.suite or SUITES:
        found: defaultdict[str, list[float]] = defaultdict(list)
        for seed in range(options.first, options.first + options.seeds):
            suite = SUITES[name](seed)
            one = regime_figures(suite, CHANGE - suite.first) if "regime" in name else figures(suite)
            for figure, value in one.items():
                found[figure].append(value)
        print(f"{name}, {options.seeds} seeds", *lines(name, found), sep="\n", flush=True)


if __name__ == "__main__":
    main()
