"""Unpack a batch of records that its producer compressed, up to a limit.

A broker measures batches as they are sent. Six kilobytes of zstd can be 200 MB of blanks, and a batch of a
megabyte more than any machine has: a worker that unpacked it would be ended by the system, and again at every
start. So unpacking stops at a limit, in every codec.
"""

import struct
import threading
import zlib
from collections.abc import Callable
from typing import Any, Final

import cramjam
from aiokafka import codec
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as default_in_c
from aiokafka.record._crecords import legacy_records as legacy_in_c

MOST: Final = 64 << 20  # bytes of a batch: brokers take 1 MiB by default, and events shrink to a tenth
_GZIP: Final = 16 + zlib.MAX_WBITS  # for zlib: with gzip's header
_XERIAL: Final = 16  # bytes before the blocks of snappy
_FULL: Final = "failed to write whole buffer"  # cramjam's words where a buffer is too small
_buffers = threading.local()  # one for each thread that unpacks


class UnpacksTooFarError(Exception):
    """A batch is larger than MOST once it is unpacked."""

    def __init__(self) -> None:
        super().__init__(f"it unpacks to more than {MOST >> 20} MiB")


def _into(decompress_into: Callable[[Any, Any], int], payload: Any) -> bytes:
    """Unpack into a buffer that is as large as a batch may be."""
    if not hasattr(_buffers, "whole"):
        _buffers.whole = bytearray(MOST)
    try:
        length = decompress_into(payload, _buffers.whole)
    except cramjam.DecompressionError as error:
        if str(error) == _FULL:
            raise UnpacksTooFarError from error
        raise
    return bytes(memoryview(_buffers.whole)[:length])


def _zstd(payload: Any) -> bytes:
    return _into(cramjam.zstd.decompress_into, payload)


def _lz4(payload: Any) -> bytes:
    return _into(cramjam.lz4.decompress_into, payload)


def _gzip(payload: Any) -> bytes:
    """Unpack gzip, which may be several files, one behind the other."""
    out, left = bytearray(), bytes(payload)
    while left:
        unpacker = zlib.decompressobj(_GZIP)
        out += unpacker.decompress(left, MOST - len(out) + 1)
        if len(out) > MOST:
            raise UnpacksTooFarError
        if not unpacker.eof:
            raise EOFError("gzip: truncated")
        left = unpacker.unused_data.lstrip(b"\0")  # padding
    return bytes(out)


def _snappy(payload: Any) -> bytes:
    """Unpack snappy, whole or in blocks. Each states its length."""
    data, total = memoryview(payload), 0
    blocks = _xerial_blocks(data) if codec._detect_xerial_stream(payload) else [data]
    for block in blocks:
        total += cramjam.snappy.decompress_raw_len(block)
        if total > MOST:
            raise UnpacksTooFarError
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial_blocks(data: memoryview) -> list[memoryview]:
    blocks, at = [], _XERIAL
    while at < len(data):
        (size,) = struct.unpack_from("!i", data, at)
        blocks.append(data[at + 4 : at + 4 + size])
        at += 4 + max(size, 0)
    return blocks


def up_to_a_limit() -> None:
    """From now on consumers of this process unpack no batch beyond MOST. They raise UnpacksTooFarError."""
    for module in (default_records, default_in_c, legacy_records, legacy_in_c):
        module.gzip_decode, module.snappy_decode, module.lz4_decode = _gzip, _snappy, _lz4
    for module in (default_records, default_in_c):
        module.zstd_decode = _zstd
