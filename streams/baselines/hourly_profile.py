"""Profiles: how the people of a day come over its hours.

    people    ▂▂▁▁▁▂▃▄▆█▇▅▄▄▅▆▅▄▃▃▂▂▂▂     of the last two weeks, hour by hour
    ÷ those expected in the day       ──▶  rate of each hour of the clock: 24 numbers that sum to about 1

The day's baseline says how many (season, weekday, holiday, policy date); the profile says when. Surges of
the past are weighed down as they are for days.
"""

from typing import Final, NamedTuple

import numpy as np

from streams.baselines.dispersion import wander, weights, whole
from streams.baselines.negative_binomial import Floats

DAYS: Final = 14
EVENLY: Final = 1.0  # days that came evenly, held to have been before: at night one person is no wonder
ROUNDS: Final = 3
_PHI, _PHI_HOURS = 1.5, 24.0  # dispersion before any hours, and for how many that stands


class Profile(NamedTuple):
    """Of n sectors, by hour of the clock, from midnight on."""

    rate: Floats  # [n, 24], people of that hour for each one who is expected in its day
    dispersion: Floats  # [n], φ of an hour
    error: Floats  # [n, 24], relative variance of what is expected: by the estimate, and by days that stray


def profile(counts: Floats, people: Floats) -> Profile:
    """From the hours of some days [n, days, 24] and the people that were expected in each day [n, days].

    >>> found = profile(np.full((1, 14, 24), 5.0), np.full((1, 14), 120.0))
    >>> found.rate.sum().round(3).item(), (120 * found.rate[0, 0]).round(3).item()
    (1.0, 5.0)
    """
    n, days, hours = counts.shape
    known = np.maximum(people, 1e-9)[:, :, None]
    before = EVENLY * known.mean(1)
    weight, phi = np.ones_like(counts), np.full(n, _PHI)
    for _ in range(ROUNDS):
        told = (weight * known).sum(1) + before
        rate = ((weight * counts).sum(1) + before / hours) / told
        mean = known * rate[:, None]
        flat = mean.reshape(n, -1)
        freedom = (days - 1) * (hours - 1)
        pearson = (weight * np.square(counts - mean) / np.maximum(mean, 1e-6)).sum((1, 2)) / freedom
        seen = np.maximum(whole(pearson, flat), 1.0)
        phi = (seen * freedom + _PHI * _PHI_HOURS) / (freedom + _PHI_HOURS)
        weight = np.asarray(weights(counts, mean, phi[:, None, None]), float)
    stray = wander((weight * (counts - mean)).reshape(n, -1), (weight * mean).reshape(n, -1), phi, hours)
    return Profile(rate, phi, phi[:, None] / np.maximum(told * rate, 1e-9) + stray[:, None])
