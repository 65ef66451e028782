"""Records taken out by whole batches are those that aiokafka takes out one by one."""

import asyncio
import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaConnectionError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime import batch_fetcher

AT = TopicPartition("encounters", 0)
ITSELF = (fetcher.PartitionRecords, fetcher.FetchResult)
OURS = (batch_fetcher._PartitionRecords, batch_fetcher._FetchResult)


class Assignment:
    """As aiokafka's, of one partition."""

    active, paused = True, False

    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, _: TopicPartition) -> "Assignment":
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def batches(offsets: list[int], size: int, gap: int) -> bytes:
    """Record batches of so many records; behind each some offsets are missing, as after compaction."""
    data = b""
    for at in range(0, len(offsets), size):
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
        part = offsets[at : at + size]
        for place, offset in enumerate(part):
            builder.append(place, 1_700_000_000_000 + offset, b"key", b"%d" % offset, [("name", b"value")])
        batch = builder.build()
        batch[:8] = (part[0] + at // size * gap).to_bytes(8, "big")
        data += batch
    return data


def fetched(
    classes: tuple[Any, Any], data: bytes, assignment: Assignment, aborted: Sequence[tuple[int, int]] = ()
) -> Any:
    """What the broker answered, as the consumer holds it until it is polled."""
    held = batch_fetcher._Records(data) if classes is OURS else MemoryRecords(data)
    records = classes[0](AT, held, aborted, assignment.position, None, None, True, fetcher.READ_COMMITTED)
    return classes[1](AT, assignment=assignment, partition_records=records, backoff=0)


def taken(
    classes: tuple[Any, Any],
    data: bytes,
    start: int = 0,
    most: int | None = None,
    aborted: Sequence[tuple[int, int]] = (),
) -> tuple[Any, ...]:
    """All that comes out, poll by poll, and where the consumer stands afterwards."""
    assignment = Assignment(start)
    fetch = fetched(classes, data, assignment, aborted)
    polls = []
    while fetch.has_more():
        polls.append([(r.offset, r.key, r.value, r.timestamp, tuple(r.headers)) for r in fetch.getall(most)])
    return polls, assignment.position


each_answer = given(
    number=st.integers(1, 60),
    size=st.integers(1, 20),
    gap=st.integers(0, 3),
    start=st.integers(0, 70),
    most=st.none() | st.integers(1, 25),
)


@each_answer
def test_whole_batches_bring_what_single_records_bring(
    number: int, size: int, gap: int, start: int, most: int | None
) -> None:
    data = batches(list(range(number)), size, gap)
    assert taken(OURS, data, start, most) == taken(ITSELF, data, start, most)


@each_answer
def test_each_poll_begins_where_the_one_before_ended_and_states_both(
    number: int, size: int, gap: int, start: int, most: int | None
) -> None:
    assignment = Assignment(start % min(size, number))  # the first batch is the one with what was asked for
    fetch = fetched(OURS, batches(list(range(number)), size, gap), assignment)
    while fetch.has_more():
        before = assignment.position
        poll = fetch.getall(most)
        assert (poll.start, poll.end) == (before, assignment.position)
        assert bool(poll) == (before < assignment.position)
        assert all(before <= record.offset < assignment.position for record in poll)


def with_header_name(name: bytes) -> bytes:
    """Two batches, the first of which has headers of this name (as long as the one it stands for)."""
    first, second = batches([0, 1, 2], 3, 0), batches([3, 4, 5], 3, 0)
    data = bytearray(first.replace(b"name", name))
    builder_crc = data[17:21]
    data[17:21] = calc_crc32c(memoryview(data)[21:]).to_bytes(4, "big")
    assert builder_crc != data[17:21]
    return bytes(data) + second


def test_a_header_whose_name_is_not_utf8_is_read_like_any_other_record() -> None:
    polls, position = taken(OURS, with_header_name(b"\xff\xfe\xfd\xfc"), 0, None)
    records = [record for poll in polls for record in poll]
    assert [value for _, _, value, _, _ in records] == [b"%d" % at for at in range(6)]
    assert [headers[0][0] for *_, headers in records] == ["\ufffd" * 4] * 3 + ["name"] * 3
    assert position == 6


def transaction(first: int, producer: int, kept: bool, compression: int) -> bytes:
    """A transaction of three records from the offset `first` on, and its mark."""
    body = DefaultRecordBatchBuilder(2, compression, 1, producer, 0, 0, 1 << 20)
    for place in range(3):
        body.append(place, 1_700_000_000_000, b"key", b"%d" % (first + place), [])
    mark = DefaultRecordBatchBuilder(2, 0, 1, producer, 0, 3, 1 << 20)
    mark.append(0, 1_700_000_000_000, struct.pack(">hh", 0, int(kept)), b"\0" * 6, [])
    records, control = body.build(), mark.build()
    records[:8], control[:8] = first.to_bytes(8, "big"), (first + 3).to_bytes(8, "big")
    control[22] |= 0x20
    control[17:21] = calc_crc32c(bytes(control[21:])).to_bytes(4, "big")
    return bytes(records + control)


@pytest.mark.parametrize("compression", range(5), ids=["plain", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("outcomes", [(True, False, True, True, False), (False,), (True,)])
def test_what_a_producer_took_back_is_passed_over_with_the_marks(
    outcomes: tuple[bool, ...], compression: int
) -> None:
    data = b"".join(transaction(4 * at, at % 2, kept, compression) for at, kept in enumerate(outcomes))
    aborted = [(at % 2, 4 * at) for at, kept in enumerate(outcomes) if not kept]
    polls, position = taken(OURS, data, aborted=aborted)
    assert position == 4 * len(outcomes)
    kept_offsets = [4 * at + place for at, kept in enumerate(outcomes) if kept for place in range(3)]
    assert [record[0] for poll in polls for record in poll] == kept_offsets
    assert taken(ITSELF, data, aborted=aborted) == (polls, position)


class Unreachable:
    """A client of aiokafka whose broker does not answer."""

    async def send(self, *_: object) -> None:
        raise KafkaConnectionError


async def cancelled(waiting: Any) -> object:
    """What becomes of a request that waits for another try, when its fetcher is closed."""
    waiting._client, waiting._retry_backoff, waiting._preferred_read_replica = Unreachable(), 60, {}
    task = asyncio.create_task(waiting._proc_fetch_request(Assignment(0), 0, SimpleNamespace(topics=[])))
    await asyncio.sleep(0)
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    return outcome


async def test_a_consumer_can_be_stopped_while_a_fetch_waits_for_another_try() -> None:
    itself, ours = (object.__new__(kind) for kind in (fetcher.Fetcher, batch_fetcher._Fetcher))
    assert isinstance(await cancelled(itself), asyncio.CancelledError)  # else ours is needed no longer
    assert await cancelled(ours) is False
