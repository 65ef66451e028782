"""Surge: more people than is normal, in the last period or in the last few together.

The chance of so many or more under the baseline's negative binomial, over windows of 1 to 24 hours, 1 to 7
days, 1 to 3 weeks or months. The shortest sees first; the longer ones see what no single period shows. The
Cauchy combination makes one p-value of them (Liu & Xie 2020, JASA 115:393) and holds its level though windows
overlap.

    ░░░░▒▒█   7, 3, 1 days
          ^ judged

A window is not news once its last period is calm again: there its p-value is no smaller than a share of the
last period's own.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.tails import Floats, at_least, cauchy, mid, threshold
from streams.calendar import Cadence

WINDOWS: Final = {
    Cadence.HOUR: (1, 3, 6, 12, 24),
    Cadence.DAY: (1, 3, 7),
    Cadence.WEEK: (1, 2, 3),
    Cadence.MONTH: (1, 2, 3),
}
_OWN_SHARE: Final = 0.1
_FIRST_WEIGHT: Final = 2.0  # of the shortest window against the others: it is the one that sees first


class Surge(NamedTuple):
    """The answers for n series."""

    p_value: Floats  # exact and combined: what alarms go by
    mid_p: Floats  # what series are ranked by
    window: NDArray[np.int64]  # periods of the window that says most
    observed: Floats  # in that window
    expected: Floats
    dispersion: Floats  # of that window, with the error of the estimated mean in it
    needed: Floats  # count of the last period from which on a breach is possible


def judge(
    observed: Floats, mean: Floats, dispersion: Floats, error: Floats, windows: tuple[int, ...], alpha: Floats
) -> Surge:
    """Judge the last of the periods.

    `observed` and `mean` [n, W], W at least the longest window; `dispersion` [n], or [n, windows] where they
    differ; `error` (relative variance of the estimated mean) and `alpha` [n].

    >>> steady = np.full((1, 28), 10.0)
    >>> steady[0, -1] = 25
    >>> normal, spread, alpha = np.full((1, 28), 10.0), np.array([1.5]), np.array([0.01])
    >>> found = judge(steady, normal, spread, np.zeros(1), (1, 3, 7), alpha)
    >>> bool(found.p_value[0] < 0.005), int(found.window[0])
    (True, 1)
    """
    counts = np.stack([observed[:, -length:].sum(1) for length in windows], 1)
    means = np.stack([mean[:, -length:].sum(1) for length in windows], 1)
    phi = dispersion.reshape(len(means), -1) + means * error[:, None]
    exact, middle = at_least(counts, means, phi), mid(counts, means, phi)
    exact[:, 1:] = np.maximum(exact[:, 1:], _OWN_SHARE * exact[:, :1])
    middle[:, 1:] = np.maximum(middle[:, 1:], _OWN_SHARE * middle[:, :1])
    weights = np.array([_FIRST_WEIGHT, *[1.0] * (len(windows) - 1)])
    best = exact.argmin(1)
    row = np.arange(len(best))
    # No combined p-value is below alpha unless one of those combined is.
    reach = threshold(alpha[:, None], means, phi) - (counts - observed[:, -1:])
    return Surge(
        p_value=cauchy(exact, weights),
        mid_p=cauchy(middle, weights),
        window=np.asarray(windows)[best],
        observed=counts[row, best],
        expected=means[row, best],
        dispersion=phi[row, best],
        needed=np.maximum(reach.min(1), 0),
    )
