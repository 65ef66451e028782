"""Source outages: a source whose heartbeats stop leaves its sectors without data.

    heartbeats    ▏ ▏ ▏ ▏ ▏                               ▏ ▏ ▏
    sector        with data │ without data                   │ with data
    alert                         │ silence, by source       │ resolved
                     the last one   MISSED intervals later   the first hour after the next one

Where heartbeats come, an hour without events is nobody. Where they stop, it is nothing, however few people
are expected: chance is not asked. A sector with several sources is without data while one of them is away;
what the others send is counted, and a count that is too high for a whole period is published all the same.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from streams.contract.cadence import DAY, HOUR, Cadence
from streams.contract.questions import Look, Question
from streams.contract.verdicts import DataStatus, Evidence, Verdict
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import hour_after, local
from streams.judging.frames import period_header
from streams.judging.operating_limits import OperatingLimits
from streams.judging.views import Views

WEEK: Final = 7  # days
SHORT: Final = 3 * HOUR  # seconds of an outage that leaves a day whole enough to be learnt


def next_hour(counts: Counts) -> int | None:
    """Return the next hour at which a source may have stopped or be back; None where nothing is to come."""
    stopped, after = counts.state.stopped, counts.watermark + 1
    if any(name not in counts.sources or counts.sources[name].alive_at > at for name, at in stopped.items()):
        return after
    hours = [-(-one.stops_at // HOUR) for name, one in counts.sources.items() if name not in stopped]
    if stopped:  # published once a day, so that the alert stands
        hours.append(hour_after(counts.zone, Cadence.DAY, _day(counts, counts.watermark)))
    return max(min(hours), after) if hours else None


class SourceWatch:
    """Finds sources that have stopped or are back."""

    def __init__(self, views: Views, limits: OperatingLimits) -> None:
        self._views, self._limits = views, limits

    def look(self, sectors: Iterable[Counts], hour: int) -> list[Verdict]:
        """Look at the start of an hour, and return what is to be published; keeps the sectors' state."""
        return [verdict for counts in sectors if counts.series for verdict in self._look_at(counts, hour)]

    def _look_at(self, counts: Counts, hour: int) -> list[Verdict]:
        before, stopped = counts.state.stopped, counts.sources.stopped(hour * HOUR)
        if not (before or stopped):
            return []
        _keep(counts, stopped, is_explained=_is_explained(counts, hour, self._limits))
        away = {name: at for name, at in stopped.items() if name not in before or _begins_day(counts, hour)}
        a_day = self._expected(counts, hour) if away else 0.0
        return [
            *(
                _verdict(counts, hour, self._limits, source=name, since=at, a_day=a_day)
                for name, at in away.items()
            ),
            *(_verdict(counts, hour, self._limits, source=name) for name in before if name not in stopped),
        ]

    def _expected(self, counts: Counts, hour: int) -> float:
        """Return the people expected in 24 hours, by the week before; 0 where there is no model."""
        yesterday = _day(counts, hour) - 1
        view = self._views.of([counts], Look.HOUR, Cadence.DAY, yesterday)
        return 0.0 if view is None else float(view.mean[0, -WEEK:].mean())


def _keep(counts: Counts, stopped: dict[str, int], *, is_explained: bool) -> None:
    """Keep which sources have stopped, and whether the sector has data."""
    state = counts.state
    if not stopped:
        _end(counts)
    elif state.no_data_since is None and not is_explained:
        state.no_data_since, state.changed = min(stopped.values()), True
    state.changed |= stopped != state.stopped
    state.stopped = stopped


def _is_explained(counts: Counts, hour: int, limits: OperatingLimits) -> bool:
    """Return whether nobody comes to a sector, by the calendar or by a person's confirmation."""
    return limits.is_closed(counts, hour) or limits.is_zero(counts, hour * HOUR)


def _day(counts: Counts, hour: int) -> int:
    return local(counts.zone, hour) // DAY


def _begins_day(counts: Counts, hour: int) -> bool:
    return _day(counts, hour) > _day(counts, hour - 1)


def _end(counts: Counts) -> None:
    """All sources are back: leave out of what is learnt and called low what they may have missed."""
    since, until = counts.state.no_data_since, counts.data_until
    counts.state.no_data_since = None
    # Without days only nobody was reported yet, of hours; without hours, tallies are all there is.
    if since is None or until - since < SHORT or not {Cadence.HOUR, Cadence.DAY} <= counts.series.keys():
        return
    counts.state.outage = since, until
    state, days = counts.state.daily, counts.series[Cadence.DAY]
    first, last = (_day(counts, moment // HOUR) for moment in (since, until))
    oldest, missed = last - KEEP[Cadence.DAY], range(first, last + 1)
    silent = {day for day in missed if first < day < last and not days.get(day)}
    state.gaps = sorted(day for day in {*state.gaps, *silent} if day >= oldest)
    state.partial = sorted(day for day in {*state.partial, *missed} - silent if day >= oldest)


def _verdict(
    counts: Counts,
    hour: int,
    limits: OperatingLimits,
    *,
    source: str,
    since: int | None = None,
    a_day: float = 0,
) -> Verdict:
    """Return the silence of one source, last alive at `since` (epoch seconds); None: it is over."""
    window = 1 if since is None else max(hour - since // HOUR, 1)
    expected = round(a_day * window / 24, 3)
    missing = counts.state.no_data_since if since is None else since
    return Verdict.of(
        question=Question.SILENCE,
        subject=f"source={source}",
        breach=since is not None,
        data=DataStatus.WITHOUT_DATA if counts.state.stopped else DataStatus.WITH_DATA,
        evidence=Evidence(
            observed=0.0,
            expected=expected,
            lower=0.0,
            upper=expected,
            p_value=1.0 if since is None else 0.0,
            alpha=limits.alpha(counts.sector, Cadence.HOUR, Question.SILENCE),
            window=window,
            source=source,
            no_data_since=None if missing is None else dt.datetime.fromtimestamp(missing, dt.UTC),
            baseline="heartbeats of the source",
        ),
        **period_header(counts, limits, cadence=Cadence.HOUR, index=hour - 1, as_of=hour * HOUR),
    )
