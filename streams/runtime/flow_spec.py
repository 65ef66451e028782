"""What a flow is made of: a pure core, the topics around it, and who publishes what follows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from streams.runtime.partition_reader import Pair
from streams.runtime.transport import Producer


class Core(Protocol):
    """A pure core with state by partition; its outcomes are passed on as they are.

    A core may cut its work: an outcome with `more` asks for `proceed(partition)` after `process`, or for
    another `tick`, until there is no more. Between the pieces the event loop turns.
    """

    def process(self, partition: int, records: Sequence[Any], topic: str, /) -> Any:
        """Process a fetch; return what follows from it."""

    def tick(self, now: float, moves: bool, /) -> Any:
        """Let time pass to `now`, epoch seconds; return what follows from it. `moves`: see FlowSpec."""

    def dirty(self) -> Mapping[int, Sequence[Pair]]:
        """What changed, by partition, since this was last asked."""

    def restore(self, partition: int, held: Mapping[bytes, bytes], /) -> None:
        """Restore the state of a partition."""

    def release(self, partition: int, /) -> Any:
        """Forget a partition; return its state for `resume`, None where there is none to go on with."""

    def resume(self, partition: int, state: Any, /) -> None:
        """Go on with a partition as `release` has returned it."""


class CuttingCore(Core, Protocol):
    """A core that may cut its work."""

    def proceed(self, partition: int, /) -> Any:
        """Go on with a fetch that `process` has cut; return what follows from it."""


def has_more(outcome: Any) -> bool:
    """Return whether a piece of the work is left. Cores that never cut their work have no such field."""
    return bool(getattr(outcome, "more", False))


class Publisher(Protocol):
    """Brings outcomes to their topics."""

    async def publish(self, producer: Producer, outcome: Any, /) -> None:
        """Hand an outcome to the producer."""


class FlowMetrics(Protocol):
    """Counts outcomes."""

    def batch(self, outcome: Any, events: int, seconds: float, /) -> None:
        """One batch has been processed."""

    def outcome(self, outcome: Any, /) -> None:
        """What followed from a tick, or from a further piece of a batch."""


Prepare = Callable[[Sequence[Any]], Awaitable[object] | None]


def all_is_there(_: Sequence[Any]) -> None:
    """Nothing has to be awaited before records can be processed."""


class FlowSpec(NamedTuple):
    """A topic that is read, the core for it, where its state goes, and who publishes what follows.

    `changelog` is a topic of as many partitions as the source. Event time moves with the clock (`moves` of
    `Core.tick`) where all of the source is read; where the worker's clock is the wall's, unless
    `on_any_clock`; and where that is complete up to some moment of `upstream`, the topic that the source is
    made of: see ConsistentCut. `prepare` returns what to await before records can be processed, if anything:
    their partition waits for it, in its order.
    """

    source: str
    core: Core
    changelog: str
    publisher: Publisher
    metrics: FlowMetrics
    upstream: str = ""
    on_any_clock: bool = False
    prepare: Prepare = all_is_there
