"""The steps in which the events of a sector are counted.

A step begins where the sector's time enters another hour. One ends behind an event that may begin a series:
its open period is looked at before the next event is counted, wherever a fetch ends. A heartbeat is a step of
its own: it counts nobody, and what it shows holds from its offset on.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, cast

from msgspec import Struct

from streams.contract.cadence import DAILY, DAY, HOUR, Cadence
from streams.counting.decoder import Event, Heartbeat, Item
from streams.counting.sector_counts import Counts

LIVE: Final = 3 * DAY  # seconds after an event within which it is reported, where events happen now


class Step(Struct, frozen=True):
    """Move a sector's watermark, then count events, or take a heartbeat."""

    watermark: int  # hour that it moves to
    events: Sequence[Event]
    heartbeat: Heartbeat | None = None
    alive_at: int = 0  # epoch seconds, of the heartbeat


def split(counts: Counts, items: Sequence[Item], *, wall_clock: bool) -> deque[Step]:
    """Split events and heartbeats of a sector, which are in the order of their offsets."""
    watermark, start, steps = counts.watermark, 0, deque[Step]()
    live = wall_clock and counts.is_live
    events = cast("Sequence[Event]", items)  # heartbeats are in no slice of it
    boundary = (watermark + 1) * HOUR
    known: set[Cadence | None] = {*counts.series, None} if DAILY in counts.series else {*counts.series}
    for at, item in enumerate(items):
        moved, fresh = item.event_time, wall_clock and is_live(item)
        if (fresh or live) and item.appended_at > moved:
            moved = item.appended_at  # of a live sector the clock has got there, however old the item is
        if moved >= boundary:
            if at > start:
                steps.append(Step(watermark, events[start:at]))
            watermark, start = moved // HOUR, at
            boundary = (watermark + 1) * HOUR
        live = fresh or (live and item.event_time < watermark * HOUR)
        if type(item) is Heartbeat:  # `isinstance` runs Python code for a class of msgspec
            if at > start:
                steps.append(Step(watermark, events[start:at]))
            steps.append(Step(watermark, (), item, moved))
            start = at + 1
        elif item.period not in known:
            steps.append(Step(watermark, events[start : at + 1]))
            start = at + 1
            if item.replaces is None:  # else it may be one that is not counted
                known |= {None, DAILY} if item.period in (None, DAILY) else {item.period}
    if start < len(items):
        steps.append(Step(watermark, events[start:]))
    return steps


def is_plain(counts: Counts, step: Step) -> bool:
    """Return whether nothing can follow from a step but that its events are counted."""
    return (
        step.heartbeat is None
        and step.watermark == counts.watermark
        and bool(counts.series)
        and counts.has_room_for(step.events)
    )


def is_live(event: Item) -> bool:
    """Return whether an event was reported as it happened."""
    return event.appended_at - event.reported_at <= LIVE


def observe(counts: Counts, heartbeat: Heartbeat, alive_at: int, *, wall_clock: bool) -> bool:
    """Take the heartbeat of a step; False where it is refused."""
    if wall_clock:
        counts.is_live = remains_live(counts, [heartbeat])
    return counts.observe(heartbeat, alive_at)


def remains_live(counts: Counts, events: Sequence[Item]) -> bool:
    """Return whether a sector is live after these events: it is while what moves its time is."""
    since = counts.watermark * HOUR
    for event in reversed(events):  # the last one that moves its time decides
        if is_live(event):
            return True
        if event.event_time >= since:
            return False
    return counts.is_live
