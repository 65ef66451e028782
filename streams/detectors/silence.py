"""Silence: no data, for longer than chance allows. A period for which 0 is reported is data.

The chance of no event over the silent time under the baseline: for a negative binomial with mean m and
dispersion φ, φ^(-m / (φ - 1)); exp(-m) where φ is 1. At forty a day five silent hours are improbable; at
one a day two silent days are not. While a drop stands, m is what has come since: few people are no second
alert.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.negative_binomial import Floats, at_most
from streams.contract.questions import Question
from streams.detectors import Finding, Integers, SectorView

LATELY: Final = 3  # periods with data that show to what a drop has led


class Silence(NamedTuple):
    """What was found in n series."""

    p_value: Floats
    periods: NDArray[np.int64]  # silent ones, up to the last
    expected: Floats  # people in them


def judge(observed: Floats, mean: Floats, dispersion: Floats, error: Floats) -> Silence:
    """Judge the run of empty periods at the end of `observed` [n, W].

    >>> found = judge(np.array([[3.0, 0, 0]]), np.full((1, 3), 4.0), np.ones(1), np.zeros(1))
    >>> int(found.periods[0]), round(float(found.p_value[0]), 5)
    (2, 0.00034)
    """
    silent = np.cumsum(observed[:, ::-1], axis=1)[:, ::-1] == 0
    expected = np.where(silent, mean, 0.0).sum(1)
    periods = silent.sum(1)
    p_value = at_most(0, expected, dispersion + expected * error)
    return Silence(np.where(periods > 0, p_value, 1.0), periods, expected)


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the run of periods without data at the end."""
    found = judge_until(view, view.data_until)
    silent = found.periods > 0
    return Finding(
        breach=found.p_value <= alpha,
        p_value=found.p_value,
        alpha=alpha,
        observed=np.where(silent, 0.0, view.observed[:, -1]),
        expected=np.where(silent, found.expected, view.mean[:, -1]),
        dispersion=view.dispersion,
        window=np.maximum(found.periods, 1),
    )


def judge_until(view: SectorView, data_until: Integers | None) -> Silence:
    """Judge the run of empty periods at the end of a view, after those up to which there is data [n]."""
    counts = _with_data(view, data_until)
    mean = view.mean * _dropped(view, counts)[:, None]
    return judge(counts, mean, view.dispersion, view.error + _doubt(view, counts))


def _dropped(view: SectorView, counts: Floats) -> Floats:
    """What the last days with data have of the expected count [n], where a drop stands; 1 elsewhere."""
    share = np.ones(len(view.sectors))
    for row, sector in enumerate(view.sectors):
        if Question.DROP not in sector.state.of(view.cadence).breaches:
            continue
        until = 1 + np.flatnonzero(counts[row]).max(initial=-1)
        known = np.flatnonzero(view.mean[row, :until] > 0)[-LATELY:]
        expected = view.mean[row, known].sum()
        if expected > 0:
            share[row] = min((view.observed[row, known].sum() + 1) / expected, 1.0)
    return share


def _with_data(view: SectorView, data_until: Integers | None) -> Floats:
    """Return the counts [n, W], with 1 in place of a 0 that is data."""
    if data_until is None:
        return view.observed
    periods = np.arange(view.index - view.observed.shape[1] + 1, view.index + 1)
    return np.maximum(view.observed, periods <= data_until[:, None])


def _doubt(view: SectorView, counts: Floats) -> Floats | float:
    """Relative variance of the count expected in the silent periods, by doubt about what is reported."""
    if view.reported is None:
        return 0.0
    silent = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] == 0
    people = np.where(silent, view.mean, 0.0)
    doubtful = (people * np.sqrt(view.reported.doubt)).sum(1)
    share: Floats = np.square(doubtful / np.maximum(people.sum(1), 1e-9))
    return share
