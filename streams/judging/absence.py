"""Absence is not zero: sectors without data.

                 last event         found silent                 event
    events  ▂▃▂▃▂▃█                   │                            ▃▂▃▂▃
    status  with data                 │ without data               │ with data
    asked   every question            │ none: what stood, stands   │ every question
    learnt  all                       │ nothing                    │ all but the periods in between

Silence that chance does not explain makes a sector one without data, from its last event on. Only an event, a
nil report, a heartbeat, a person who confirms that nobody comes, or a closure in the calendar ends that. What
follows from heartbeats that stop is in `source_outages`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from streams.baselines import fitted_delays
from streams.contract.cadence import HOUR, Cadence
from streams.contract.questions import Look, Question
from streams.contract.verdicts import DataStatus
from streams.counting.dedup import NEVER
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import hour_after, period_at
from streams.detectors import LONGEST, Bools, Integers, SectorView
from streams.judging import hourly_silence, missing_tallies
from streams.judging.operating_limits import OperatingLimits

WEEK: Final = 7  # days
LOW: Final = 0.5  # of what is expected
MOSTLY: Final = 0.75  # of a day's people: expected while there are data, they are enough to call it calm
FILLING: Final = (Look.OPEN, Look.EARLY, Look.HOUR)  # they publish what is too high, and nothing calm


def is_without_data(counts: Counts) -> bool:
    """Return whether a sector is without data: silent or without a source, and nothing has ended that."""
    since = counts.state.no_data_since
    return since is not None and (bool(counts.state.stopped) or counts.data_until <= since)


def is_asked(look: Look, counts: Counts, cadence: Cadence, index: int) -> bool:
    """Return whether a look has a point: with a source away, a count may still be too high."""
    return is_judged(counts, cadence, index) or (look in FILLING and bool(counts.state.stopped))


def is_judged(counts: Counts, cadence: Cadence, index: int) -> bool:
    """Return whether a period can be judged: the sector has data, or had until some hour of that day."""
    if not is_without_data(counts):
        return not missing_tallies.is_missing(counts, cadence, index)
    is_day = cadence is Cadence.DAY and Cadence.HOUR in counts.series
    return is_day and not counts.state.stopped and period_of(counts, cadence, counts.data_until) == index


def is_in_part(counts: Counts, cadence: Cadence, index: int) -> bool:
    """Return whether a day has data, but for so little of it that it cannot be called calm."""
    is_judged_day = cadence is Cadence.DAY and is_judged(counts, cadence, index)
    return is_judged_day and _share_with_data(counts, index) < MOSTLY


def _share_with_data(counts: Counts, index: int) -> float:
    """Return the share of a day's people who are expected outside the newest outage."""
    outage, since = counts.state.outage, counts.state.no_data_since
    if since is not None:
        outage = since, hour_after(counts.zone, Cadence.DAY, index) * HOUR - 1
    if outage is None:
        return 1.0
    first, last = (period_of(counts, Cadence.DAY, moment) for moment in outage)
    if not first <= index <= last:
        return 1.0
    before = hourly_silence.share_until(counts, outage[0]) if first == index else 0.0
    within = hourly_silence.share_until(counts, outage[1]) if last == index else 1.0
    return 1.0 - max(within - before, 0.0)


def status_of(counts: Counts, limits: OperatingLimits) -> DataStatus:
    """Return whether a sector has data at its watermark."""
    if is_without_data(counts):
        return DataStatus.WITHOUT_DATA
    return DataStatus.CLOSED if limits.is_closed(counts, counts.watermark) else DataStatus.WITH_DATA


def data_until(view: SectorView, limits: OperatingLimits) -> Integers:
    """Return the newest period of each sector with data [n]; zeros that a person confirmed are data."""
    cadence, index = view.cadence, view.index
    return np.array(
        [
            index
            if limits.is_zero(counts, _end(counts, cadence, index) * HOUR)
            else period_of(counts, cadence, counts.data_until)
            for counts in view.sectors
        ]
    )


def with_data(view: SectorView) -> SectorView:
    """Return the view of those sectors whose period can be judged."""
    rows = [row for row, counts in enumerate(view.sectors) if is_judged(counts, view.cadence, view.index)]
    return view if len(rows) == len(view.sectors) else view.select(rows)


def returned(view: SectorView) -> SectorView:
    """Return the view of those sectors whose tallies were overdue, and have come for this period."""
    cadence, index = view.cadence, view.index
    rows = [
        row
        for row, counts in enumerate(view.sectors)
        if Question.SILENCE in counts.state.of(cadence).breaches
        and index < counts.series[cadence].end
        and not missing_tallies.is_missing(counts, cadence, index)
    ]
    return view.select(rows)


def until_last_event(view: SectorView) -> SectorView:
    """The same, with what is expected of the judged day up to the last event, where data ended in it."""
    rows = [row for row, counts in enumerate(view.sectors) if is_without_data(counts)]
    if not rows:
        return view
    mean = view.mean.copy()
    for row in rows:
        mean[row, -1] *= hourly_silence.share_until(view.sectors[row], view.sectors[row].data_until)
    return replace(view, mean=mean)


def from_return(view: SectorView) -> SectorView:
    """The same, with what is expected of the judged day outside an outage that an event has ended in it."""
    cadence, index = view.cadence, view.index
    outages = [counts.state.outage for counts in view.sectors]
    if cadence is not Cadence.DAY or all(outage is None for outage in outages):
        return view
    mean = view.mean.copy()
    for row, (counts, outage) in enumerate(zip(view.sectors, outages, strict=True)):
        if outage is None or period_of(counts, cadence, outage[1]) != index:
            continue
        outside = mean[row, -1] * _share_with_data(counts, index)
        if view.observed[row, -1] >= LOW * outside:  # else fewer come, and that may be why it was silent
            mean[row, -1] = outside
    return replace(view, mean=mean)


