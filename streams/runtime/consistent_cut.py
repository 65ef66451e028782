"""Is what a flow has read complete up to some moment? A consistent cut over the topic its source is made of.

Summaries are made of encounters, by all workers of the group. A border may go on without a sector only where
no worker can still bring that sector's summaries:

    1  what the flow has read of `summaries`
    2  where `encounters` ends             up to here ...
    3  what the group has committed        ... a worker has processed all, and published what follows from it
    4  where `summaries` ends              ... and the flow has read that

In this order, and with the flow where it was at 1. Reading on begins another cut, as it may bring what one
worker made of newer encounters, while another worker is still behind.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from streams.runtime.broker_monitor import Ends
from streams.runtime.readiness import Position


class Reading(Protocol):
    """What is needed of a flow: its source, and by partition the offset that it has processed it up to."""

    source: str
    positions: dict[int, int]


class Broker(Protocol):
    """What is asked of the broker: see BrokerMonitor."""

    async def ends(self, partitions: Iterable[Position], /) -> Ends | None:
        """Return where partitions end; None where that is not known."""

    async def committed(self, partitions: Iterable[Position], /) -> Mapping[Position, int]:
        """Return the offsets that the group has committed in these partitions."""


class ConsistentCut:
    """One flow, and all partitions of its upstream topic."""

    def __init__(self, flow: Reading, upstream: Iterable[Position], broker: Broker) -> None:
        self._flow, self._upstream, self._broker = flow, list(upstream), broker
        self._positions: dict[int, int] | None = None  # of the cut; None where there is none
        self._ends: Mapping[Position, int] = {}  # of the upstream topic, at the cut
        self._is_complete = False

    def holds(self) -> bool:
        """Return whether the flow has read all that follows from its upstream topic up to the cut."""
        return self._is_complete and self._flow.positions == self._positions

    async def look(self) -> None:
        """Ask the broker; begin another cut where the flow has read on."""
        if self._flow.positions != self._positions:
            self._is_complete = False
            positions = dict(self._flow.positions)
            upstream = await self._broker.ends(self._upstream)
            self._positions, self._ends = (positions, upstream.high) if upstream else (None, {})
        if self._positions is None or self._is_complete:
            return
        committed = await self._broker.committed(self._upstream)
        if any(committed.get(at, 0) < end for at, end in self._ends.items()):
            return
        read = {(self._flow.source, partition): at for partition, at in self._positions.items()}
        ends = await self._broker.ends(read)
        self._is_complete = ends is not None and all(read[at] >= end for at, end in ends.high.items())
