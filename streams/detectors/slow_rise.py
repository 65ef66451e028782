"""Slow rise: many periods a little too high, none of them high enough by itself.

Negative binomial CUSUM: Höhle & Paul (2008), Comput Stat Data Anal 52:4357. Each period adds its log
likelihood ratio between a mean raised by RATIO and the baseline's; the sum never falls below 0 and starts
again at 0 after an alarm.

    S ─────────────────────── limit = log(periods between false alarms)
              ╱╲    ╱─ alarm: reset
      ╱╲  ╱──╯  ╲──╯ │
    ──╯ ╲─╯ since     ╰────

The limit needs no table. By Lorden (1971), Ann Math Stat 42:1897, a sum of true likelihood ratios runs for
at least exp(limit) periods on average before it alarms on the null, whatever the means and dispersions are;
and P(S ≥ s) ≤ exp(-s) at any one period, which is the p-value given here. Both are bounds: what is measured
lies below (docs/detectors.md).

Both hold for periods that are independent. Where the level strays, weeks differ by more than their days
explain: each day is given the dispersion that makes up for it. The mean is not moved: no level follows a
rise.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from streams.baselines.dispersion import WEEK
from streams.baselines.negative_binomial import Floats
from streams.detectors import Finding, SectorView

SMALLEST = 1e-9  # a baseline of nothing at all divides nothing
RATIO = 1.3  # the rise looked for; a baseline that is 14 % too low does not drift up by itself
WIDEST = 4.0  # no single period adds more, so that one burst (a surge, not a slow rise) cannot fill the sum


class State(NamedTuple):
    """For each series the sum, how many periods ago it last left 0, and the people since: 32 bytes."""

    total: Floats
    age: Floats
    observed: Floats
    expected: Floats  # as it was in each of these periods: the baseline has followed since

    @classmethod
    def empty(cls, series: int) -> Self:
        return cls(*np.zeros((4, series)))


class Step(NamedTuple):
    """The state after a period, the p-value, the rise up to now, and the alarm."""

    state: State
    p_value: Floats
    rise: State  # before an alarm resets it
    alarm: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def limit(periods_between_false_alarms: ArrayLike) -> Floats:
    """The control limit under which false alarms are at least so many periods apart, on average."""
    return np.asarray(np.log(np.maximum(periods_between_false_alarms, np.e)))


def increment(observed: ArrayLike, mean: ArrayLike, dispersion: ArrayLike, ratio: float = RATIO) -> Floats:
    """Log likelihood ratio of NB(ratio · mean) to NB(mean), of size mean / (φ - 1); linear in the count."""
    y, mu = np.asarray(observed, np.float64), np.maximum(np.asarray(mean, np.float64), SMALLEST)
    spread = np.maximum(np.asarray(dispersion, np.float64) - 1, 1e-9)
    growth = np.log1p(spread * (ratio - 1) / (1 + spread))  # log of (size + ratio · mean) / (size + mean)
    return np.asarray(y * (np.log(ratio) - growth) - mu / spread * growth)


def step(
    state: State,
    observed: ArrayLike,
    mean: ArrayLike,
    dispersion: ArrayLike,
    *,
    control_limit: ArrayLike,
    ratio: float = RATIO,
    heavy: Floats | float = 1.0,
) -> Step:
    """Take one period of n series, whose tails are `heavy` times heavier (baselines/calibration.py).

    A single period of theirs adds the less: one that is capped lower keeps its mean below 1 all the more.

    A tenth too many is no rise; four tenths are, in the third period:

    >>> state = State.empty(2)
    >>> for counts in ([110, 140], [110, 140], [110, 140]):
    ...     state, p, rise, alarm = step(state, counts, 100.0, 2.0, control_limit=limit(1000))
    >>> alarm.tolist(), rise.age.tolist()
    ([False, True], [0.0, 3.0])
    """
    y, mu = np.asarray(observed, np.float64), np.asarray(mean, np.float64)
    total = np.maximum(state.total + np.minimum(increment(y, mu, dispersion, ratio), WIDEST / heavy), 0.0)
    more = state.age + 1, state.observed + y, state.expected + mu
    rise = State(total, *(np.where(total > 0, value, 0.0) for value in more))
    alarm = total >= control_limit
    after = State(*(np.where(alarm, 0.0, value) for value in rise))
    return Step(after, np.exp(-total), rise, alarm)


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Take the last period into each sector's sum."""
    limits = limit(1 / view.calibration.nominal_by_freedom(alpha))
    observed, mean = view.observed[:, -1], view.mean[:, -1]
    found = step(
        State(*view.state("slow_rise", len(State._fields)).T),
        observed,
        mean,
        view.last + mean * (view.error + _straying(view)),
        control_limit=limits,
        heavy=view.calibration.heavy,
    )
    begun = found.rise.age > 0
    return Finding(
        breach=found.alarm,
        p_value=view.calibration.by_freedom(found.p_value),
        alpha=alpha,
        observed=np.where(begun, found.rise.observed, observed),
        expected=np.where(begun, found.rise.expected, mean),
        dispersion=view.dispersion,
        window=np.maximum(found.rise.age.astype(np.int64), 1),
        state=np.stack(found.state, 1),
    )


def _straying(view: SectorView) -> Floats | float:
    """Relative variance to give each day, so that a week's days together have that of its level."""
    return 0.0 if view.week_variance is None else WEEK * view.week_variance
