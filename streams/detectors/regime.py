"""Regime: a lasting new level that no calendar announced, proposed to a person.

A run of residuals of one sign is the oldest of shift tests (Wald & Wolfowitz 1940, Ann Math Stat 11:147; as
a chart rule: Nelson 1984, J Qual Technol 16:237). A period is *above* where the mid-p of its count is under
one half, so on the null each sign comes with one half, and a run of n begins with probability 2^(1 - n).
A run shows that something is off, not that it matters: the run's people must also be RATIO times what was
expected, or less than 1 / RATIO of it. Short runs, of weeks or months, come by chance: so the run's people
together must be as improbable as `alpha` (at the default budget, as a run of 15), or every scattered series
would find new levels.

Runs are of the baseline alone: at the local level, which follows a series within days, nothing lasts. And a
level that strays comes back: a run that it explains is no new level.
"""

from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from streams.baselines.design_matrix import PERIODS
from streams.baselines.level import MEMORY, of_mean
from streams.baselines.negative_binomial import Floats, at_least, at_most
from streams.contract.cadence import Cadence
from streams.detectors import Bools, Details, Finding, SectorView

SMALLEST = 1e-9  # people; keeps a baseline of 0 from dividing by 0
RUN = 15  # periods
RATIO = 1.25
RUNS: Final = {Cadence.DAY: RUN, Cadence.WEEK: 8, Cadence.MONTH: 5, Cadence.HOUR: 48}
MIN_PEOPLE: Final = 20.0  # that a new level is off by, in all its periods together
STRAYED = 1e-3  # chance from which on a run may be a level that strays
FARTHEST = 0.04  # relative variance of a level that strays, at most: the run itself adds to the estimate
YOUNG: Final = 1 / 16  # of alpha, while the season is not known


class State(NamedTuple):
    """For each series the signed length of the run, and its people seen and expected: 24 bytes."""

    run: Floats  # +5: five periods above; -3: three below
    observed: Floats
    expected: Floats

    @classmethod
    def empty(cls, series: int) -> Self:
        return cls(np.zeros(series), np.zeros(series), np.zeros(series))


class Step(NamedTuple):
    """The state after a period; p-value of the run; its level against the expected; whether to propose it."""

    state: State
    p_value: Floats
    ratio: Floats
    proposed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def step(
    state: State, observed: ArrayLike, mean: ArrayLike, dispersion: ArrayLike, *, run: int = RUN
) -> Step:
    """Add one period to the runs of n series: people, expected mean and dispersion, each [n].

    >>> state = State.empty(2)
    >>> for _ in range(15):
    ...     state, p, ratio, proposed = step(state, [101, 60], 100.0, 2.0)
    >>> proposed.tolist(), ratio.round(2).tolist()
    ([False, True], [1.01, 0.6])
    """
    y, mu = np.asarray(observed, np.float64), np.asarray(mean, np.float64)
    sign = np.sign(at_most(y, mu, dispersion) - at_least(y, mu, dispersion))
    goes_on = (sign != 0) & (sign == np.sign(state.run))
    length = np.where(goes_on, state.run + sign, sign)
    seen = np.where(goes_on, state.observed, 0.0) + y
    normal = np.where(goes_on, state.expected, 0.0) + mu
    ratio = seen / np.maximum(normal, SMALLEST)
    p_value = np.exp2(1 - np.maximum(np.abs(length), 1))
    matters = np.where(length > 0, ratio >= RATIO, ratio <= 1 / RATIO)
    return Step(State(length, seen, normal), p_value, ratio, (np.abs(length) >= run) & matters)


def improbable(
    state: State, dispersion: Floats, alpha: Floats | float
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return in which runs [n] so many people, or so few, are as improbable as `alpha`.

    >>> runs = State(np.full(2, -5.0), np.array([300.0, 485.0]), np.full(2, 500.0))
    >>> improbable(runs, np.full(2, 4.0), 2.0**-14).tolist()
    [True, False]
    """
    tails = (tail(state.observed, state.expected, dispersion) for tail in (at_least, at_most))
    return np.minimum(*tails) <= alpha


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Take the last period into each sector's run; a long one is a new level from its first period on."""
    cadence, n = view.cadence, len(view.sectors)
    held = State(*view.state("regime", len(State._fields)).T)
    level = 1.0 if view.level is None else view.level
    found = step(held, view.observed[:, -1], view.mean[:, -1] / level, view.last, run=RUNS[cadence])
    new = found.proposed & (np.abs(found.state.observed - found.state.expected) >= MIN_PEOPLE)
    if new.any():
        # Until a year has come twice it may be the season.
        is_young = view.index - view.first() < 2 * PERIODS[cadence]
        new &= improbable(found.state, view.last, np.where(is_young, YOUNG * alpha, alpha))
        new &= ~_strays(view, found.state)
    length = np.maximum(np.abs(found.state.run).astype(np.int64), 1)
    within = np.arange(view.mean.shape[1], 0, -1) <= length[:, None]

    def details(row: int) -> Details:
        return Details(remark=f"level times {found.ratio[row]:.2f} for {length[row]} {cadence}s")

    return Finding(
        breach=new,
        p_value=found.p_value,
        alpha=np.full(n, 2.0 ** (1 - RUNS[cadence])),
        observed=(view.observed * within).sum(1),
        expected=(view.mean * within).sum(1),
        dispersion=view.dispersion,
        window=length,
        details=details,
        state=np.where(new[:, None], 0.0, np.stack(found.state, 1)),
        new_level=np.where(new, view.index - length + 1, -1),
    )


def _strays(view: SectorView, state: State) -> Bools:
    """Return in which runs [n] a level that strays, and comes back, explains as many people or as few."""
    if view.level_variance is None:
        return np.zeros(len(view.sectors), bool)
    mean = of_mean(np.minimum(view.level_variance, FARTHEST), MEMORY[view.cadence], np.abs(state.run))
    dispersion = view.last + state.expected * mean
    tails = (tail(state.observed, state.expected, dispersion) for tail in (at_least, at_most))
    return np.asarray((np.minimum(*tails) > STRAYED) & (view.level_variance > 0))
