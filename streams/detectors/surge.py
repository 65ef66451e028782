"""Surge: more people than is normal, in the last period, the more readily where one seems to be under way.

The chance of so many or more in the last period, under the baseline's negative binomial, divided by a
weight that the periods before it give:

    p = P(Y ≥ y) / w        w = ½ + 0.6 · min(B, 100)

B is the likelihood ratio of the periods before, between a surge that began 1, 2, … of them ago and none at
all. So w is large where the last days were high (what would be chance by itself is then the same surge going
on) and a half where they were not.

    expected ──────────────▄█──────      B   .2  .2  .2  .2  3.  90  1.1
    counts   ▂▃▂▃▂▃▂▃▂▃▂▃▂▄██▆▃▂▃        w   .6  .6  .6  .6  2.  55  1.2
                            ^ opens  ^ closes

A likelihood ratio is 1 on average where there is no surge, so w is no more than 1 on average, and a p-value
divided by a weight of mean 1 that knows nothing of the count it is for keeps its level: P(p ≤ α) = E[αw] ≤ α
(weighted tests: Genovese, Roeder & Wasserman 2006, Biometrika 93:509). Where counts follow the baseline,
alarms are no more frequent with weights; they fall where they find most. The bound on B is there
because beyond it there is nothing to gain; it takes at least a sixth of B's mean, so 0.6 of it can be spent.

Days of a level that strays are not independent: high days follow high days by themselves, and B would weigh
the one by the others. So for B each day is given the dispersion that makes up for it, within bounds: where
weeks differ wildly, a surge that goes on is still seen.

A surge is looked for by its likelihood ratio once before (Shiryaev 1963; Kenett & Pollak 1996); here it
weighs the test of the last count instead, so that no table of limits is needed and the count from which on
there is an alarm is known beforehand.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from streams.baselines.calibration import AS_THEY_ARE, Calibration
from streams.baselines.negative_binomial import Floats, at_least, threshold
from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.verdicts import Contribution
from streams.detectors import LONGEST, RECORD_PAST, Alone, Details, Finding, SectorView, is_large


class Past(NamedTuple):
    """What of the past is asked whether a surge is under way."""

    periods: int  # at most so many ago it began
    rise: float  # in standard deviations of a period


PAST: Final = {
    Cadence.HOUR: Past(12, 3.0),
    Cadence.DAY: Past(4, 3.0),
    Cadence.WEEK: Past(2, 2.5),
    Cadence.MONTH: Past(0, 0.0),  # a high month most often means that the baseline is low
}
_FADE: Final = 0.6  # how likely it is to have begun one period earlier
_NEW: Final = 0.5  # weight of a period before which all was calm
_GOING_ON: Final = 0.6
_MOST: Final = 100.0
HEAVIEST: Final = _NEW + _GOING_ON * _MOST  # weight that a count can have at most
_FARTHEST: Final = 0.04  # relative variance of weeks that B allows for, at most
SOME: Final = 0.1  # of the people too many
_ONE: Final = 0.1  # mean below which one person would else be a surge for the periods after


class Surge(NamedTuple):
    """What was found in n series."""

    p_value: Floats
    window: NDArray[np.int64]  # periods that it has been going on for, the last included
    observed: Floats  # in that window
    expected: Floats
    dispersion: Floats  # of that window, with the error of the estimated mean in it


def judge(
    observed: Floats,
    mean: Floats,
    dispersion: Floats,
    error: Floats,
    *,
    past: Past,
    straying: Floats | float = 0.0,
    calibration: Calibration = AS_THEY_ARE,
) -> Surge:
    """Judge the last of the periods.

    `observed`, `mean` and `dispersion` [n, W], W longer than the past that is asked; a mean of 0 stands for a
    period of which nothing is known. `error` (relative variance of the estimated mean) [n];
    `straying` (relative variance that makes up for days that are not independent) [n]; `calibration` of
    p-values.

    >>> counts, normal, spread = np.full((1, 9), 10.0), np.full((1, 9), 10.0), np.full((1, 9), 1.5)
    >>> counts[0, -1] = 19
    >>> alone = judge(counts, normal, spread, np.zeros(1), past=PAST[Cadence.DAY])
    >>> round(alone.p_value.item(), 3)
    0.047
    >>> counts[0, -2] = 24
    >>> again = judge(counts, normal, spread, np.zeros(1), past=PAST[Cadence.DAY])
    >>> round(again.p_value.item(), 4), again.window.item(), again.observed.item()
    (0.0012, 2, 43.0)
    """
    weight, window = _weight(observed, mean, dispersion, error + straying, past=past, calibration=calibration)
    last = observed[:, -1], mean[:, -1], dispersion[:, -1] + mean[:, -1] * error
    within = np.arange(observed.shape[1], 0, -1) <= window[:, None]
    expected = (mean * within).sum(1)
    own = (mean * within * dispersion).sum(1) / np.maximum(expected, 1e-9)
    return Surge(
        p_value=np.minimum(calibration.upper(at_least(*last)) / weight, 1.0),
        window=window,
        observed=(observed * within).sum(1),
        expected=expected,
        dispersion=np.maximum(own, 1.0) + expected * error,
    )


def needed(
    observed: Floats,
    mean: Floats,
    dispersion: Floats,
    error: Floats,
    *,
    past: Past,
    alpha: Floats,
    straying: Floats | float = 0.0,
    calibration: Calibration = AS_THEY_ARE,
) -> Floats:
    """The count of the last period from which on its p-value is at most `alpha` [n]; as for `judge`."""
    weight, _ = _weight(observed, mean, dispersion, error + straying, past=past, calibration=calibration)
    phi = dispersion[:, -1] + mean[:, -1] * error
    return threshold(calibration.nominal(np.minimum(alpha * weight, 1.0)), mean[:, -1], phi)


def _weight(
    observed: Floats,
    mean: Floats,
    dispersion: Floats,
    error: Floats,
    *,
    past: Past,
    calibration: Calibration,
) -> tuple[Floats, NDArray[np.int64]]:
    """What the periods before the last weigh, and how many periods a surge would have been going on for."""
    n = len(observed)
    if not past.periods:
        return np.ones(n), np.ones(n, np.int64)
    going_on = _going_on(
        observed, mean, dispersion + mean * error[:, None], past=past, calibration=calibration
    )
    weight = _NEW + _GOING_ON * np.minimum(going_on.sum(1), _MOST)
    begun = np.where(going_on.max(1) * _GOING_ON > _NEW, going_on.argmax(1) + 1, 0)
    return weight, 1 + begun


def _going_on(observed: Floats, mean: Floats, phi: Floats, *, past: Past, calibration: Calibration) -> Floats:
    """For each number of periods ago [n, past]: the likelihood ratio of a surge since, times its prior.

    In a tail that falls off κ times more slowly, a log likelihood ratio is κ times too large.
    """
    before = slice(-1 - past.periods, -1)
    known = mean[:, before] > 0
    m, spread = np.maximum(mean[:, before], _ONE), np.maximum(phi[:, before] - 1, 1e-6)
    more = past.rise * np.sqrt((1 + spread) * m) / spread
    y, size = observed[:, before], m / spread
    ratio = (
        special.gammaln(y + size + more)
        - special.gammaln(y + size)
        - special.gammaln(size + more)
        + special.gammaln(size)
        - more * np.log1p(spread)
    )
    since = np.cumsum(np.where(known, ratio, 0.0)[:, ::-1], axis=1)
    since /= np.reshape(calibration.heavy, (-1, 1))
    prior = _FADE ** np.arange(past.periods)
    going_on: Floats = np.exp(np.minimum(since, 50.0)) * (prior / prior.sum())
    return going_on


def _straying(view: SectorView) -> Floats | float:
    """Relative variance to give each period, so that those asked together have that of their level."""
    if view.week_variance is None:
        return 0.0
    return PAST[view.cadence].periods * np.minimum(view.week_variance, _FARTHEST)


def of(view: SectorView) -> Surge:
    """Judge the last of a view's periods."""
    seen = view.cautious()
    return judge(
        view.observed,
        seen.mean,
        seen.each,
        view.error,
        past=PAST[view.cadence],
        straying=_straying(view),
        calibration=view.calibration,
    )


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the last of the periods; of an open one, also from which count on to look again."""
    found = of(view)
    breach = (found.p_value <= alpha) & is_large(found.observed, found.expected)
    last = view.mean[:, -1]
    return Finding(
        breach=breach,
        p_value=found.p_value,
        alpha=alpha,
        observed=found.observed,
        expected=found.expected,
        dispersion=found.dispersion,
        window=found.window,
        alone=Alone(last, view.last + last * view.error),
        details=lambda row: origin(view, row) if breach[row] else {},
        limit=_limit(view, alpha, breach) if view.look is Look.OPEN else None,
    )


def _limit(view: SectorView, alpha: Floats, breach: NDArray[np.bool_]) -> Floats:
    seen = view.cautious()
    least = needed(
        view.observed,
        seen.mean,
        seen.each,
        view.error,
        past=PAST[view.cadence],
        alpha=alpha,
        straying=_straying(view),
        calibration=view.calibration,
    )
    last = view.observed[:, -1]
    # Once it is a breach, only a tenth more is worth another verdict.
    return np.maximum(np.where(breach, last * 1.1, least), last + 1)


def origin(view: SectorView, row: int) -> Details:
    """Where a surge comes from: the slices that grew most, and when the count was last as high.

    Left out is what shows nothing: a day as high among the last ones, which a notice draws beside it, and a
    slice that has hardly grown.
    """
    counts = view.sectors[row]
    series = counts.series[view.cadence]
    past = series.values[: max(0, view.index - series.first)]
    as_high = np.flatnonzero(past >= view.observed[row, -1])
    found = Details(record=not len(as_high) and len(past) >= RECORD_PAST[view.cadence])
    if len(as_high) and as_high[-1] <= len(past) - LONGEST:
        found["last_as_high"] = view.start_of(row, series.first + int(as_high[-1]))
    if counts.sliced is view.cadence and counts.slices.names:
        found["slices"] = _grown(view, row)
    return found


def _grown(view: SectorView, row: int) -> tuple[Contribution, ...]:
    """Return the three slices that grew most, each with its usual part in the people expected now."""
    slices, observed, mean = view.sectors[row].slices, view.observed[row], view.mean[row]
    table = slices.window(view.index, LONGEST)
    known = mean[:-1] > 0  # periods that the baseline knows
    usual = table[:, :-1][:, known].sum(1) * (mean[-1] / max(observed[:-1][known].sum(), 1.0))
    grown = table[:, -1] - usual
    least = SOME * max(observed[-1] - mean[-1], 1.0)
    names = list(slices.names)
    return tuple(
        Contribution(name=names[at], observed=float(table[at, -1]), expected=round(float(usual[at]), 2))
        for at in np.argsort(-grown)[:3]
        if grown[at] >= least
    )
