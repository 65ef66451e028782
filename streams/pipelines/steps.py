"""The steps in which the events of a sector are counted.

A step begins where the sector's time enters another hour. One ends behind an event that may begin a series:
its open period is looked at before the next event is counted, wherever a fetch ends.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from streams.contract.cadence import DAY, HOUR, Cadence
from streams.counting.decoder import Event
from streams.counting.sector_counts import Counts

LIVE: Final = 3 * DAY  # seconds after an event within which it is reported, where events happen now


class Step(NamedTuple):
    """Move a sector's watermark to a mark, then count events."""

    mark: int  # hour
    events: Sequence[Event]


def split(counts: Counts, events: Sequence[Event], *, wall_clock: bool) -> deque[Step]:
    """Split events of a sector, which are in the order of their offsets."""
    mark, batch, steps = counts.watermark, list[Event](), deque[Step]()
    boundary = (mark + 1) * HOUR
    known: set[Cadence | None] = {*counts.series, None} if Cadence.DAY in counts.series else {*counts.series}
    for event in events:
        moved = event.event_time
        if wall_clock and is_live(event) and event.appended_at > moved:
            moved = event.appended_at
        if moved >= boundary:
            if batch:
                steps.append(Step(mark, batch))
            mark, batch = moved // HOUR, []
            boundary = (mark + 1) * HOUR
        batch.append(event)
        if event.period not in known:
            steps.append(Step(mark, batch))
            batch = []
            if event.replaces is None:  # else it may be one that is not counted
                known |= {None, Cadence.DAY} if event.period in (None, Cadence.DAY) else {event.period}
    if batch:
        steps.append(Step(mark, batch))
    return steps


def is_live(event: Event) -> bool:
    """Return whether an event was reported as it happened."""
    return event.appended_at - event.reported_at <= LIVE


def remains_live(counts: Counts, events: Sequence[Event]) -> bool:
    """Return whether a sector is live after these events: it is while what moves its time is."""
    live, since = counts.is_live, counts.watermark * HOUR
    for event in events:
        if is_live(event):
            live = True
        elif event.event_time >= since:
            live = False
    return live
