"""Delivery: carries notices to sinks. Kafka is the queue, with a consumer group for each sink.

A sink takes its notices in order and commits an offset when it is done with a notice: delivered, not its
business, or buried in `notices.dead`. So a sink that is down loses nothing, delays no other, and goes on
where it was after a restart. Where more wait than people read one by one, a sink that can makes one digest.
A notice may reach a receiver twice only when the worker dies between the answer and the commit, always under
the same id.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import structlog
from aiokafka import TopicPartition

from alerts.lifecycle.alert import Alert, Notice
from alerts.sinks import Delivered, Digests, Outcome, Refused, Reminds, Request, Retry, Sink
from streams.contract.reading import Unusable, produced_at, read

log = structlog.get_logger()

FIRST_PAUSE: Final = 0.5  # seconds; doubled at every try
LONGEST_PAUSE: Final = 60.0  # so that who comes back is told within about a minute
FEW: Final = 3  # notices that are told one by one, even if they can be told together
KNOWN: Final = 2_000  # notices that are remembered as told, and read back after a restart
MANY: Final = 200  # notices that are fetched at once
WAIT_MS: Final = 1_000  # for notices, before asking again


class Recorder(Protocol):
    """Hears what becomes of each try."""

    def tried(self, sink: str, notice: Notice, outcome: str, seconds: float, reason: str) -> None:
        """One try: delivered, retry, refused or dead."""


Bury = Callable[[str, Notice, str], Awaitable[None]]  # sink, notice, reason: into the dead letters
Carry = Callable[[Sink, Request], Awaitable[Outcome]]


@dataclass
class Courier:
    """Brings notices to one sink, one after the other."""

    sink: Sink
    post: Carry
    bury: Bury
    recorder: Recorder
    give_up: float  # seconds after which a notice becomes a dead letter
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
    gone: str = ""  # why the receiver wants nothing more
    _free_at: float = 0.0

    @property
    def most(self) -> int:
        """Notices that can be told together."""
        return self.sink.most if isinstance(self.sink, Digests) else 1

    async def deliver(self, *notices: Notice) -> bool:
        """Try until the notices are delivered or dead, together; were they delivered?"""
        began, pause = self.now(), FIRST_PAUSE
        while True:
            await self.sleep(max(self._free_at - self.now(), 0.0))
            outcome = await self._try(notices)
            self._free_at = self.now() + self.sink.spacing
            if outcome is None or isinstance(outcome, Delivered):
                return outcome is not None
            if isinstance(outcome, Refused):
                self.gone = outcome.reason if outcome.gone else self.gone
                return await self._bury(notices, outcome.reason)
            wait = outcome.after if outcome.after is not None else pause * self.jitter()
            if self.now() + wait - began > self.give_up:
                return await self._bury(notices, f"gave up: {outcome.reason}")
            await self.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _try(self, notices: Sequence[Notice]) -> Outcome | None:
        if self.gone:
            return Refused(self.gone, gone=True)
        request = self._request(notices)
        if request is None:
            return None
        started = self.now()
        outcome = await self.post(self.sink, request)
        name, reason = _told(outcome)
        for notice in notices:
            self.recorder.tried(self.sink.name, notice, name, self.now() - started, reason)
        return outcome

    def _request(self, notices: Sequence[Notice]) -> Request | None:
        if len(notices) > 1 and isinstance(self.sink, Digests):
            return self.sink.digest(notices, self.now())
        (notice,) = notices
        return self.sink.request(notice, self.now())

    async def _bury(self, notices: Sequence[Notice], reason: str) -> bool:
        for notice in notices:
            await self.bury(self.sink.name, notice, reason)
            self.recorder.tried(self.sink.name, notice, "dead", 0.0, reason)
        return False


def _told(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Delivered():
            return "delivered", ""
        case Retry(reason):
            return "retry", reason
        case Refused(reason):
            return "refused", reason


async def remind(
    sink: Reminds,
    post: Carry,
    alerts: Callable[[], Sequence[Alert]],
    tried: Callable[[str, float, str], None],
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Say what stands again and again, beside the queue; a try that fails is made good by the next.

    `tried` hears of each: outcome, seconds, reason.
    """
    while True:
        await sleep(sink.every)
        if standing := alerts():
            started = now()
            outcome, reason = _told(await post(sink, sink.standing(standing, started)))
            tried(outcome, now() - started, reason)


