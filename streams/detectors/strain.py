"""Strain: how near a sector is to the number of people a day that it can take in, and when it is full.

The question is not *is this normal?* but *is there room?*: every day may be normal and every day too much.
The p-value is that of the hypothesis that the sector's rate still is below its capacity, P(Y ≥ observed |
capacity); a breach is plain: as many as there is room for, or full before the day is over at the present
rate. That a surge is measured against what a place can take in is the rule of hospitals (Hick et al. 2004,
Ann Emerg Med 44:253).
"""

import datetime as dt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streams.baselines.negative_binomial import Floats, at_least
from streams.contract.cadence import DAY, HOUR
from streams.detectors import Details, Finding, SectorView

LEVEL = 0.5  # it is a rule, no test: the interval shown is the middle half


class Strain(NamedTuple):
    """P-value; seconds until full (0: it is, inf: not at this rate); breach."""

    p_value: Floats
    full_in: Floats
    breach: NDArray[np.bool_]


def judge(
    taken: ArrayLike,
    rate: ArrayLike,
    capacity: ArrayLike,
    *,
    left: ArrayLike = 0.0,
    dispersion: ArrayLike = 1.0,
) -> Strain:
    """Judge n sectors: people `taken` today, the present `rate` per second, `left` seconds of the day.

    Sixty came by noon and 10 come an hour: 100 are reached in four hours, within the day.

    >>> strain = judge([60, 60], [10 / 3600, 2 / 3600], 100, left=12 * 3600)
    >>> (strain.full_in / 3600).tolist(), strain.breach.tolist()
    ([4.0, 20.0], [True, False])
    """
    people, room = np.asarray(taken, np.float64), np.maximum(np.asarray(capacity, np.float64), 1e-9)
    speed = np.maximum(np.asarray(rate, np.float64), 0.0)
    missing = np.maximum(room - people, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        full_in = np.where(missing == 0, 0.0, np.where(speed > 0, missing / speed, np.inf))
    breach = (missing == 0) | (full_in <= np.asarray(left, np.float64))
    return Strain(at_least(people, room, dispersion), full_in, breach)


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the day of each sector whose capacity is known; whole days come later than their reports."""
    rooms = np.array([np.nan if room is None else room for room in view.capacity], float)
    asked = ~np.isnan(rooms)
    left = _seconds_left(view, asked)
    taken = view.observed[:, -1]
    capacity = np.where(asked, rooms, 1.0)
    found = judge(
        taken, taken / np.maximum(DAY - left, HOUR), capacity, left=left, dispersion=view.dispersion
    )

    def details(row: int) -> Details:
        full_in = float(found.full_in[row])
        at = (
            dt.datetime.fromtimestamp(int(view.as_of + full_in), dt.UTC) if 0 < full_in <= left[row] else None
        )
        return Details(capacity=float(capacity[row]), full_at=at)

    return Finding(
        breach=found.breach,
        p_value=found.p_value,
        alpha=np.full(len(rooms), LEVEL),
        observed=taken,
        expected=view.mean[:, -1],
        dispersion=view.dispersion,
        window=np.ones(len(rooms), np.int64),
        asked=asked & (found.breach | ~_ended_early(view)),
        details=details,
    )


def _ended_early(view: SectorView) -> NDArray[np.bool_]:
    """Return of which sectors data end within the day [n]: nobody knows whether there was room at its end."""
    return np.array([counts.state.no_data_since is not None for counts in view.sectors], bool)


def _seconds_left(view: SectorView, asked: NDArray[np.bool_]) -> Floats:
    """Return the seconds until the day of each sector is over [n]; 0 where that is not asked."""
    if view.is_closed:
        return np.zeros(len(asked))
    ends = [
        view.start_of(row, view.index + 1).timestamp() if asked[row] else 0.0 for row in range(len(asked))
    ]
    return np.maximum(np.array(ends) - view.as_of, 0.0)
