"""Bursts: an hour so high that the day need not be waited for.

A day is held against its whole, so a group that comes in one hour has to fill up the day's margin first.
Where a sector is busy enough that single hours tell something, each hour that ends is looked at by itself:

    day closes     from which count on is an hour of the next day worth a look?   24 limits
    hour ends      not as high: nothing is asked (nearly always)
                   as high: the surge's question, of this hour beside those before it

What is found is an early word on the sector's open day, so it is one alert with what that day brings. That
day has to be high for its hour as well: what people read are its figures, and beside them the hour's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from streams.baselines import fitted_delays, reporting_delay
from streams.baselines.hourly_profile import DAYS, Profile, profile
from streams.baselines.negative_binomial import Floats, threshold
from streams.baselines.reporting_delay import Curve
from streams.contract.cadence import DAY, HOUR, Cadence
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import Counts
from streams.counting.series import local
from streams.detectors import surge
from streams.judging.evidence import moment, normal, verdict, why
from streams.judging.questions import FLOOR_PEOPLE, matters
from streams.judging.sheet import LONGEST, Late, Sheet

BUSY: Final = 30.0  # people a day below which the day tells more than any hour of it
SHARE: Final = 1 / 24  # of the day's alpha, for each hour
PAST: Final = surge.PAST[Cadence.HOUR]


def look_out(sheet: Sheet) -> None:
    """From which count on is an hour worth a look, now that this day is over?"""
    rows = [row for row, counts in enumerate(sheet.batch) if _is_busy(sheet, row, counts)]
    for counts in sheet.batch:
        counts.memory.pop("hours", None)
    if not rows:
        return
    batch = [sheet.batch[row] for row in rows]
    ends = [int(moment(counts.zone, DAY * (sheet.index + 1)).timestamp()) // HOUR for counts in batch]
    found = _profile(batch, ends, sheet.mean[rows])
    people = sheet.mean[rows, -7:].min(1)[:, None] * found.rate
    spread = found.dispersion[:, None] + people * found.error
    alpha = np.minimum(sheet.alpha[rows] * SHARE * surge.HEAVIEST, 0.5)[:, None]
    limits = np.maximum(threshold(alpha, people, spread), FLOOR_PEOPLE).astype(np.int32)
    for counts, end, limit in zip(batch, ends, limits, strict=True):
        counts.memory["hours"] = (end, limit.tobytes())


def is_high(counts: Counts, hour: int) -> bool:
    """Is an hour that is over worth a look? (Asked of every sector and hour.)"""
    held = counts.memory.get("hours")
    if held is None:
        return False
    end, limits = held
    limit = memoryview(limits).cast("i")[(hour - end) % 24]
    return counts.reaches(hour, limit)


def bursts(sheet: Sheet, hour: int) -> list[Verdict]:
    """Was that hour too high? `sheet` is of the day that it belongs to, which is the first to fill still."""
    seen = _hours(sheet, hour)
    alpha = sheet.alpha * SHARE
    found = surge.judge(seen.observed, seen.mean, seen.dispersion, seen.error, PAST)
    last, normally = seen.observed[:, -1], seen.mean[:, -1]
    large = matters(last, normally) & matters(found.observed, found.expected)
    breach = (found.p_value <= alpha) & large
    if not breach.any():
        return []
    day = _so_far(sheet, seen.today)
    people, mean = day.observed[:, -1], day.mean[:, -1]
    lower, upper = normal(day.alpha, mean, day.last + mean * day.error)
    return [
        verdict(
            day,
            row,
            Question.SURGE,
            True,
            observed=people[row],
            expected=mean[row],
            lower=lower[row],
            upper=upper[row],
            p_value=found.p_value[row],
            alpha=alpha[row],
            period_lower=lower[row],
            period_upper=upper[row],
            remark=_remark(day.batch[row], hour, last[row], normally[row]),
            **why(day, row),
        )
        for row in np.flatnonzero(breach & (people > upper)).tolist()
    ]


class _Hours(NamedTuple):
    """The last LONGEST hours of n sectors, and what is normal in them."""

    observed: Floats  # [n, LONGEST]
    mean: Floats  # [n, LONGEST]
    dispersion: Floats  # [n, LONGEST]
    error: Floats  # [n], of the last one
    today: Floats  # [n], people expected in those of the open day


def _hours(sheet: Sheet, hour: int) -> _Hours:
    ends = [int(counts.memory["hours"][0]) for counts in sheet.batch]
    found = _profile(sheet.batch, ends, sheet.mean[:, :-1])
    hours = np.arange(hour - LONGEST + 1, hour + 1)
    clock = (hours[None, :] - np.array(ends)[:, None]) % 24
    ago = np.array([[sheet.index - _day(counts, int(at)) for at in hours] for counts in sheet.batch])
    mean = np.take_along_axis(sheet.mean, LONGEST - 1 - ago, 1) * np.take_along_axis(found.rate, clock, 1)
    series = [counts.series[Cadence.HOUR].window(hour, LONGEST) for counts in sheet.batch]
    return _Hours(
        np.stack(series).astype(float),
        mean,
        np.broadcast_to(found.dispersion[:, None], mean.shape),
        np.take_along_axis(found.error, clock[:, -1:], 1)[:, 0],
        np.where(ago == 0, mean, 0.0).sum(1),
    )


def _is_busy(sheet: Sheet, row: int, counts: Counts) -> bool:
    known = Cadence.HOUR in counts.series and not fitted_delays.waits(counts, Cadence.DAY)
    grown = sheet.index - counts.series[sheet.cadence].first >= DAYS
    return known and grown and bool(sheet.mean[row, -7:].min() >= BUSY)


def _profile(batch: Sequence[Counts], ends: Sequence[int], people: Floats) -> Profile:
    """By the hours of the last days up to `ends`, of which `people` [n, DAYS or more] were expected."""
    hours = [
        counts.series[Cadence.HOUR].window(end - 1, DAYS * 24).reshape(DAYS, 24)
        for counts, end in zip(batch, ends, strict=True)
    ]
    return profile(np.stack(hours).astype(float), people[:, -DAYS:])


def _day(counts: Counts, hour: int) -> int:
    return Cadence.DAY.index(local(counts.zone, hour))


def _so_far(sheet: Sheet, people: Floats) -> Sheet:
    """The open day with the people that are expected of it by now [n]."""
    share = np.ones_like(sheet.mean)
    share[:, -1] = np.clip(people / np.maximum(sheet.mean[:, -1], 1e-9), 1e-3, 1.0)
    known = Curve(share, np.zeros_like(share))
    mean, spread = reporting_delay.thinned(sheet.mean, sheet.dispersion[:, None], known)
    return replace(sheet, mean=mean, late=Late(share, known.doubt, spread, sheet.mean), early=True)


def _remark(counts: Counts, hour: int, observed: float, expected: float) -> str:
    """What the figures of the day cannot say."""
    ended = moment(counts.zone, local(counts.zone, hour + 1))
    return f"{observed:.0f} in the hour to {ended:%H:%M}, where {expected:.1f} are expected"
