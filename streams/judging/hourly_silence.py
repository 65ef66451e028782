"""Silence by the hour: no data for longer than chance allows. Asked each hour, so it is cheap until due.

day closes     when do people come, by weekday and hour of the local clock?   rates
               how many hours without events would the busiest hours allow?   max_gap_hours
hour ends      fewer: nothing is asked (nearly always)
               more: the question of silence, of the last 24 hours

What is expected of an hour is what the day's baseline expects of its day, times the rate of that hour: where
a place is closed, by hour or by weekday, nobody is expected, and a change of the clocks changes nothing.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.baselines import fitted_delays
from streams.baselines.negative_binomial import Floats
from streams.contract.cadence import HOUR, Cadence
from streams.contract.questions import Look, Question
from streams.counting.sector_counts import Counts
from streams.counting.series import hour_after
from streams.detectors import LONGEST, Bools, SectorView
from streams.judging.local_clock import local_clock
from streams.judging.views import without_partial

LEAST: Final = 8.0  # people a day below which single hours are too few to judge
LATELY: Final = 3  # days that set the level, where two weeks set a higher one
OLDER: Final = 0.5  # weight of a week beside the one after it
CLOSED: Final = 0.01  # chance that nobody comes in an hour of the last days, below which it is closed
LIKE_OTHERS: Final = 8.0  # people that each weekday is held to have seen at the hours of all days
MOST: Final = float(np.finfo(np.float16).max)  # of a rate, as it is kept
WEEK: Final = 7
WINDOW: Final = 24


def is_due(counts: Counts, hour: int) -> bool:
    """Return whether silence is worth asking about at the start of this hour. (Asked very often.)"""
    state = counts.state.hourly
    if state.max_gap_hours is None:
        return False
    gap = hour - 1 - counts.data_until // HOUR
    return gap >= state.max_gap_hours or Question.SILENCE in state.breaches


def set_rates(view: SectorView, alpha: Floats) -> None:
    """Keep when people come, and for how many hours each sector may be without events before anybody asks.

    `view` is of a closed day, `alpha` [n] that of silence by the hour.
    """
    view = without_partial(view)
    people = _expected_where_nobody_has(alpha, view.dispersion)
    for row, counts in enumerate(view.sectors):
        state, rates = counts.state.hourly, _rates(view, row)
        state.max_gap_hours = None
        if rates is not None:
            state.rates = rates.astype(np.float16).tobytes()
            busiest = rates.max() * view.mean[row, -WEEK:].max()
            state.max_gap_hours = max(int(people[row] / max(busiest, 1e-9)), 1)


def share_until(counts: Counts, moment: int) -> float:
    """Return the share of a day's people expected by the end of the hour of `moment` (epoch seconds)."""
    if not counts.state.hourly.rates:
        return 1.0
    clock = local_clock(counts.zone, moment // HOUR + 1, 1)
    rates = _table(counts)[clock.weekday[0]]
    return float(rates[: clock.hour[0] + 1].sum() / max(rates.sum(), 1e-9))


def view_of(today: SectorView, before: SectorView, hour: int) -> SectorView:
    """The last 24 hours of sectors that are judged by the hour.

    `today` is of the local day that holds `hour`, `before` of the day before it, of the same sectors.
    """
    clocks = [local_clock(counts.zone, hour + 1, WINDOW) for counts in today.sectors]
    is_today = np.array([clock.day == today.index for clock in clocks])
    rates = np.array(
        [
            _table(counts)[clock.weekday, clock.hour]
            for counts, clock in zip(today.sectors, clocks, strict=True)
        ],
        float,
    )
    mean = np.where(is_today, today.mean[:, -1:], before.mean[:, -1:]) * rates
    observed = [counts.series[Cadence.HOUR].window(hour, WINDOW) for counts in today.sectors]
    return SectorView(
        look=Look.CLOSED,
        cadence=Cadence.HOUR,
        index=hour,
        as_of=Cadence.HOUR.start(hour + 1),
        sectors=today.sectors,
        observed=np.stack(observed).astype(float),
        mean=mean,
        dispersion=np.maximum(today.dispersion, 1.0),
        error=_error(today, before, mean, is_today),
    )


def _table(counts: Counts) -> Floats:
    return np.frombuffer(counts.state.hourly.rates, np.float16).reshape(WEEK, 24).astype(float)


def _error(today: SectorView, before: SectorView, mean: Floats, is_today: Bools) -> Floats:
    """Relative variance of what is expected of the hours [n], by that of the days' estimates.

    How the level wanders is not in it: the rates hold the level of the last days.
    """
    models = [counts.state.daily.model for counts in today.sectors]
    block_variance = np.array([model.block_variance if model else 0.0 for model in models])
    errors = [np.sqrt(np.maximum(view.error - block_variance, 0.0))[:, None] for view in (today, before)]
    people = np.maximum(mean.sum(1), 1e-9)
    variance: Floats = np.square((mean * np.where(is_today, *errors)).sum(1) / people)
    return variance


def _rates(view: SectorView, row: int) -> Floats | None:
    """People by local weekday and hour [7, 24] for each one of the day; None where they are too few."""
    counts = view.sectors[row]
    if Cadence.HOUR not in counts.series or fitted_delays.waits(counts, Cadence.DAY):
        return None  # tallies of whole days have no hours
    expected, end = view.mean[row], hour_after(counts.zone, Cadence.DAY, view.index)
    level = _level(view.observed[row], expected, has_dropped=Question.DROP in counts.state.daily.breaches)
    if level * expected[-2 * WEEK :].mean() < LEAST:
        return None
    clock = local_clock(counts.zone, end, LONGEST * 24)
    ago = view.index - clock.day
    at = np.maximum(LONGEST - 1 - ago, 0)
    known = (ago < LONGEST) & (expected[at] > 0)
    people = counts.series[Cadence.HOUR].window(end - 1, LONGEST * 24) * known
    table = np.zeros((WEEK, 24))
    np.add.at(table, (clock.weekday, clock.hour), people * OLDER ** (ago // WEEK))
    if not table.any():
        return None
    of_all = table.sum(0) / table.sum()
    rates: Floats = level * (table + LIKE_OTHERS * of_all) / (table.sum(1, keepdims=True) + LIKE_OTHERS)
    cell, shape = at * 24 + clock.hour, (LONGEST, 24)
    due = np.bincount(cell, known * expected[at] * rates[clock.weekday, clock.hour], LONGEST * 24)
    came = np.bincount(cell, people, LONGEST * 24)
    days = np.flatnonzero((expected > 0) & (view.observed[row] > 0))
    closed = _closed_hours(due.reshape(shape)[days], came.reshape(shape)[days], view.dispersion[row])
    rates[:, closed] = 0.0
    return np.minimum(rates, MOST)


def _closed_hours(due: NDArray[Any], came: NDArray[Any], dispersion: float) -> Bools:
    """Return the hours [24] in which nobody came on any of the last days, against all chance.

    `due` and `came` [days, 24] are people expected and seen. So other opening hours are learnt in days.
    """
    least = _expected_where_nobody_has(CLOSED, np.array(dispersion))
    closed = np.zeros(24, bool)
    for days in (LATELY, WEEK, 2 * WEEK):
        closed |= (came[-days:].sum(0) == 0) & (due[-days:].sum(0) >= least)
    return closed


def _expected_where_nobody_has(chance: Floats | float, dispersion: Floats) -> Floats:
    """Return how many people are expected where the chance that nobody comes is this."""
    spread = np.maximum(dispersion, 1.0001)
    return np.asarray(-np.log(chance) * (spread - 1) / np.log(spread))


def _level(observed: Floats, expected: Floats, *, has_dropped: bool) -> float:
    """Return how the last days compare with what was expected of them.

    The lower of two weeks and of the last days with data: after a drop, silence is no second alert.
    """
    known = np.flatnonzero(expected > 0)
    spans = [known[-days:] for days in (2 * WEEK, LATELY, *((1,) if has_dropped else ()))]
    return float(min(observed[span].sum() / max(expected[span].sum(), 1e-9) for span in spans))
