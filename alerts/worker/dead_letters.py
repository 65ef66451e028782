"""Dead letters: notices that no sink took, on `notices.dead`, held to be read and to be sent again."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from pydantic import ValidationError

from alerts.console.board import Board
from alerts.lifecycle.alert import Notice
from alerts.notices.dead_letters import Buried, DeadLetter
from alerts.worker.settings import Settings

log = structlog.get_logger()

TOPIC: Final = "notices.dead"
HELD: Final = 100  # the newest
Say = Callable[[str, bytes, bytes | None], Awaitable[None]]  # topic, key, value


class DeadLetters:
    """Those of all workers, also of before a restart."""

    def __init__(self, settings: Settings, board: Board, say: Say) -> None:
        self._settings, self._board, self._say = settings, board, say
        self._held: dict[str, tuple[DeadLetter, Notice]] = {}  # by letter id

    def find(self, letter_id: str) -> tuple[DeadLetter, Notice] | tuple[None, None]:
        """A letter and its notice, where it is held."""
        return self._held.get(letter_id, (None, None))

    async def bury(self, sink: str, notice: Notice, reason: str) -> None:
        """A notice will not be delivered."""
        letter = DeadLetter(
            sink=sink,
            notice_id=notice.notice_id,
            headline=notice.headline,
            reason=reason,
            at=dt.datetime.now(dt.UTC),
        )
        await self._publish(Buried(letter=letter, notice=notice))

    async def taken(self, letter: DeadLetter) -> None:
        """A letter was sent again, and its sink took it."""
        await self._publish(Buried(letter=letter))

    async def follow(self) -> None:
        """Hear what is buried, here and elsewhere, for as long as the broker is there."""
        consumer = AIOKafkaConsumer(
            self._settings.topic(TOPIC),
            **self._settings.kafka.aiokafka,
        )
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            for at, begins in (await consumer.beginning_offsets(list(ends))).items():
                consumer.seek(at, max(begins, ends[at] - HELD))
            async for record in consumer:
                self._hear(record)
        finally:
            await consumer.stop()

    def _hear(self, record: Any) -> None:
        """Take a letter with its notice, or without one when it was taken."""
        try:
            buried = Buried.model_validate_json(record.value)
        except ValidationError:
            log.error("dead letter not understood", offset=record.offset)
            return
        letter = buried.letter
        if buried.notice is None:
            self._held.pop(letter.letter_id, None)
            self._board.buried(letter.letter_id)
            return
        self._held[letter.letter_id] = (letter, buried.notice)
        while len(self._held) > HELD:
            self._held.pop(next(iter(self._held)))
        self._board.dead(letter)

    async def _publish(self, buried: Buried) -> None:
        key, value = buried.letter.letter_id, buried.model_dump_json()
        await self._say(TOPIC, key.encode(), value.encode())
