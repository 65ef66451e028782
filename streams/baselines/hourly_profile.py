"""Hourly profiles: how the people of a day are spread over its hours.

    people    ▂▂▁▁▁▂▃▄▆█▇▅▄▄▅▆▅▄▃▃▂▂▂▂     of the last two weeks, hour by hour
    ÷ those expected in the day       ──▶  rate of each hour of the clock: 24 numbers that sum to about 1

The day's baseline gives the number (season, weekday, holiday, policy date), the profile the hour. Past surges
are down-weighted as they are for days.
"""

from typing import Final, NamedTuple

import numpy as np

from streams.baselines.calibration import degrees_of_freedom
from streams.baselines.dispersion import block_variance, unweighted, weights
from streams.baselines.negative_binomial import Floats

DAYS: Final = 14
EVENLY: Final = 1.0  # prior: days spread evenly, so that one person at night is no surge
ROUNDS: Final = 3
_PHI, _PHI_HOURS = 1.5, 24.0  # prior dispersion, and the hours that it counts for


class Profile(NamedTuple):
    """Profiles of n sectors, by hour of the clock, from midnight on."""

    rate: Floats  # [n, 24], share of a day's expected people in that hour
    dispersion: Floats  # [n], φ of an hour
    freedom: Floats  # [n], degrees of freedom of that
    error: Floats  # [n, 24], relative variance of what is expected: by the estimate, and by days that stray


def profile(counts: Floats, people: Floats) -> Profile:
    """Estimate profiles from counts by hour [n, days, 24] and the people expected in each day [n, days].

    Nothing is learnt from days on which nobody is expected. Where there are no others, the hours are alike
    and the error is so large that no hour is unusual.

    >>> found = profile(np.full((1, 14, 24), 5.0), np.full((1, 14), 120.0))
    >>> found.rate.sum().round(3).item(), (120 * found.rate[0, 0]).round(3).item()
    (1.0, 5.0)
    """
    n, _, hours = counts.shape
    known = people[:, :, None]
    before = EVENLY * np.maximum(known.mean(1), 1e-9)
    freedom = np.maximum((people > 0).sum(1) - 1, 1) * (hours - 1)
    weight, phi = np.ones_like(counts), np.full(n, _PHI)
    for _ in range(ROUNDS):
        exposure = (weight * known).sum(1) + before
        rate = ((weight * counts).sum(1) + before / hours) / exposure
        mean = known * rate[:, None]
        flat = mean.reshape(n, -1)
        pearson = (weight * np.square(counts - mean) / np.maximum(mean, 1e-6)).sum((1, 2)) / freedom
        seen = np.maximum(unweighted(pearson, flat), 1.0)
        phi = (seen * freedom + _PHI * _PHI_HOURS) / (freedom + _PHI_HOURS)
        weight = np.asarray(weights(counts, mean, phi[:, None, None]), float)
    between = block_variance(
        (weight * (counts - mean)).reshape(n, -1), (weight * mean).reshape(n, -1), phi, hours
    )
    known_by = degrees_of_freedom(freedom.astype(float), flat.mean(1), phi)
    return Profile(rate, phi, known_by, phi[:, None] / np.maximum(exposure * rate, 1e-9) + between[:, None])
