"""Silence by the hour: nobody for longer than chance allows. Asked each hour, so it is cheap until it is due.

day closes     how many hours without events would the busiest hours allow?    max_gap_hours
hour ends      fewer: nothing is asked (nearly always)
               more: the question of silence, of the last 24 hours
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.baselines import fitted_delays
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import HOUR, Cadence
from streams.contract.questions import Look, Question
from streams.counting.sector_counts import Counts
from streams.detectors import SectorView

LEAST: Final = 8.0  # people a day below which single hours are too few to judge
DAYS: Final = 14  # that the profile of a day is averaged over
LATELY: Final = 3  # days that set its level


def is_due(counts: Counts, hour: int) -> bool:
    """Return whether silence is worth asking about at the start of this hour. (Asked very often.)"""
    state = counts.state.hourly
    if state.max_gap_hours is None:
        return False
    gap = hour - 1 - counts.event_time // HOUR
    return gap >= state.max_gap_hours or Question.SILENCE in state.breaches


def set_gaps(view: SectorView, alpha: Floats) -> None:
    """Keep for how many hours each sector may be without events before anybody asks.

    `view` is of a closed day, `alpha` [n] that of silence by the hour.
    """
    dispersion = np.maximum(view.dispersion, 1.0001)
    people = -np.log(alpha) * (dispersion - 1) / np.log(dispersion)  # where nobody has chance alpha
    for counts, expected in zip(view.sectors, people, strict=True):
        busiest = _profile(counts, (view.index + 1) * 24).max(initial=0.0)
        known = busiest > 0 and not fitted_delays.waits(counts, Cadence.DAY)
        counts.state.hourly.max_gap_hours = max(int(expected / busiest), 1) if known else None


def view_of(sectors: Sequence[Counts], hour: int) -> SectorView | None:
    """The last 24 hours of the sectors that can be judged by the hour; the others' breaches are dropped."""
    profiles = {counts.sector: _profile(counts, hour) for counts in sectors}
    known = [counts for counts in sectors if len(profiles[counts.sector])]
    for counts in sectors:
        if not len(profiles[counts.sector]):
            counts.state.hourly.breaches.pop(Question.SILENCE, None)
    if not known:
        return None
    models = [counts.state.daily.model for counts in known]
    return SectorView(
        look=Look.CLOSED,
        cadence=Cadence.HOUR,
        index=hour,
        as_of=Cadence.HOUR.start(hour + 1),
        sectors=known,
        observed=np.stack([counts.series[Cadence.HOUR].window(hour, 24) for counts in known]).astype(float),
        mean=np.stack([profiles[counts.sector] for counts in known]),
        dispersion=np.array([max(model.dispersion if model else 1.0, 1.0) for model in models]),
        error=np.zeros(len(known)),
    )


def _profile(counts: Counts, hour: int) -> Floats:
    """People expected in each of the 24 hours before `hour`; empty where those are too few to judge."""
    if Cadence.HOUR not in counts.series:  # tallies of whole days have no hours
        return np.zeros(0)
    days = counts.series[Cadence.HOUR].window(hour - 24, 24 * DAYS).reshape(DAYS, 24)
    # The shape of two weeks at the level of the last days: after a drop, silence is no second alert.
    level = min(1.0, days[-LATELY:].sum() / LATELY / max(days.sum() / DAYS, 1e-9))
    profile: Floats = days.mean(0) * level + 1e-3
    return profile if profile.sum() >= LEAST else np.zeros(0)
