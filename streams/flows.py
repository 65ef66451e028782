"""Flows: what a worker runs side by side, and how all of them are settled before anything is committed."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from faust.types import TP

from streams.keeper import Core, Keeper, Measures, Says


class Flow(NamedTuple):
    """A topic that is taken, the core that takes it, where its state goes, and who hears what it says."""

    source: str
    core: Core
    changelog: str  # a topic of as many partitions as the source
    says: Says
    metrics: Measures


class Keepers:
    """The keepers of all flows as one. One consumer feeds them all, so they are settled together."""

    def __init__(self, keepers: Sequence[Keeper]) -> None:
        self._keepers = keepers

    @property
    def ready(self) -> bool:
        """Are all of them members of the group?"""
        return all(keeper.ready for keeper in self._keepers)

    @property
    def recovery_seconds(self) -> float:
        """How long the last reading back took, all in all."""
        return sum(keeper.recovery_seconds for keeper in self._keepers)

    async def settle(self) -> None:
        """Bring outputs, then state, of all that was folded so far into the broker."""
        for keeper in self._keepers:
            await keeper.settle()

    def position(self, tp: TP) -> int | None:
        """The offset up to which a partition has been taken; None where it is not held."""
        return next((at for keeper in self._keepers if (at := keeper.position(tp)) is not None), None)

    def resume(self, tp: TP, committed: int) -> None:
        """Reading goes on from here."""
        for keeper in self._keepers:
            keeper.resume(tp, committed)

    async def assigned(self, partitions: Iterable[TP]) -> None:
        """Read back the state of the partitions that are new here."""
        mine = list(partitions)
        for keeper in self._keepers:
            await keeper.assigned(mine)

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Forget partitions that may be another worker's by now."""
        gone = list(partitions)
        for keeper in self._keepers:
            keeper.revoked(gone)
