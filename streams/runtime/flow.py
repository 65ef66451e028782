"""Between a pure core and Kafka: who holds state for the assigned partitions, and when it is settled.

The order that makes at-least-once exact: outputs are in the broker, then the state with the offset up to
which it is counted is in the changelog, then offsets are committed. A worker that dies anywhere in between
leaves records to be read again, whose counts the state then knows, and outputs to be published again, under
the same ids.

A core may cut its work into pieces (an outcome with `more`), such as the closing of periods after a long
silence. Between two pieces the event loop turns: signals are heeded, and what is done is committed. The
position in the source stays where it was until the last piece is done.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from streams.runtime.changelog import Changelog
from streams.runtime.flow_spec import CuttingCore, FlowSpec, has_more
from streams.runtime.kafka_diagnosis import missing_acl
from streams.runtime.kept_state import Kept, KeptState
from streams.runtime.partition_reader import State, fingerprint
from streams.runtime.refusals import StateError
from streams.runtime.transport import Consumer, Fetch, Producer

log = structlog.get_logger()

READ_BACK_SECONDS = 60.0
PREPARING_SECONDS = 0.5  # after which a partition that waits shows the watchdog that it does


class Kafka(NamedTuple):
    """The producer and the consumer of the app, which Faust makes at its start."""

    producer: Callable[[], Producer]
    consumer: Callable[[], Consumer]


class Flow:
    """Holds a core's state for the assigned partitions of the source topic.

    `worked` is called with the source after each piece of work, for the watchdog; `unread` with the source
    and a number of records that the broker dropped before they were read.
    """

    def __init__(
        self,
        spec: FlowSpec,
        changelog: Changelog,
        kafka: Kafka,
        *,
        worked: Callable[[str], None],
        unread: Callable[[str, int], None],
    ) -> None:
        self.changelog = changelog
        self._core, self._publisher, self._metrics = spec.core, spec.publisher, spec.metrics
        self.source, self.spec = spec.source, spec
        self._kafka, self._worked, self._unread = kafka, worked, unread
        self._turn = asyncio.Lock()  # an outcome and the state behind it are seen together or not at all
        self._waits: dict[int, asyncio.Task[None]] = {}  # by partition that waits for what the core needs
        self.underway = 0  # fetches whose last piece is not done
        self._assignment = 0  # of how many rebalances this is the outcome
        self.positions: dict[int, int] = {}  # partition held: the source offset to go on from
        self._last: dict[int, bytes] = {}  # by partition: fingerprint of the last record processed
        self.kept = KeptState(changelog)
        self._settled: dict[int, int] = {}  # by partition: the position that the changelog has
        self.recovery_seconds = 0.0
        self.processed_at = time.monotonic()  # when a record was last processed
        self.ready = False  # has this worker joined its group, with whatever partitions fell to it?
        self.stopping = False

    @property
    def is_idle(self) -> bool:
        """Return whether nothing of the source is in hand."""
        return not (self.underway or self._turn.locked() or self._waits)

    async def process(self, fetch: Fetch) -> None:
        """Bring a fetch into the state and publish what follows from it."""
        if self._holds_back(fetch):
            return
        async with self._turn:
            at = self.positions.get(fetch.partition)
            if at is None or fetch.end <= at:
                return  # another worker's by now, or processed before
            assignment = self._assignment
            if fetch.start > at:
                await self._go_back(fetch, at, assignment)
                return
            records = [record for record in fetch.records if record.offset >= at]
            if not records:
                self.positions[fetch.partition] = fetch.end
                return
            started = time.perf_counter()
            outcome = self._core.process(fetch.partition, records, self.source)
            self._metrics.batch(outcome, len(records), time.perf_counter() - started)
            await self._publisher.publish(self._kafka.producer(), outcome)
            if not has_more(outcome):
                self._finish(fetch, records, assignment)
                return
            self.underway += 1
        try:
            await self._proceed(fetch, records, assignment)
        finally:
            self.underway -= 1

    def _holds_back(self, fetch: Fetch) -> bool:
        """Return whether the partition of a fetch waits for what the core needs, such as a schema.

        What is fetched of it meanwhile is dropped and read again later, so its order stays. Other partitions
        go on.
        """
        if fetch.partition not in self._waits:
            missing = self.spec.prepare(fetch.records)
            if missing is None:
                return False
            preparing = asyncio.ensure_future(missing)
            wait = asyncio.create_task(self._wait(TP(fetch.topic, fetch.partition), preparing))
            wait.add_done_callback(lambda _: preparing.cancel())
            self._waits[fetch.partition] = wait
        return True

    async def _wait(self, tp: TP, preparing: asyncio.Future[object]) -> None:
        """Wait for what is missing, then read a partition on; the watchdog knows that nobody is stuck."""
        while not (await asyncio.wait({preparing}, timeout=PREPARING_SECONDS))[0]:
            self._worked(self.source)
        await preparing
        del self._waits[tp.partition]
        if (position := self.position(tp)) is not None:
            await self._kafka.consumer().reread(tp, position)

    async def _proceed(self, fetch: Fetch, records: Sequence[Any], assignment: int) -> None:
        """Do the further pieces of a fetch, unless the worker stops or the partitions change hands."""
        while True:
            self._worked(self.source)
            await asyncio.sleep(0)
            async with self._turn:
                if self.stopping or assignment != self._assignment:
                    return  # its position has not moved: it is read again
                outcome = cast("CuttingCore", self._core).proceed(fetch.partition)
                self._metrics.outcome(outcome)
                await self._publisher.publish(self._kafka.producer(), outcome)
                if not has_more(outcome):
                    self._finish(fetch, records, assignment)
                    return

    def _finish(self, fetch: Fetch, records: Sequence[Any], assignment: int) -> None:
        """Move on, unless partitions changed hands while outputs went out: the state may be gone by now."""
        if assignment != self._assignment:
            return
        self.positions[fetch.partition] = fetch.end
        self._last[fetch.partition] = fingerprint(records[-1])
        self.processed_at = time.monotonic()
        self._worked(self.source)

    async def _go_back(self, fetch: Fetch, at: int, assignment: int) -> None:
        """Read what was dropped on its way here (a rebalance does that), or is no longer in the broker."""
        tp = TP(fetch.topic, fetch.partition)
        beginning = await self._kafka.consumer().reread(tp, at)
        if beginning > at and assignment == self._assignment:
            log.error(
                "records were dropped unread", topic=tp.topic, partition=tp.partition, at=at, now=beginning
            )
            self._unread(self.source, beginning - at)
            self.positions[tp.partition] = beginning

    async def tick(self, now: float, moves: Callable[[], bool]) -> None:
        """Let time pass (`now`: epoch seconds), and where it `moves` it, event time.

        That is asked when nothing is being processed, so that the answer holds for what has been read.
        """
        while not (self.stopping or self.underway):
            async with self._turn:
                outcome = self._core.tick(now, moves())
                self._metrics.outcome(outcome)
                await self._publisher.publish(self._kafka.producer(), outcome)
            if not has_more(outcome):
                return
            self._worked(self.source)
            await asyncio.sleep(0)

    async def settle(self, *, stamp: bool) -> None:
        """Bring outputs, then state, of all that was processed so far into the broker.

        `stamp`: write to the changelog even where nothing changed, so that the broker gives its time. Raises
        what a wait of a partition raised.
        """
        for wait in self._waits.values():
            if wait.done():
                wait.result()
        async with self._turn:
            changed = self._core.dirty()
            states = {
                partition: State(position, changed.get(partition, ()), self._last.get(partition, b""))
                for partition, position in self.positions.items()
                if stamp or changed.get(partition) or position != self._settled.get(partition)
            }
        await self._kafka.producer().settled()
        await self.changelog.write(self._kafka.producer(), states)
        self._settled |= {partition: state.position for partition, state in states.items()}

    def position(self, tp: TP) -> int | None:
        """The source offset up to which a partition has been processed; None where it is not held."""
        return self.positions.get(tp.partition) if tp.topic == self.source else None

    async def assigned(self, partitions: Iterable[TP]) -> None:
        """Read back the state of these partitions, where it is not at hand. Raises StateError."""
        started = time.monotonic()
        mine = sorted(tp.partition for tp in partitions if tp.topic == self.source)
        self._refuse_new_partitions(mine)
        kept = await self.kept.take(mine)
        for partition, (state, position, last) in kept.items():
            self._core.resume(partition, state)
            self.positions[partition], self._last[partition] = position, last
        held = await self._read_back([partition for partition in mine if partition not in kept])
        for partition, state in held.items():
            self._restore(partition, {key: value for key, value in state.pairs if value is not None})
            self.positions[partition] = self._settled[partition] = state.position
            self._last[partition] = state.last
        self._assignment += 1
        self.recovery_seconds = time.monotonic() - started
        self.ready = True
        log.info(
            "partitions assigned",
            topic=self.source,
            partitions=mine,
            kept=len(kept),
            keys=sum(len(state.pairs) for state in held.values()),
            seconds=round(self.recovery_seconds, 3),
        )

    def _refuse_new_partitions(self, mine: Iterable[int]) -> None:
        known = self.changelog.partitions
        if known is not None and (new := sorted(set(mine) - known)):
            raise StateError(
                f"{self.source} has new partitions {new}, its changelog {self.changelog.topic} has "
                f"{len(known)}: stop all workers and producers, and run `surgewatch topics --partitions "
                f"{max(new) + 1}`, which moves the state"
            )

    async def _read_back(self, partitions: Sequence[int]) -> Mapping[int, State]:
        """The state of partitions. Tried again for a while: a broker may be away for a moment."""
        deadline = time.monotonic() + READ_BACK_SECONDS
        while True:
            try:
                return await self.changelog.read(self._kafka.producer(), partitions)
            except KafkaError as error:
                if missing_acl(error) or time.monotonic() > deadline:
                    raise
                log.warning("state cannot be read yet", topic=self.changelog.topic, error=repr(error))
                await asyncio.sleep(1)

    def _restore(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        try:
            self._core.restore(partition, held)
        except Exception as error:
            name = f"{self.changelog.topic}[{partition}]"
            key = self._unreadable_key(partition, held)
            where = f"{name}, key {key!r}" if key is not None else name
            raise StateError(
                f"state refused: {where}: {error}. To process {self.source} from its beginning: stop all "
                f"workers, delete {self.changelog.topic} and their consumer group, run `surgewatch topics`"
            ) from error

    def _unreadable_key(self, partition: int, held: Mapping[bytes, bytes]) -> bytes | None:
        """The first key that cannot be restored even by itself, for the message."""
        for key, value in sorted(held.items()):
            try:
                self._core.restore(partition, {key: value})
            except Exception:
                return key
        return None

    def last(self) -> dict[int, bytes]:
        """By partition held, the fingerprint of the last record processed (empty: not known)."""
        return {partition: self._last.get(partition, b"") for partition in self.positions}

    def revoked(self, partitions: Iterable[TP]) -> None:
        """Forget partitions that may be another worker's by now."""
        self._assignment += 1
        for tp in partitions:
            if tp.topic == self.source and (wait := self._waits.pop(tp.partition, None)):
                wait.cancel()
            if tp.topic == self.source and (at := self.positions.pop(tp.partition, None)) is not None:
                self._release(tp.partition, at)

    def _release(self, partition: int, position: int) -> None:
        """Keep the state of a partition until the next assignment, unless a piece of work is underway."""
        last, _ = self._last.pop(partition, b""), self._settled.pop(partition, None)
        state = self._core.release(partition)
        if state is None or self.underway or self._turn.locked():
            self.changelog.close(partition)
        else:
            self.kept.keep(partition, Kept(state, position, last))
