"""What is held of a series before its counts are looked at: weak priors, or those of like sectors."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.design_matrix import FIRST, HARMONICS, PERIODS
from streams.baselines.negative_binomial import Floats
from streams.baselines.peer_priors import PeerPrior
from streams.contract.cadence import Cadence

# Periods from which on a series speaks for itself: a year; of hours three weeks of the four that are kept.
GROWN: Final = {**PERIODS, Cadence.HOUR: 21 * 24.0}
# Standard deviations on the log scale.
_LEVEL, _TREND, _WEEKDAY, _SEASON, _HOLIDAY, _STEP = 3.0, 0.3, 1.0, 0.5, 1.0, 3.0
_MONTHLY_TREND: Final = 0.1  # months are few: what goes up for a while need not go on
MOVING: Final = 0.03  # share of itself by which a season comes earlier or later, or grows, each year
_BROAD: Final = 2  # harmonics that a series of less than two years may have
_NEVER: Final = 1e6  # precision of a term that is not to be
_FEWEST: Final = 0.02  # people a period that a series of none at all is held to have
_PHI, _PHI_WEIGHT = 1.5, 4.0  # dispersion before any history, and for how many periods that stands


class Prior(NamedTuple):
    """Of n series with k limits."""

    centre: Floats  # [n, k]
    precision: Floats  # [n, k]
    start: Floats  # [n], log level at which the fit begins
    dispersion: Floats  # [n]
    weight: Floats  # [n], periods for which that dispersion stands
    young: NDArray[np.bool_]  # [n]


def deviations(cadence: Cadence) -> list[float]:
    """How far the terms of a series may be from nothing, where that is all that is known."""
    harmonics = 2 * HARMONICS[cadence]
    trend = _MONTHLY_TREND if cadence is Cadence.MONTH else _TREND
    shared = [_LEVEL, trend, *[_SEASON] * harmonics]
    match cadence:
        case Cadence.HOUR:
            return [*shared, *[_WEEKDAY] * 7]
        case Cadence.DAY:
            return [*shared, *[_WEEKDAY] * 7, *[_HOLIDAY] * 2]
        case Cadence.WEEK:
            return [*shared, *[MOVING] * harmonics]
        case Cadence.MONTH:
            return shared


def priors(
    cadence: Cadence,
    steps: int,
    periods: Floats,
    people: Floats,
    peer_priors: Sequence[PeerPrior | None] = (),
) -> Prior:
    """Priors of n series that have so many `periods` of history [n], with so many `people` in one [n].

    With less than two years, a sharp season cannot be distinguished from a single event, so only broad
    harmonics are estimated. With less than one year they have to be small: otherwise a rise would be taken
    for the beginning of a season and extrapolated. `peer_priors` apply to young series.
    """
    n = len(periods)
    precision = np.tile(1 / np.square([*deviations(cadence), *[_STEP] * steps]), (n, 1))
    if cadence is not Cadence.HOUR:
        harmonics = slice(FIRST, FIRST + 2 * HARMONICS[cadence])
        seen = np.clip(periods / PERIODS[cadence], 0.1, 1)  # of a year
        precision[:, harmonics] /= seen[:, None] ** 4
        precision[periods < 2 * PERIODS[cadence], FIRST + 2 * _BROAD : harmonics.stop] = _NEVER
    # The level is centred on the series' own mean, all other terms on nothing.
    centre, start = np.zeros_like(precision), np.log(np.maximum(people, _FEWEST))
    centre[:, 0] = start
    prior = Prior(
        centre, precision, start, np.full(n, _PHI), np.full(n, _PHI_WEIGHT), periods < GROWN[cadence]
    )
    for row, like in enumerate(peer_priors):
        if like is not None and prior.young[row]:
            _take(prior, row, like, people[row], periods[row])
    return prior


def _take(prior: Prior, row: int, like: PeerPrior, people: float, periods: float) -> None:
    terms = slice(len(like.centre))
    prior.centre[row, terms] = like.centre
    # Peers may be no better known than the broad prior: the tighter of the two holds.
    prior.precision[row, terms] = np.maximum(prior.precision[row, terms], 1 / np.square(like.spread))
    prior.start[row] = like.level(people, periods)
    prior.dispersion[row], prior.weight[row] = like.scatter(prior.start[row]), like.periods
