"""What the transport calls before offsets are committed, and around a rebalance."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from faust.types import TP

from streams.runtime.assignor import AtHand


class PartitionOwner(Protocol):
    """Who holds state for the assigned partitions."""

    async def settle(self) -> None:
        """Bring outputs, then state, of all that was processed so far into the broker."""

    def writing(self) -> AbstractContextManager[None]:
        """A commit is under way while the block runs."""

    def position(self, tp: TP) -> int | None:
        """The offset up to which a partition has been processed; None where it is not held."""

    async def assigned(self, partitions: Iterable[TP]) -> None:
        """Read back the state of these partitions; nothing is fetched before that is done."""

    def at_hand(self) -> dict[str, AtHand]:
        """Return by topic the partitions whose state is here. May be called from another thread."""

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Forget these partitions: they may be another worker's by now."""
