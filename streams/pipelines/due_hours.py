"""The hours at which something of a sector may be due to be judged.

A sector's watermark moves from one due hour to the next, and what is judged there depends on the counts and
on the hour alone. Between two of them nothing can be due, so a long silence costs as many steps as there are
periods to judge, and not as many as it has hours.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from streams.contract.cadence import DAY, HOUR, Cadence
from streams.contract.questions import Question
from streams.counting.sector_counts import Counts
from streams.counting.series import Series, hour_after, local, period_at
from streams.judging import source_outages
from streams.judging.absence import is_without_data

QUARTER: Final = 6 * HOUR  # of a day: open days are looked at when another one is over
NEVER: Final = 1 << 40  # an hour beyond all time
# Empty periods in a row after which further ones are not judged: every window that detectors look at is empty
# by then, and nothing new can be found until the sector reports again.
EMPTY: Final = {Cadence.DAY: 84, Cadence.WEEK: 52, Cadence.MONTH: 36}


@dataclass(frozen=True)
class Due:
    """A period that is due to be judged, and the event time at which it is (epoch seconds)."""

    cadence: Cadence
    index: int
    watermark: int


def following(counts: Counts, series: Series) -> int:
    """Return the first period of a series that is not closed."""
    return counts.closed.get(series.cadence, series.first - 1) + 1


def is_skipped(counts: Counts, series: Series, index: int) -> bool:
    """Return whether a period is passed over, because so many before it were empty.

    It never is where there is no data: that is published until data return.
    """
    return not is_without_data(counts) and index - (series.end - 1) > EMPTY[series.cadence]


def next_due_hour(counts: Counts, late_hours: int) -> int:
    """Return the next hour (since 1970) at which something may be due; NEVER where nothing is to come.

    The counts are settled. `late_hours` is how long periods are held open beyond their end.
    """
    after = counts.watermark + 1
    if counts.revised:
        return after
    newest = counts.event_time // HOUR
    hours = [NEVER]
    if Cadence.HOUR in counts.series:
        if newest + late_hours >= counts.watermark:
            return after  # hours with people in them are looked at one by one
        hourly = counts.state.hourly
        if hourly.max_gap_hours is not None and not is_without_data(counts):
            stands = Question.SILENCE in hourly.breaches
            silent = counts.data_until // HOUR + 1
            hours.append(after if stands else silent + hourly.max_gap_hours + late_hours)
    for cadence, series in counts.series.items():
        if cadence is not Cadence.HOUR:
            index = following(counts, series)
            if not is_skipped(counts, series, index):
                hours.append(hour_after(counts.zone, cadence, index) + late_hours)
    if counts.series and (hour := source_outages.next_hour(counts)) is not None:
        hours.append(hour)
    if _is_open_day(counts):
        hours.append(next_quarter(counts.zone, counts.watermark))
    return max(min(hours), after)


@lru_cache(maxsize=1 << 14)
def next_quarter(zone: str, hour: int) -> int:
    """Return the first hour after `hour` at which another quarter of a day has begun."""
    quarter = local(zone, hour) // QUARTER
    later = hour + 1
    while local(zone, later) // QUARTER <= quarter:
        later += 1
    return later


@lru_cache(maxsize=1 << 14)
def begins_quarter(zone: str, hour: int) -> bool:
    """Return whether the second, third or last quarter of a day begins at this hour."""
    now = local(zone, hour)
    return now // QUARTER > local(zone, hour - 1) // QUARTER and now % DAY >= QUARTER


def days_at_quarters(batch: Iterable[Counts], hour: int) -> Mapping[int, list[Counts]]:
    """Return by open day the sectors where another quarter of it is over at an hour."""
    found: defaultdict[int, list[Counts]] = defaultdict(list)
    for counts in batch:
        if begins_quarter(counts.zone, hour):
            day = period_at(counts.zone, Cadence.DAY, hour)
            if Cadence.DAY in counts.series and counts.closed.get(Cadence.DAY) == day - 1:
                found[day].append(counts)
    return found


def _is_open_day(counts: Counts) -> bool:
    """Return whether the day at the watermark has people."""
    days = counts.series.get(Cadence.DAY)
    return days is not None and days.end - 1 >= period_at(counts.zone, Cadence.DAY, counts.watermark)
