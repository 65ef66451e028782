"""All flows of a worker as one, as the transport sees them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from faust.exceptions import ProducerSendError
from faust.types import TP

from streams.runtime.assignor import AtHand
from streams.runtime.flow import Flow


class Flows:
    """All flows of a worker as one. One consumer feeds them all, so they are settled together.

    `check` is called when state has been read back, and raises StateError where it does not fit its topics.
    """

    def __init__(self, flows: Sequence[Flow], check: Callable[[], Awaitable[None]]) -> None:
        self._flows, self._check = flows, check
        self._settling = asyncio.Lock()
        self._writing: list[float] = []  # when what is being written began, by the monotonic clock
        self._revoked_at: float | None = None  # while a rebalance has given nothing back yet
        self._failed = False
        self._failure: Exception | None = None  # why, where that is known
        self._stopped = False

    @property
    def ready(self) -> bool:
        """Return whether all of them are members of the group."""
        return all(flow.ready for flow in self._flows)

    @property
    def recovery_seconds(self) -> float:
        """How long the last reading back took, all in all."""
        return sum(flow.recovery_seconds for flow in self._flows)

    async def settle(self, *, stamp: bool = False) -> None:
        """Bring outputs, then state, of all that was processed so far into the broker.

        Where that fails once, it is never tried again: what changed was given out for writing, so a second
        try would find nothing to write, and the offsets would be committed without their state.
        """
        async with self._settling:
            if self._failed:
                again = "state could not be written before: this worker has to start again"
                raise ProducerSendError(again) from self._failure
            self._failed = True
            try:
                with self.writing():
                    for flow in self._flows:
                        await flow.settle(stamp=stamp)
            except Exception as error:
                self._failure = error
                raise
            self._failed = False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A commit is under way while the block runs, or a part of it."""
        started = time.monotonic()
        self._writing.append(started)
        try:
            yield
        finally:
            self._writing.remove(started)

    def settling(self, now: float) -> float:
        """Seconds for which outputs, state or offsets have been on their way; 0 where none are."""
        return now - min(self._writing, default=now)

    def rebalancing(self, now: float) -> float:
        """Seconds since a rebalance took the partitions, while it has given none back; else 0."""
        return 0.0 if self._revoked_at is None else now - self._revoked_at

    def fail(self, error: Exception) -> None:
        """Settle nothing any more, and begin nothing: what was processed last is not whole."""
        self._failed, self._failure = True, self._failure or error
        self.stop()

    def stop(self) -> None:
        """Begin no further piece of work, and take no partitions."""
        self._stopped = True
        for flow in self._flows:
            flow.stopping = True

    def position(self, tp: TP) -> int | None:
        """The offset up to which a partition has been processed; None where it is not held."""
        return next((at for flow in self._flows if (at := flow.position(tp)) is not None), None)

    def at_hand(self) -> dict[str, AtHand]:
        """Return by source the partitions whose state is here. May be called from another thread."""
        return {
            flow.source: AtHand({*flow.positions, *flow.kept.partitions}, flow.changelog.copies())
            for flow in self._flows
        }

    async def assigned(self, partitions: Iterable[TP]) -> None:
        """Read back the state of the partitions that are new here. Raises StateError.

        A worker that ends takes none: checking them could take longer than it has to stop.
        """
        if self._stopped:
            return
        mine = list(partitions)
        for flow in self._flows:
            await flow.assigned(mine)
        await self._check()
        self._revoked_at = None

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Forget partitions that may be another worker's by now."""
        gone = list(partitions)
        self._revoked_at = self._revoked_at or time.monotonic()
        for flow in self._flows:
            flow.revoked(gone)
