"""Drop: fewer people than is normal. The lower tail of the same windows as the surge's, combined likewise."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.tails import Floats, at_most, cauchy


class Drop(NamedTuple):
    """The answers for n series."""

    p_value: Floats
    window: NDArray[np.int64]
    observed: Floats
    expected: Floats
    dispersion: Floats


def judge(
    observed: Floats, mean: Floats, dispersion: Floats, error: Floats, windows: tuple[int, ...]
) -> Drop:
    """Judge the last of the periods; shapes as for the surge.

    >>> found = judge(np.ones((1, 7)), np.full((1, 7), 10.0), np.array([1.5]), np.zeros(1), (1, 3, 7))
    >>> bool(found.p_value[0] < 0.001), int(found.observed[0] / found.window[0])
    (True, 1)
    """
    counts = np.stack([observed[:, -length:].sum(1) for length in windows], 1)
    means = np.stack([mean[:, -length:].sum(1) for length in windows], 1)
    phi = dispersion.reshape(len(means), -1) + means * error[:, None]
    tails = at_most(counts, means, phi)
    # As for the surge: a window whose last period is back to normal is no news.
    tails[:, 1:] = np.maximum(tails[:, 1:], 0.1 * tails[:, :1])
    best = tails.argmin(1)
    row = np.arange(len(best))
    return Drop(cauchy(tails), np.asarray(windows)[best], counts[row, best], means[row, best], phi[row, best])
