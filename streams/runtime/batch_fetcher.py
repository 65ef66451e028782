"""What aiokafka fetched, taken out of its record batches with the loops in C.

aiokafka hands records over one at a time, each through two Python frames and copied into a dataclass. That is
most of what reading costs; nothing of it is needed where whole fetches are taken. With this, a record costs
.3 µs in place of 1.9. Two classes of aiokafka are replaced, by name, for all consumers of the process.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException


class Fetched(list[Any]):
    """Records of one partition: all that there are from the offset `start` on until before `end`.

    There may be none, where only the marks of transactions stand, or what they took back. What is between two
    fetches can so be told from what was never there.
    """

    def __init__(self, records: Iterable[Any] = (), start: int = 0, end: int = 0) -> None:
        super().__init__(records)
        self.start, self.end = start, end

    def __bool__(self) -> bool:
        # aiokafka passes over what is empty; nobody would learn that reading has gone beyond it.
        return self.end > self.start


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc] # untyped
    """Records of one partition, as aiokafka parses them: offset, key, value, timestamp, headers."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Any]:
        if self._aborted_transactions:  # aiokafka's business
            one_by_one: Iterator[Any] = super()._unpack_records()
            return one_by_one
        return chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterable[Any]]:
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not batch.is_control_batch:
                records = list(batch)
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


def in_whole_batches() -> None:
    """From now on consumers of this process take whole batches. To be called before any of them fetches."""
    fetcher.PartitionRecords, fetcher.FetchResult = _PartitionRecords, _FetchResult
