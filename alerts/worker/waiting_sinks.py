"""Sinks that take nothing, for every console: whichever worker delivers to a sink, its ledger tells.

A message is pending in the ledger from before its request until the sink has taken or refused it. One that is
pending for longer than a request lasts is not being taken.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from alerts.console.board import Board
from alerts.console.topic_reader import follow
from alerts.notices.ledger import Entry, LedgerRecord
from streams.runtime.kafka_settings import KafkaSettings

SECONDS: Final = 40.0  # a mail takes 30 at most
LOOK_SECONDS: Final = 5.0
NOTHING: Final = b'"pending":null'  # in an entry that need not be decoded


class Pending(NamedTuple):
    """A message on its way: since when by the broker's clock, and when that was read by the steady one."""

    sink: str
    since: dt.datetime
    read_at: float


class WaitingSinks:
    """What is pending in the ledger, by sink and alert."""

    def __init__(self, board: Board, clock: Callable[[], float] = time.monotonic) -> None:
        self._board, self._clock = board, clock
        self._pending: dict[bytes, Pending] = {}  # by sink and alert

    def apply(self, record: Any) -> None:
        """Take one record of `deliveries`. The owner of a sink counts those that are not understood."""
        key = record.key or b""
        if not record.value or NOTHING in record.value:
            self._pending.pop(key, None)
        elif key not in self._pending and (found := _read(record)):
            self._pending[key] = Pending(*found, self._clock())

    def show(self) -> None:
        """Show the sinks whose messages have been on their way for too long."""
        before = self._clock() - SECONDS
        for pending in self._pending.values():
            if pending.read_at < before:
                self._board.waits(pending.sink, pending.since)

    async def follow(self, topic: str, kafka: KafkaSettings) -> None:
        """Read the ledger and show what it tells, for as long as this is not cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follow(topic, kafka, self.apply))
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                self.show()


def _read(record: Any) -> tuple[str, dt.datetime] | None:
    """Return the sink of an entry with a pending message, and when it was written; None for all else."""
    try:
        sink, _, entry = LedgerRecord.decode(record.key or b"", record.value)
        at = dt.datetime.fromtimestamp(record.timestamp / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return (sink, at) if isinstance(entry, Entry) and entry.pending else None
