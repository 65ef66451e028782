"""Refuse events that lie in another partition than their sector belongs to.

A producer with another partitioner would split a sector: each half would be counted and judged by itself, by
two workers, and an event sent to both would count twice. So a sector is counted in one partition only.
"""

from collections.abc import Callable

from streams.contract.dead_letters import Reason, Rejected
from streams.counting.decoder import Decoded, Item

Home = Callable[[str], int]  # the partition of a sector


def refuse_misplaced(decoded: Decoded, partition: int, home: Home) -> Decoded:
    """The same batch, with events of sectors that belong elsewhere among the rejected."""
    elsewhere = {sector for sector in {event.sector for event in decoded.events} if home(sector) != partition}
    if not elsewhere:
        return decoded
    events, rejected = list[Item](), list(decoded.rejected)
    for event in decoded.events:
        if event.sector in elsewhere:
            detail = (
                f"{event.sector} belongs to partition {home(event.sector)}: the key must be the sector's "
                "id, and the partitioner murmur2 (librdkafka: partitioner=murmur2_random)"
            )
            rejected.append(Rejected(event.position, Reason.MISPLACED, detail))
        else:
            events.append(event)
    return Decoded(events, rejected)
