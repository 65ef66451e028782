"""Unpack what aiokafka fetched in whole batches, with the loops in C.

aiokafka hands records over one at a time, each through two Python frames and copied into a dataclass. That is
most of what reading costs; none of it is needed where whole fetches are processed. With this, a record costs
.3 µs in place of 1.9. Classes of aiokafka are replaced, by name, for all consumers of the process.

A batch that unpacks to more than a worker could hold is handed over as one record without a value, at the
offset of its first: what reads it refuses that record, as any other that cannot be read, and goes on.

One of the classes works around a bug: a consumer that is stopped while a fetch waits for another try raises
CancelledError, as if whoever stops it had been cancelled.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from types import SimpleNamespace
from typing import Any

import structlog
from aiokafka.consumer import consumer, fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from streams.runtime.unpacking import UnpacksTooFarError, up_to_a_limit

log = structlog.get_logger()

OVERHEAD = 12  # bytes before a batch: its offset (8) and length (4)


class Fetched(list[Any]):
    """Records of one partition: all that there are from the offset `start` on until before `end`.

    There may be none, where only control records of transactions stand, or what was aborted. So a gap between
    two fetches can be distinguished from records that were never there.
    """

    def __init__(self, records: Iterable[Any] = (), start: int = 0, end: int = 0) -> None:
        super().__init__(records)
        self.start, self.end = start, end

    def __bool__(self) -> bool:
        # aiokafka passes over what is empty; nobody would learn that reading has gone beyond it.
        return self.end > self.start


class _Lenient(bytearray):
    """Bytes whose text is decoded whatever it is."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _Lenient(part) if isinstance(place, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # untyped
    """A batch with U+FFFD for what is not UTF-8. Until it is iterated it is as it was sent, to be checked."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Lenient(self._buffer)

    def __iter__(self) -> Any:
        try:
            return super().__iter__()
        except UnpacksTooFarError as error:
            return iter([_stand_in(self, error)])


def _stand_in(batch: Any, error: UnpacksTooFarError) -> Any:
    """Return a record without a value in place of a batch."""
    first, last = batch.base_offset, batch.next_offset - 1
    log.error("batch refused", offset=first, last_offset=last, error=str(error))
    return SimpleNamespace(
        offset=first, timestamp=batch.max_timestamp, timestamp_type=1, key=None, value=None, headers=[],
        checksum=None,
    )  # fmt: skip


class _Records(MemoryRecords):  # type: ignore[misc] # untyped
    """Batches as the broker sent them; one that aiokafka cannot parse can be had in another way.

    aiokafka raises for a header whose name is not UTF-8, at every fetch again. Any producer may write one.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data, self._given = memoryview(data), 0
        self.lenient = False  # parse every batch in the other way, which is slow

    def next_batch(self) -> Any:
        self._given += 1
        batch = super().next_batch()
        return self.last_batch() if self.lenient else batch

    def last_batch(self) -> Any:
        """The batch that was given last, whatever its text."""
        start = end = 0
        for _ in range(self._given):
            start, end = end, end + OVERHEAD + int.from_bytes(self._data[end + 8 : end + OVERHEAD], "big")
        return _LenientBatch(self._data[start:end])


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc] # untyped
    """Records of one partition, as aiokafka parses them: offset, key, value, timestamp, headers."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        if self._aborted_transactions:  # aiokafka's business
            self._records.lenient = True
            one_by_one: Iterator[Any] = super()._unpack_records()
            return one_by_one
        return chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterable[Any]]:
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not batch.is_control_batch:
                try:
                    records = list(batch)
                except UnicodeDecodeError:
                    records = list(self._records.last_batch())
                except UnpacksTooFarError as error:
                    records = [_stand_in(batch, error)]
                # The broker sends whole batches, also where the one wanted stands in the middle.
                if records and records[0].offset < self.next_fetch_offset:
                    records = [record for record in records if record.offset >= self.next_fetch_offset]
                yield records
            self.next_fetch_offset = batch.next_offset


class _FetchResult(fetcher.FetchResult):  # type: ignore[misc] # untyped
    """A fetch that is handed over at once."""

    _partition_records: Any

    def getall(self, max_records: int | None = None) -> Fetched:
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return Fetched()
        unpacked = self._partition_records
        start = unpacked.next_fetch_offset
        records = list(islice(unpacked._records_iterator, max_records))
        if records and len(records) == max_records:
            unpacked.next_fetch_offset = records[-1].offset + 1
        self._update_position()
        if len(records) != max_records:
            self._partition_records = None
        return Fetched(records, start, unpacked.next_fetch_offset)


class _Fetcher(fetcher.Fetcher):  # type: ignore[misc] # untyped
    """A fetcher that can be closed at any time."""

    async def _proc_fetch_request(self, *request: Any) -> bool:
        try:
            return bool(await super()._proc_fetch_request(*request))
        except asyncio.CancelledError:  # as aiokafka does while it waits for the broker
            return False


def in_whole_batches() -> None:
    """From now on consumers of this process take whole batches. To be called before any of them fetches."""
    fetcher.PartitionRecords, fetcher.FetchResult = _PartitionRecords, _FetchResult
    fetcher.MemoryRecords = _Records
    up_to_a_limit()
    consumer.Fetcher = _Fetcher
