"""Files of events: NDJSON, CSV with the contract's fields, and two official layouts, told by their header."""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

from streams.contract.events import Encounter
from streams.contract.sectors import Registry
from streams.producers.official_tables import (
    APPREHENSION_COLUMNS,
    CBP_COLUMNS,
    Line,
    apprehensions,
    cbp_tallies,
)
from streams.producers.rows import InputError, Read, Row, row

STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"
_REQUIRED = tuple(name for name, field in Encounter.model_fields.items() if field.is_required())
Layout = Callable[[Iterable[Line], Registry], Iterator[Read]]


def read(path: str, registry: Registry) -> Iterator[Read]:
    """The rows of a file (`-`: standard input; gzip or not), one after the other; official tables by time.

    Raises InputError at once where the file cannot be read, is empty, or has a header that is none of the
    known ones, and later where it ends in the middle.
    """
    rows = _rows(path, registry)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{path} has no events in it")
    return chain((first,), rows)


def _rows(path: str, registry: Registry) -> Iterator[Read]:
    with _readable(path), _opened(path) as stream:
        start = stream.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start:
            raise InputError(f"{path} is empty: no events in it")
        if start[:1] == b"{" or _is_ndjson(path):
            yield from _ndjson(stream)
        else:
            yield from _csv(path, stream, registry)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _is_ndjson(path: str) -> bool:
    return path.removesuffix(".gz").endswith((".ndjson", ".jsonl"))


@contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    """The bytes of the file, unpacked."""
    with sys.stdin.buffer if path == STANDARD_INPUT else Path(path).open("rb") as raw:
        stream = cast("io.BufferedReader", raw)
        if stream.peek(2)[:2] == _GZIP:
            stream = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=stream)))
        yield stream


def _ndjson(stream: IO[bytes]) -> Iterator[Read]:
    for number, line in enumerate(stream, 1):
        if record := line.strip():
            yield Row(number, record)


def _csv(path: str, stream: IO[bytes], registry: Registry) -> Iterator[Read]:
    # surrogates stand for what is not UTF-8: the one row is refused, and not the file
    with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        reader = csv.reader(text)
        header = [name.strip().casefold() for name in next(reader)]
        layout = _layout(path, header)
        yield from layout(_lines(reader, header), registry)


def _lines(reader: Any, header: list[str]) -> Iterator[Line]:
    for cells in reader:
        if cells:
            padded = cells + [""] * (len(header) - len(cells))
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in padded), strict=False))


def _layout(path: str, header: list[str]) -> Layout:
    if set(CBP_COLUMNS) <= set(header):
        return cbp_tallies
    if set(APPREHENSION_COLUMNS) <= set(header):
        return apprehensions
    if not "".join(header).isprintable():
        raise InputError(f"{path} is no text: neither NDJSON nor CSV")
    strange = [name for name in header if name not in Encounter.model_fields]
    missing = [name for name in _REQUIRED if name not in header]
    if not strange and not missing:
        return _events
    faults = [f"unknown column {name[:64]!r}" for name in strange[:5]] + [
        f"no column {name!r}" for name in missing
    ]
    raise InputError(
        f"{path}:1: a header of no known kind: {', '.join(faults)}. Known are the fields of an encounter "
        "(surgewatch schema), CBP's encounters by area of responsibility, and single apprehensions"
    )


def _events(lines: Iterable[Line], _: Registry) -> Iterator[Read]:
    for number, cells in lines:
        yield row(number, {name: _cell(name, cell) for name, cell in cells.items() if cell})


def _cell(name: str, cell: str) -> str | int:
    return int(cell) if name == "count" and cell.lstrip("-").isdecimal() else cell
