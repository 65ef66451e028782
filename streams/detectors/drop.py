"""Drop: fewer people than is normal, in the last period or in the last few together.

The chance of so few or fewer, over windows of 1 to 7 days, 1 to 3 weeks or months. The Cauchy combination
makes one p-value of them (Liu & Xie 2020, JASA 115:393) and holds its level though windows overlap.

    ████▒▒░   7, 3, 1 days
          ^ judged
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.calibration import AS_THEY_ARE, BEYOND, LOW_WINDOWS, Calibration
from streams.baselines.negative_binomial import Floats, at_most, cauchy
from streams.contract.cadence import Cadence
from streams.detectors import MIN_EXCESS, MIN_RATIO, Finding, SectorView

WINDOWS: Final = {
    Cadence.DAY: LOW_WINDOWS,
    Cadence.WEEK: (1, 2, 3),
    Cadence.MONTH: (1, 2, 3),
}
_OWN_SHARE: Final = 0.1


class Drop(NamedTuple):
    """What was found in n series."""

    p_value: Floats
    window: NDArray[np.int64]
    observed: Floats
    expected: Floats
    dispersion: Floats


def judge(
    observed: Floats,
    mean: Floats,
    dispersion: Floats,
    error: Floats,
    *,
    windows: tuple[int, ...],
    calibration: Calibration = AS_THEY_ARE,
) -> Drop:
    """Judge the last of the periods.

    `observed` and `mean` [n, W], W at least the longest window; `dispersion` [n], or [n, windows] where they
    differ; `error` (relative variance of the estimated mean) [n]; `calibration` of p-values.

    >>> found = judge(np.ones((1, 7)), np.full((1, 7), 10.0), np.array([1.5]), np.zeros(1), windows=(1, 3, 7))
    >>> bool(found.p_value[0] < 0.001), int(found.observed[0] / found.window[0])
    (True, 1)
    """
    counts = np.stack([observed[:, -length:].sum(1) for length in windows], 1)
    means = np.stack([mean[:, -length:].sum(1) for length in windows], 1)
    phi = dispersion.reshape(len(means), -1) + means * error[:, None]
    tails = at_most(counts, means, phi)
    # A window whose last period is back to normal does not count.
    tails[:, 1:] = np.maximum(tails[:, 1:], _OWN_SHARE * tails[:, :1])
    best = tails.argmin(1)
    row = np.arange(len(best))
    p_value = calibration.lower(cauchy(tails))
    return Drop(p_value, np.asarray(windows)[best], counts[row, best], means[row, best], phi[row, best])


def detect(view: SectorView, alpha: Floats) -> Finding:
    """Judge the last of the periods: the window with the smallest p-value is shown."""
    windows = WINDOWS[view.cadence]
    found = judge(
        view.observed,
        view.mean,
        view.pooled(windows),
        view.error,
        windows=windows,
        calibration=view.calibration,
    )
    found = _unless_alone(found, view, windows)
    large = (found.expected - found.observed >= MIN_EXCESS) & (found.observed * MIN_RATIO <= found.expected)
    return Finding(
        breach=(found.p_value <= alpha) & large,
        p_value=found.p_value,
        alpha=alpha,
        observed=found.observed,
        expected=found.expected,
        dispersion=found.dispersion,
        window=found.window,
    )


def _unless_alone(found: Drop, view: SectorView, windows: tuple[int, ...]) -> Drop:
    """The same, where a last period that is low by itself is held against such periods of the past."""
    usual = view.calibration.alone(view.observed[:, -1], view.mean[:, -1], view.last)
    if not usual.any():
        return found
    before = judge(
        view.observed[:, :-1],
        view.mean[:, :-1],
        view.pooled(windows),
        view.error,
        windows=windows,
        calibration=view.calibration,
    )
    alone = before.p_value > BEYOND
    return found._replace(p_value=np.where(alone, np.maximum(found.p_value, usual), found.p_value))
