"""Files of events: NDJSON, CSV with the contract's fields, and official tables, known by their header."""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, cast

from streams.contract.dead_letters import Reason, Rejected
from streams.contract.file_kinds import encoding, not_text
from streams.contract.sectors import Registry
from streams.producers.headers import WITHIN, Header, find_header
from streams.producers.layout import Layout, shipped
from streams.producers.official_tables import people, tallies
from streams.producers.rows import InputError, Read, Row, row
from streams.producers.stacked_tables import TableReader

STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"


def read(path: str, registry: Registry, layout: Layout | None = None) -> Iterator[Read]:
    """The rows of a file (`-`: standard input; gzip or not), one after the other; official tables by time.

    `layout`: the one that the file has, if it is none of the shipped ones. Raises InputError at once where
    the file cannot be read, is empty, or has a header of no known kind; later where it breaks off.
    """
    rows = _rows(path, registry, layout)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{path} has no events in it")
    return chain((first,), rows)


def _rows(path: str, registry: Registry, layout: Layout | None) -> Iterator[Read]:
    with _readable(path), opened(path) as stream:
        start = stream.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start:
            raise InputError(f"{path} is empty: no events in it")
        if start[:1] == b"[":
            raise InputError(f"{path} is one JSON array: write one object a line (jq -c '.[]')")
        if explained := not_text(start):
            raise InputError(f"{path} {explained}")
        if start[:1] == b"{" or path.removesuffix(".gz").endswith((".ndjson", ".jsonl")):
            yield from _ndjson(stream)
        else:
            yield from _table(path, stream, registry, layout=layout, encoding=encoding(start))


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


@contextmanager
def opened(path: str) -> Iterator[io.BufferedReader]:
    """Return the bytes of a file, unpacked."""
    with sys.stdin.buffer if path == STANDARD_INPUT else Path(path).open("rb") as raw:
        stream = cast("io.BufferedReader", raw)
        if stream.peek(2)[:2] == _GZIP:
            stream = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=stream)))
        yield stream


def _ndjson(stream: IO[bytes]) -> Iterator[Read]:
    for number, line in enumerate(stream, 1):
        if record := line.strip():
            yield Row(number, record)


def _table(
    path: str, stream: IO[bytes], registry: Registry, *, layout: Layout | None, encoding: str
) -> Iterator[Read]:
    # Surrogates stand for what is not UTF-8, so that a row of events is refused alone and a table can be
    # read as Latin-1.
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    with io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as text:
        first = list(islice(text, WITHIN))
        known = (layout,) if layout else shipped()
        header = _header(path, first, known)
        lines = _lines(path, chain(first[header.line :], text), header)
        if header.layout is None:
            yield from _events(lines, header)
            return
        banner = " ".join(first[: header.line - 1])
        reader = TableReader(path, header, header.layout, known=known, registry=registry, banner=banner)
        read_table = people if header.layout.period is None else tallies
        yield from read_table(reader, ((number, [*map(_latin, cells)]) for number, cells in lines))


def _header(path: str, lines: Sequence[str], known: Sequence[Layout]) -> Header:
    if not "".join(lines).replace("\t", "").replace("\n", "").replace("\r", "").isprintable():
        lines = [_latin(line) for line in lines]
    if any("\0" in line for line in lines):
        raise InputError(f"{path} is no text: neither NDJSON nor CSV")
    header = find_header(lines, known)
    if header is None:
        names = "; ".join(f"{one.id} ({one.title})" for one in known)
        raise InputError(
            f"{path}:1: a header of no known kind, in the first {WITHIN} lines. Known are the fields of an "
            f"encounter (surgewatch schema), and the tables {names}. For another: --layout FILE"
        )
    if not header.fits:
        raise InputError(f"{path}:{header.line}: {header.explain()}")
    return header


def _lines(path: str, text: Iterable[str], header: Header) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines below a header, each with its number and at least as many cells as the header.

    Raises InputError where a quote is never closed: it hides all rows below it.
    """
    width, raw = len(header.names), list[str]()
    reader = csv.reader(_remembered(text, raw), delimiter=header.delimiter)
    for cells in reader:
        is_cut = "\n" in "".join(cells[-1:]) or not raw[-1].endswith("\n")
        if is_cut and "".join(raw).count('"') % 2:
            number = reader.line_num + header.line - len(raw) + 1
            raise InputError(f"{path}:{number}: a quote is opened and never closed: is the file cut off?")
        raw.clear()
        if cells:
            padded = [cell.strip() for cell in cells] + [""] * (width - len(cells))
            while len(padded) > width and not padded[-1]:
                padded.pop()
            yield reader.line_num + header.line, padded


def _remembered(lines: Iterable[str], raw: list[str]) -> Iterator[str]:
    for line in lines:
        raw.append(line)
        yield line


def _latin(text: str) -> str:
    """Return the text itself, or, where it was not UTF-8, decoded as Latin-1 (Windows-1252)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252", errors="replace")
    return text


def _events(lines: Iterable[tuple[int, list[str]]], header: Header) -> Iterator[Read]:
    for number, cells in lines:
        if surplus := header.surplus(cells):
            yield Rejected(number, Reason.INVALID, surplus)
            continue
        yield row(number, {name: _cell(name, cells[at]) for name, at in header.at.items() if cells[at]})


def _cell(name: str, cell: str) -> str | int:
    return int(cell) if name == "count" and cell.lstrip("-").isdecimal() else cell
