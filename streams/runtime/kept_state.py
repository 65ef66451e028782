"""State of partitions that were given up in a rebalance and may come back to this worker.

All partitions are given up at each change of the group, and most come back at once. Reading their state
again would make a pause that grows with the state. It is used as it is where the changelog ends with this
worker's own last write: no other worker has written in between, so nothing has changed hands.
"""

from collections.abc import Iterable, Set
from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """What a partition holds: the core's state, the source offset to go on from, the last fingerprint."""

    state: object
    position: int
    last: bytes


class Unchanged(Protocol):
    """Where the state is written to."""

    async def unchanged(self, partitions: Iterable[int]) -> set[int]:
        """Return the partitions to which nobody else has written since this worker did."""

    def close(self, partition: int) -> None:
        """Let go of a partition."""


class KeptState:
    """Keeps the state of partitions from one assignment to the next."""

    def __init__(self, changelog: Unchanged) -> None:
        self._changelog = changelog
        self._kept: dict[int, Kept] = {}

    @property
    def partitions(self) -> Set[int]:
        """The partitions whose state is kept now."""
        return self._kept.keys()

    def keep(self, partition: int, kept: Kept) -> None:
        """Keep what a partition holds."""
        self._kept[partition] = kept

    async def take(self, partitions: Iterable[int]) -> dict[int, Kept]:
        """Return what still holds of these partitions, and let go of everything else."""
        kept, self._kept = self._kept, {}
        back = await self._changelog.unchanged(kept.keys() & set(partitions))
        for partition in kept.keys() - back:
            self._changelog.close(partition)
        return {partition: kept[partition] for partition in sorted(back)}
