"""How many events of a sector can be counted before an open period may have to be looked at. Pure."""

from collections.abc import Sequence
from math import inf

from streams.contract.cadence import HOUR
from streams.counting.decoder import Event
from streams.counting.sector_counts import Counts


def end_of_run(events: Sequence[Event], start: int, *, room: float, blind_until: float = -inf) -> int:
    """Return where a run of events from `start` on ends: behind the one after which a look may be due.

    `room` is how many people may come before a period may be a breach. Where it is used up, a look is due
    only once the run has an event later than `blind_until` (epoch seconds): the periods were looked at as of
    then. That need not be its last event: one that is reported late can reach a limit, too. Reads no event
    beyond the run, so counting a batch run by run takes time in proportion to the batch.
    """
    if room == inf:
        return len(events)
    total, end, newest = 0, start, -inf
    while end < len(events):
        event = events[end]
        total, end = total + event.count, end + 1
        newest = max(newest, event.event_time)
        if total >= room and newest > blind_until:
            break
    return end


def as_of_look(counts: Counts) -> int:
    """Return the event time as of which an open period is looked at now (epoch seconds)."""
    return max(counts.event_time, counts.watermark * HOUR)


def end_below_limits(counts: Counts, events: Sequence[Event], at: int) -> int:
    """Return up to where events can be counted before the open periods may have to be looked at."""
    end = end_of_run(events, at, room=counts.room())
    if end == len(events):  # also where the last one reaches the limit
        return end
    counts.settle()
    blind_until = counts.looked_at if as_of_look(counts) <= counts.looked_at else -inf
    return end_of_run(events, at, room=counts.room(), blind_until=blind_until)
