"""Priors of a series: weak ones, or those of like sectors."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.design_matrix import FIRST, HARMONICS, PERIODS
from streams.baselines.negative_binomial import Floats
from streams.baselines.peer_priors import PeerPrior
from streams.contract.cadence import Cadence

# Periods of history that make peer priors unnecessary: a year; of hours three weeks of the four kept.
GROWN: Final = {**PERIODS, Cadence.HOUR: 21 * 24.0}
# Standard deviations on the log scale.
_LEVEL, _TREND, _WEEKDAY, _SEASON, _HOLIDAY, _STEP = 3.0, 0.3, 1.0, 0.5, 1.0, 3.0
_MONTHLY_TREND: Final = 0.1  # months are few: a rise over some of them need not go on
MOVING: Final = 0.03  # share of its size by which a season moves or grows each year
_WEEKDAYS: Final = slice(FIRST + 2 * HARMONICS[Cadence.DAY], FIRST + 2 * HARMONICS[Cadence.DAY] + 7)
_TWICE: Final = 14  # days in which each weekday was seen twice
_BROAD: Final = 2  # harmonics that a series of less than two years may have
_NEVER: Final = 1e6  # precision of a term that is left out
_FEWEST: Final = 0.02  # people a period that are assumed of a series without any
_PHI, _PHI_WEIGHT = 1.5, 4.0  # prior dispersion, and the periods that it counts for


class Prior(NamedTuple):
    """Priors of n series with k terms."""

    centre: Floats  # [n, k]
    precision: Floats  # [n, k]
    start: Floats  # [n], log level at which the fit begins
    dispersion: Floats  # [n]
    weight: Floats  # [n], periods that the prior dispersion counts for
    young: NDArray[np.bool_]  # [n]


def deviations(cadence: Cadence) -> list[float]:
    """Return the prior standard deviations of a series' terms, without peers."""
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
    *,
    periods: Floats,
    people: Floats,
    peer_priors: Sequence[PeerPrior | None] = (),
) -> Prior:
    """Return priors of n series: `periods` of history [n] with `people` in an average one [n].

    With less than two years, a sharp season cannot be distinguished from a single event, so only broad
    harmonics are estimated. With less than one year they have to be small: otherwise a rise would be taken
    for the beginning of a season and extrapolated. `peer_priors` apply to young series.

    A weekday that was seen once cannot be distinguished from a single day: after one Friday of bad weather,
    an ordinary one would be a surge. So weekdays are estimated from two weeks on, or with peers.
    """
    n = len(periods)
    precision = np.tile(1 / np.square([*deviations(cadence), *[_STEP] * steps]), (n, 1))
    if cadence is not Cadence.HOUR:
        harmonics = slice(FIRST, FIRST + 2 * HARMONICS[cadence])
        seen = np.clip(periods / PERIODS[cadence], 0.1, 1)  # of a year
        precision[:, harmonics] /= seen[:, None] ** 4
        precision[periods < 2 * PERIODS[cadence], FIRST + 2 * _BROAD : harmonics.stop] = _NEVER
    if cadence is Cadence.DAY:
        young = periods < _TWICE
        young[[row for row, peer in enumerate(peer_priors) if peer is not None]] = False
        precision[young, _WEEKDAYS] = _NEVER
    # The level is centred on the series' own mean, all other terms on nothing.
    centre, start = np.zeros_like(precision), np.log(np.maximum(people, _FEWEST))
    centre[:, 0] = start
    prior = Prior(
        centre, precision, start, np.full(n, _PHI), np.full(n, _PHI_WEIGHT), periods < GROWN[cadence]
    )
    for row, peer in enumerate(peer_priors):
        if peer is not None and prior.young[row]:
            _apply_peer(prior, row, peer, people=people[row], periods=periods[row])
    return prior


def _apply_peer(prior: Prior, row: int, peer: PeerPrior, *, people: float, periods: float) -> None:
    terms = slice(len(peer.centre))
    prior.centre[row, terms] = peer.centre
    # Peers may be no better known than the broad prior: the tighter of the two holds.
    prior.precision[row, terms] = np.maximum(prior.precision[row, terms], 1 / np.square(peer.spread))
    prior.start[row] = peer.level(people, periods)
    prior.dispersion[row], prior.weight[row] = peer.dispersion_at(prior.start[row]), peer.periods