def lose(sectors: Sequence[Counts], breach: Bools) -> None:
    """Record of those sectors in which silence is in breach that they are without data."""
    for row in np.flatnonzero(breach).tolist():
        counts = sectors[row]
        if counts.data_until > NEVER and counts.state.no_data_since is None:
            counts.state.no_data_since = counts.data_until


def update(counts: Counts, limits: OperatingLimits, cadence: Cadence | None = None, index: int = 0) -> None:
    """End a sector's lack of data where an event has come, a person has confirmed zero, or it is closed.

    A closed period is given by `cadence` and `index`.
    """
    since = counts.state.no_data_since
    if since is None:
        return
    if counts.data_until > since and not counts.state.stopped:
        _leave_out(counts, since, counts.data_until, has_returned=True)
        if Cadence.HOUR in counts.series and not _ends_day(counts, counts.data_until):  # a tally covers all
            counts.state.outage = since, min(counts.data_until, counts.event_time)
    elif cadence is None:
        return
    else:
        end = _end(counts, cadence, index)
        if limits.is_closed(counts, end - 1):
            _leave_out(counts, since, (end - 1) * HOUR, has_returned=False)
        elif not limits.is_zero(counts, end * HOUR):
            return
    counts.state.no_data_since = None
    counts.state.changed = True


def reopen(view: SectorView) -> Mapping[int, list[Counts]]:
    """Judge a single day without events after all, where the day after it is low as well.

    Where the next day is as usual, a holiday or a dead feed explains the empty day. Where it is low, people
    have stopped coming, and that day was the first. Returns the sectors of each such day.
    """
    reopened: defaultdict[int, list[Counts]] = defaultdict(list)
    for row, counts in enumerate(view.sectors):
        state = counts.state.of(view.cadence)
        held, reached = state.held_day, view.index - fitted_delays.waits(counts, view.cadence)
        if held is None or reached <= held:
            continue
        state.held_day = None
        settled = view.index - 1 if state.settled is None else state.settled
        if held == settled and is_low(view, row, held + 1):
            state.gaps.remove(held)
            state.settled = held - 1
            reopened[held].append(counts)
    return reopened


def is_low(view: SectorView, row: int, index: int) -> bool:
    """Return whether a period of a view's window has data, and less than LOW of what is expected."""
    at = index - view.index - 1
    if at < -LONGEST:
        return False
    people, is_nil = view.observed[row, at], (view.cadence, index) in view.sectors[row].nil
    return bool((people > 0 or is_nil) and people < LOW * view.mean[row, at])


def leave_out(counts: Counts, cadence: Cadence, silent: Sequence[int]) -> list[int]:
    """Leave periods without data out of what is learnt and judged; return those that are left out.

    A day that was empty a week ago as well is of a weekday on which the place is closed, and is learnt.
    """
    series, state = counts.series[cadence], counts.state.of(cadence)
    usual = set[int]()
    if cadence is Cadence.DAY and len(silent) < WEEK:
        usual = {day for day in silent if day - WEEK >= series.first and not series.get(day - WEEK)}
    left_out = [period for period in silent if period not in usual]
    state.gaps = sorted({*(day for day in state.gaps if day + WEEK not in usual), *left_out})
    return left_out


def _leave_out(counts: Counts, since: int, until: int, *, has_returned: bool) -> None:
    """Leave the periods from the last event to `until` (epoch seconds) out of what is learnt and judged."""
    counts.settle()
    for cadence in counts.series:
        state = counts.state.of(cadence)
        first, last = (period_of(counts, cadence, moment) for moment in (since, until))
        if stands := state.breaches.get(Question.SILENCE):
            stands.last = max(stands.last, last - 1)
        if cadence is Cadence.HOUR:
            continue
        is_day = cadence is Cadence.DAY
        # Later days are looked at once enough is reported of them (`late_gaps`).
        waits = has_returned and cadence not in missing_tallies.TALLIED
        silent = range(first + 1, min(last, _first_to_settle(counts, cadence)) if waits else last)
        # With a day at most between two events it may be that few people come, and the feed works.
        if is_day and len(silent) > 1 and Cadence.HOUR in counts.series:
            state.partial += sorted({first, last} if has_returned else {first})
        left_out = leave_out(counts, cadence, silent)
        if is_day and has_returned and len(left_out) == 1:
            state.held_day = left_out[0]
        oldest = last - KEEP[cadence]
        state.gaps = [period for period in state.gaps if period >= oldest]
        state.partial = [period for period in state.partial if period >= oldest]


def _ends_day(counts: Counts, moment: int) -> bool:
    """Return whether a moment is the last one of a day."""
    day = period_of(counts, Cadence.DAY, moment)
    return moment + 1 == hour_after(counts.zone, Cadence.DAY, day) * HOUR


def _first_to_settle(counts: Counts, cadence: Cadence) -> int:
    """Return the first period that is judged only once enough is reported: reports may still fill it."""
    settled, closed = counts.state.of(cadence).settled, counts.closed.get(cadence, NEVER)
    return closed + 1 if settled is None else max(settled, closed + 1 - LONGEST) + 1


def period_of(counts: Counts, cadence: Cadence, moment: int) -> int:
    hour = moment // HOUR
    return hour if cadence is Cadence.HOUR else period_at(counts.zone, cadence, hour)


def _end(counts: Counts, cadence: Cadence, index: int) -> int:
    """The first UTC hour after a period."""
    return index + 1 if cadence is Cadence.HOUR else hour_after(counts.zone, cadence, index)
