"""Periods that are low by themselves: a place that shuts for a day now and then is back on the next.

▅▅▅▅▅▁▅▅▅▅▅▅▅▂▅▅▅▅▅▁        the last is no news: two days of twenty were as low
"""

from typing import Final

import numpy as np

from streams.baselines.algebra import Reals
from streams.baselines.dispersion import anscombe
from streams.baselines.negative_binomial import Floats

_LOW: Final = -3.5  # Anscombe residual of a low period, and
_FEWER: Final = 5.0  # people below what was expected


def lowest(counts: Reals, mean: Reals, dispersion: Floats, informative: Reals) -> Floats:
    """Return the share of the expected people [n] on the lowest lone low period of the past [n, T].

    1 where there was none. Periods where `informative` is 0 are left out; the ones before and after a lone
    low period are not low.
    """
    known = informative > 0
    low = (anscombe(counts, mean, dispersion[:, None]) < _LOW) & (mean - counts >= _FEWER) & known
    usual = known & ~low
    lone = low.copy()
    lone[:, 1:] &= usual[:, :-1]
    lone[:, :-1] &= usual[:, 1:]
    lone[:, [0, -1]] = False
    share = np.where(lone, counts / np.maximum(mean, _FEWER), 1.0)
    return np.asarray(share.min(1), float)
