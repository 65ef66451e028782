"""A batch that unpacks to more than a worker could hold is refused as one record, and reading goes on."""

import gzip
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as default_in_c
from aiokafka.record._crecords import legacy_records as legacy_in_c
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.runtime.unpacking import MOST, UnpacksTooFarError, _gzip, up_to_a_limit
from tests.streams.runtime.test_batch_fetcher import OURS, taken

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PATCHED = (default_records, default_in_c, legacy_records, legacy_in_c)


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    """Limit unpacking, and leave other tests as they were."""
    before = [(module, {**vars(module)}) for module in PATCHED]
    up_to_a_limit()
    yield
    for module, names in before:
        vars(module).update(names)


def batch(codec: int, first: int, *values: bytes) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 40)
    for at, value in enumerate(values):
        builder.append(at, 1_700_000_000_000, b"key", value, [])
    whole = bytearray(builder.build())
    whole[:8] = first.to_bytes(8, "big")
    return bytes(whole)


def values(data: bytes, aborted: Any = ()) -> list[tuple[int, bytes | None]]:
    polls, position = taken(OURS, data, 0, None, aborted)
    assert position == 5
    return [(offset, value) for poll in polls for offset, _, value, _, _ in poll]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("aborted", [(), ((9, 99),)])
def test_one_batch_too_large_is_one_record_without_a_value_between_those_beside_it(
    codec: str, aborted: Any
) -> None:
    """Also where a transaction was aborted, and batches are parsed in another way."""
    number = CODECS[codec]
    data = batch(number, 0, b"a", b"b") + batch(number, 2, b" " * MOST, b"c") + batch(number, 4, b"d")
    assert values(data, aborted) == [(0, b"a"), (1, b"b"), (2, None), (4, b"d")]


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_within_the_limit_is_unpacked_whole(codec: str) -> None:
    blanks = b" " * (MOST - 100)
    data = batch(CODECS[codec], 0, b"a", blanks) + batch(0, 2, b"b", b"c", b"d")
    assert values(data) == [(0, b"a"), (1, blanks), (2, b"b"), (3, b"c"), (4, b"d")]


def test_a_refused_batch_costs_no_more_memory_than_the_limit() -> None:
    data = batch(CODECS["zstd"], 0, b" " * (MOST * 5)) + batch(0, 1, b"b", b"c", b"d", b"e")
    tracemalloc.start()
    try:
        assert values(data)[0] == (0, None)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * MOST
    finally:
        tracemalloc.stop()


def test_gzip_in_several_files_is_unpacked_to_its_end_and_limited_as_a_whole() -> None:
    assert _gzip(gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"
    half = gzip.compress(b" " * (MOST // 2 + 1))
    with pytest.raises(UnpacksTooFarError):
        _gzip(half + half)