class Letter(NamedTuple):
    """A notice that a sink takes, and where it stands in its topic."""

    notice: Notice
    at: TopicPartition
    offset: int
    produced_at: int  # ms; 0 where nobody said


class Inbox:
    """The notices that a sink is not done with, each once.

    A worker that died may have said a notice a second time, under the same id. All that stands before the
    offset where a sink goes on was told: those ids are read back first, and what bears one is passed over.
    """

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._begun: dict[TopicPartition, int] = {}  # where this sink went on
        self._done: dict[TopicPartition, int] = {}
        self._finished: dict[TopicPartition, int] = {}  # what the broker knows of it
        self._known: dict[str, None] = {}  # the newest ids, oldest first

    async def letters(self) -> list[Letter]:
        """What came, in the order of its partitions; nothing where nothing came for a while."""
        fetched = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=MANY)
        there = self._consumer.assignment()
        self._begun = {at: offset for at, offset in self._begun.items() if at in there}
        self._done = {at: offset for at, offset in self._done.items() if at in there}
        self._finished = {at: offset for at, offset in self._finished.items() if at in there}
        # A poll may bring nothing but that reading has gone on (`streams.runtime.batch_fetcher.Fetched`).
        came = [(at, records) for at, records in fetched.items() if at in there and len(records)]
        return [letter for at, records in came for letter in self._new(at, records)]

    def _new(self, at: TopicPartition, records: Sequence[Any]) -> Iterator[Letter]:
        first = records[0].offset
        if at not in self._begun:
            self._begun[at] = self._done[at] = first
            if first > 0:
                self._consumer.seek(at, max(first - KNOWN, 0))
                return
        for letter in _opened(at, records):
            if letter.notice.notice_id not in self._known and letter.offset >= self._begun[at]:
                yield letter
            self._known[letter.notice.notice_id] = None
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        self._done[at] = max(records[-1].offset + 1, self._begun[at])

    def waiting(self) -> int:
        """How many notices there are from the last ones that came on."""
        ends = {at: self._consumer.highwater(at) or 0 for at in self._done}
        return sum(max(ends[at] - done, 0) for at, done in self._done.items())

    async def finish(self, letters: Sequence[Letter] = ()) -> None:
        """These letters are done with; without any, all that came is, also what had been told before."""
        done = {letter.at: letter.offset + 1 for letter in letters} or self._done
        news = {at: offset for at, offset in done.items() if self._finished.get(at) != offset}
        if news:
            await self._consumer.commit(news)
            self._finished |= news


async def serve(
    consumer: Any,
    courier: Courier,
    takes: Callable[[Notice], bool],
    told: Callable[[int], None],
    waiting: Callable[[int], None],
) -> None:
    """Bring a sink its notices as they come; `told` hears produced_at (ms) of what was delivered.

    `waiting` hears how many notices are not yet done with.
    """
    inbox = Inbox(consumer)
    while True:
        came = await inbox.letters()
        letters = [letter for letter in came if takes(letter.notice)]
        size = courier.most if len(letters) > FEW else 1
        commit: Awaitable[None] | None = None  # beside the next delivery: it is a way to the broker and back
        try:
            for at in range(0, len(letters), size):
                bunch = letters[at : at + size]
                waiting(inbox.waiting() + len(letters) - at)
                if await courier.deliver(*(letter.notice for letter in bunch)):
                    for produced_at in filter(None, (letter.produced_at for letter in bunch)):
                        told(produced_at)
                if commit is not None:
                    await commit
                commit = asyncio.create_task(inbox.finish(bunch))
        finally:
            if commit is not None:
                await commit
        await inbox.finish()
        waiting(inbox.waiting())


def _opened(at: TopicPartition, records: Sequence[Any]) -> Iterator[Letter]:
    for record in records:
        notice = read(Notice, record)
        if isinstance(notice, Unusable):
            log.error("notice passed over", partition=at.partition, offset=record.offset, reason=notice)
            continue
        yield Letter(notice, at, record.offset, produced_at(record.headers))
