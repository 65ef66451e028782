"""What a flow is made of: a pure core, the topics around it, and who publishes what follows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from streams.runtime.partition_reader import Pair
from streams.runtime.transport import Producer


class Core(Protocol):
    """A pure core with state by partition; its outcomes are passed on as they are."""

    def process(self, partition: int, records: Sequence[Any], topic: str, /) -> Any:
        """Take a fetch; what follows from it. An outcome with `more` is for a core that is Resumable."""

    def tick(self, now: float, moves: bool, /) -> Any:
        """Let time pass; what follows from it. `moves`: event time moves with the clock on the wall.

        With `more`, it has to be called again with the same time.
        """

    def dirty(self) -> Mapping[int, Sequence[Pair]]:
        """What changed, by partition, since this was last asked."""

    def restore(self, partition: int, held: Mapping[bytes, bytes], /) -> None:
        """Restore the state of a partition."""

    def drop(self, partition: int, /) -> None:
        """Forget a partition."""


class Resumable(Protocol):
    """A core that cuts long work into pieces: its outcomes have `more` until the last one."""

    def proceed(self, partition: int, /) -> Any:
        """Do the next piece of what `process` left; what follows from it."""


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


class FlowSpec(NamedTuple):
    """A topic that is read, the core for it, where its state goes, and who publishes what follows."""

    source: str
    core: Core
    changelog: str  # a topic of as many partitions as the source
    publisher: Publisher
    metrics: FlowMetrics
    any_clock: bool = (
        False  # `tick` with `moves` under SURGEWATCH_CLOCK=event as well: it moves no event time
    )
