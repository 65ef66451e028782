"""Dead letters of all workers, on `notices.dead`: held to be read, counted and sent again."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from pydantic import TypeAdapter, ValidationError

from alerts.console.board import Board
from alerts.lifecycle.alert import Alert, Notice
from alerts.notices.dead_letters import DeadLetter, DeadLetterRecord, SinkState, letter_id
from alerts.notices.messages import Message, fits_ledger
from alerts.worker.settings import Settings
from alerts.worker.sink_states import TOPIC, Publish, SinkStates
from streams.contract.reading import Unusable, is_sound
from streams.runtime.readiness import Position
from streams.runtime.reading_positions import positions_of
from streams.runtime.started_clients import started

log = structlog.get_logger()

HELD: Final = 1_000  # the newest
READ_BACK: Final = 10 * HELD  # records at start: one that was sent again has three or more
RECORD: Final = TypeAdapter[DeadLetterRecord | SinkState](DeadLetterRecord | SinkState)


class DeadLetters:
    """The letters that wait, also those of other workers and of before a restart.

    `on_again` is called with a letter that somebody wants to be sent again. On the same topic are the states
    of the `sinks` that are configured. `now` is the broker's time (epoch seconds).
    """

    def __init__(
        self,
        settings: Settings,
        board: Board,
        publish: Publish,
        on_again: Callable[[DeadLetterRecord], Awaitable[None]],
        *,
        sinks: Collection[str] = (),
        now: Callable[[], float] = time.time,
        on_unusable: Callable[[str, Unusable], None] = lambda *_: None,
    ) -> None:
        self._settings, self._board, self._publish, self._on_again = settings, board, publish, on_again
        self._now, self._on_unusable = now, on_unusable
        self.states = SinkStates(sinks, board, publish)
        self._held: dict[str, DeadLetterRecord] = {}  # by letter id
        self.read: Mapping[Position, int] = {}  # up to where the topic is applied

    def waiting(self) -> Counter[str]:
        """Count the letters by sink."""
        return Counter(record.letter.sink for record in self._held.values())

    def waits(self, sink: str, notice_id: str) -> DeadLetterRecord | None:
        """Return the letter of a notice; None where none waits."""
        return self._held.get(letter_id(sink, notice_id))

    def wanted_again(self, sink: str) -> list[DeadLetterRecord]:
        """Return the letters of a sink that are to be sent again and were not yet."""
        return [record for record in self._held.values() if record.again and record.letter.sink == sink]

    async def add(self, sink: str, notice: Notice, message: Message, reason: str) -> None:
        """Publish a letter: its notice will not be delivered."""
        letter = DeadLetter(
            sink=sink,
            notice_id=notice.notice_id,
            headline=notice.headline,
            reason=reason,
            at=dt.datetime.fromtimestamp(self._now(), dt.UTC),
        )
        await self._write(DeadLetterRecord(letter=letter, message=message))

    async def send_again(self, letter_id: str) -> bool:
        """Ask the worker that owns its sink to send a letter again; False: there is no such letter."""
        record = self._held.get(letter_id)
        if record is None:
            return False
        await self._write(record.model_copy(update={"again": True}))
        return True

    async def close(self, letter: DeadLetter) -> None:
        """A letter waits no longer: it was sent again, or its sink knows by other messages."""
        await self._write(DeadLetterRecord(letter=letter))

    async def follow(self) -> None:
        """Read the letters that wait and go on, for as long as the broker is there.

        What was wanted in the past is done only where the letter waits still once all has been read.
        """
        consumer = AIOKafkaConsumer(
            self._settings.topic(TOPIC),
            **self._settings.kafka.aiokafka,
        )
        async with started(consumer):
            ends = await consumer.end_offsets(consumer.assignment())
            for at, begins in (await consumer.beginning_offsets(list(ends))).items():
                consumer.seek(at, max(begins, ends[at] - READ_BACK))
            while any([await consumer.position(at) < end for at, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    for record in records:
                        await self.apply(record, is_new=False)
            for wanted in [record for record in self._held.values() if record.again]:
                await self._on_again(wanted)
            while True:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    for record in records:
                        await self.apply(record)
                self.read = await positions_of(consumer)

    async def apply(self, record: Any, *, is_new: bool = True) -> None:
        """Take one record of the topic; one that is not understood is logged, counted and skipped."""
        try:
            read = RECORD.validate_json(record.value, extra="ignore")
            is_understood = is_sound(read) and fits_ledger(read, _alerts(read), record.value)
        except ValidationError:
            is_understood = False
        if not is_understood:
            log.error("dead letter not understood", offset=record.offset)
            self._on_unusable(TOPIC, Unusable.UNREADABLE)
            return
        if isinstance(read, SinkState):
            self.states.apply(read, record)
            return
        key = read.letter.letter_id
        self._held.pop(key, None)
        if read.message is None:
            self._board.remove_dead_letter(key)
            return
        self._held[key] = read
        while len(self._held) > HELD:
            self._held.pop(next(iter(self._held)))
        self._board.add_dead_letter(read.letter)
        if read.again and is_new:
            await self._on_again(read)

    async def _write(self, record: DeadLetterRecord) -> None:
        key = record.letter.letter_id.encode()
        await self._publish(TOPIC, key, record.model_dump_json().encode())


def _alerts(record: DeadLetterRecord | SinkState) -> Iterable[Alert]:
    """Return every state of an alert that a record holds."""
    return record.message.alerts() if isinstance(record, DeadLetterRecord) and record.message else ()
