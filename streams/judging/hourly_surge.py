"""Hourly surge: an hour so high that the end of the day need not be waited for.

A day's count is held against the whole day, so a group that comes in one hour has to use up the day's margin
first. Where a sector is busy enough, each hour that ends is judged by itself:

    day closes     from which count on is an hour of the next day worth a look?   24 limits
    hour ends      lower: nothing is asked (nearly always)
                   as high: the question of surge, of this hour beside those before it

What is found is a verdict on the sector's open day, so it is one alert with what that day brings. The day has
to be high for its hour as well: people read its figures, and the hour's beside them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from streams.baselines import fitted_delays, reporting_delay
from streams.baselines.calibration import Calibration
from streams.baselines.hourly_profile import DAYS, Profile, profile
from streams.baselines.negative_binomial import Floats, threshold
from streams.baselines.reporting_delay import ReportedShare
from streams.contract.cadence import DAY, HOUR, Cadence
from streams.counting.sector_counts import Counts
from streams.counting.series import hour_after, instant, local
from streams.detectors import (
    LONGEST,
    MIN_EXCESS,
    Alone,
    Details,
    Finding,
    Reported,
    SectorView,
    is_large,
    surge,
)
from streams.judging.frames import normal
from streams.judging.local_clock import local_clock
from streams.judging.views import without_partial

BUSY: Final = 30.0  # people a day below which the day shows more than any hour of it
SHARE: Final = 1 / 72  # of the day's alpha, for each hour: a third of it for all
WEEK: Final = 7
ALIKE: Final = 3  # weeks after which an hour's people are usual on its weekday
PAST: Final = surge.PAST[Cadence.HOUR]


def set_limits(view: SectorView, alpha: Floats) -> None:
    """Keep from which count on an hour is worth a look, now that the day of `view` is over.

    `alpha` [n] is that of surges in a day.
    """
    rows = [row for row, counts in enumerate(view.sectors) if _is_busy(view, row, counts)]
    for counts in view.sectors:
        counts.state.hourly.surge_limits = None
    if not rows:
        return
    sectors = [view.sectors[row] for row in rows]
    found = _profile(sectors, view.index, without_partial(view).mean[rows])
    people = view.mean[rows, -7:].min(1)[:, None] * found.rate
    # People who come in groups are as dispersed by the hour as by the day: in two weeks of hours a rare bus
    # is held to be an outlier, in a year of days it is not.
    dispersion = np.maximum(found.dispersion, view.dispersion[rows])[:, None]
    spread = dispersion + people * found.error
    level = np.minimum(alpha[rows] * SHARE * surge.HEAVIEST, 0.5)
    level = _calibration(view.calibration.select(rows), found).nominal(level)[:, None]
    limits = np.maximum(threshold(level, people, spread), MIN_EXCESS).astype(np.int32)
    for counts, limit in zip(sectors, limits, strict=True):
        counts.state.hourly.surge_limits = limit.tobytes()


def is_high(counts: Counts, hour: int) -> bool:
    """Return whether an hour that is over is worth a look. (Asked of every sector and hour.)"""
    held = counts.state.hourly.surge_limits
    if held is None:
        return False
    limit = memoryview(held).cast("i")[local(counts.zone, hour) % DAY // HOUR]
    return counts.reaches(hour, limit)


def judge(view: SectorView, hour: int, alpha: Floats) -> tuple[SectorView, Finding] | None:
    """Judge an hour by itself; `view` is of the day that it belongs to, the first that is still filling.

    Returns the day as it should be by now, and the finding on it; None where no hour is high. `alpha` [n] is
    that of surges in a day.
    """
    seen, level = _hours(view, hour), alpha * SHARE
    found = surge.judge(
        seen.observed, seen.mean, seen.dispersion, seen.error, past=PAST, calibration=seen.calibration
    )
    last, expected = seen.observed[:, -1], seen.mean[:, -1]
    breach = found.p_value <= level
    breach &= is_large(last, expected) & is_large(found.observed, found.expected)
    if not breach.any():
        return None
    day = _so_far(view, seen.today)
    people, mean = day.observed[:, -1], day.mean[:, -1]
    dispersion = day.last + mean * day.error
    _, upper = normal(alpha, mean, dispersion, view.calibration.shown())

    def details(row: int) -> Details:
        remark = _remark(day.sectors[row], hour, last[row], expected[row])
        return Details(**surge.origin(day, row), remark=remark)

    return day, Finding(
        breach=breach & (people > upper),
        p_value=found.p_value,
        alpha=level,
        observed=people,
        expected=mean,
        dispersion=dispersion,
        window=np.ones(len(people), np.int64),
        alone=Alone(mean, dispersion),
        interval_alpha=alpha,
        details=details,
    )


class _Hours(NamedTuple):
    """The last LONGEST hours of n sectors, and what is normal in them."""

    observed: Floats  # [n, LONGEST]
    mean: Floats  # [n, LONGEST]
    dispersion: Floats  # [n, LONGEST]
    error: Floats  # [n], of the last one
    calibration: Calibration
    today: Floats  # [n], people expected in those of the open day


def _hours(view: SectorView, hour: int) -> _Hours:
    found = _profile(view.sectors, view.index - 1, without_partial(view).mean[:, :-1])
    clocks = [local_clock(counts.zone, hour + 1, LONGEST) for counts in view.sectors]
    clock = np.stack([each.hour for each in clocks])
    ago = view.index - np.stack([each.day for each in clocks])
    rates = _by_weekday(view, found.rate)
    rate = np.stack([one[each.weekday, each.hour] for one, each in zip(rates, clocks, strict=True)])
    mean = np.take_along_axis(view.mean, LONGEST - 1 - ago, 1) * rate
    series = [counts.series[Cadence.HOUR].window(hour, LONGEST) for counts in view.sectors]
    return _Hours(
        np.stack(series).astype(float),
        mean,
        np.broadcast_to(np.maximum(found.dispersion, view.dispersion)[:, None], mean.shape),
        np.take_along_axis(found.error, clock[:, -1:], 1)[:, 0],
        _calibration(view.calibration, found),
        np.where(ago == 0, mean, 0.0).sum(1),
    )


def _calibration(days: Calibration, found: Profile) -> Calibration:
    """What p-values of hours allow for: two weeks of them show a dispersion as well as many days do."""
    return days.shown()._replace(freedom=np.maximum(days.freedom, found.freedom))


def _is_busy(view: SectorView, row: int, counts: Counts) -> bool:
    known = Cadence.HOUR in counts.series and not fitted_delays.waits(counts, Cadence.DAY)
    grown = view.index - counts.series[view.cadence].first >= DAYS
    return known and grown and bool(view.mean[row, -7:].min() >= BUSY)


def _profile(batch: Sequence[Counts], last: int, people: Floats) -> Profile:
    """By the local hours of the days up to `last`, of which `people` [n, DAYS or more] were expected.

    Days of which nothing is expected are not learnt from.
    """
    table, expected = np.stack([_hours_of(counts, last, DAYS) for counts in batch]), people[:, -DAYS:]
    return profile(table * (expected > 0)[:, :, None], expected)


def _by_weekday(view: SectorView, rate: Floats) -> Floats:
    """Rates [n, 7, 24] by weekday and hour: at least what the hour has had in each of the last ALIKE weeks.

    So a weekday with shorter opening hours is no surge every week.
    """
    last, length = view.index - 1, ALIKE * WEEK
    expected = without_partial(view).mean[:, -1 - length : -1, None]
    table = np.stack([_hours_of(counts, last, length) for counts in view.sectors])
    share = np.where(expected > 0, table / np.maximum(expected, 1e-9), 0.0)
    always = share.reshape(len(share), ALIKE, WEEK, 24).min(1)
    weekdays = (np.arange(last - WEEK + 1, last + 1) + 3) % WEEK  # day 0 was a Thursday
    rates: Floats = np.maximum(rate[:, None], always[:, np.argsort(weekdays)])
    return rates


def _hours_of(counts: Counts, last: int, days: int) -> Floats:
    """People by local day and hour [days, 24], of the days up to `last`."""
    table, end = np.zeros((days, 24)), hour_after(counts.zone, Cadence.DAY, last)
    clock = local_clock(counts.zone, end, days * 24)
    day = clock.day - (last - days + 1)
    within = day >= 0  # not so where an hour was skipped
    people = counts.series[Cadence.HOUR].window(end - 1, days * 24)
    np.add.at(table, (day[within], clock.hour[within]), people[within])
    return table


def _so_far(view: SectorView, people: Floats) -> SectorView:
    """The open day with the people that are expected of it by now [n]."""
    share = np.ones_like(view.mean)
    share[:, -1] = np.clip(people / np.maximum(view.mean[:, -1], 1e-9), 1e-3, 1.0)
    known = ReportedShare(share, np.zeros_like(share))
    mean, spread = reporting_delay.thinned(view.mean, view.dispersion[:, None], known)
    return replace(view, mean=mean, reported=Reported(share, known.doubt, spread, view.mean))


def _remark(counts: Counts, hour: int, observed: float, expected: float) -> str:
    """The clause about the hour."""
    ended = instant(counts.zone, local(counts.zone, hour + 1))
    return f"{observed:.0f} in the hour to {ended:%H:%M}, where {expected:.1f} are expected"
