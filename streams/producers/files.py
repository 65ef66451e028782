"""Files of events: NDJSON, CSV with the contract's fields, and official tables, known by their header.

A table may be a sheet of a workbook. Any file may be packed: gzip, bzip2, xz, or a zip archive of one file.
"""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, cast

from streams.contract.dead_letters import Reason, Rejected
from streams.contract.sectors import Registry
from streams.producers.headers import WITHIN, Header, find_header
from streams.producers.layout import Layout, shipped
from streams.producers.official_tables import people, tallies
from streams.producers.rows import Read, Row, row
from streams.producers.stacked_tables import TableReader
from streams.table_files.faults import InputError
from streams.table_files.kinds import encoding, not_text
from streams.table_files.unpacking import BROKEN, unpacked
from streams.table_files.workbooks import is_workbook, sheet_text

STANDARD_INPUT = "-"
_TALLEST = 6  # lines of a cell of a header


def read(
    path: str, registry: Registry, layout: Layout | None = None, *, sheet: str | None = None
) -> Iterator[Read]:
    """The rows of a file (`-`: standard input), one after the other; those of official tables by time.

    `layout`: the one that the file has, if it is none of the shipped ones. `sheet`: the one to read of a
    workbook; without it, the only one whose header is known. Raises InputError at once where the file cannot
    be read, is empty, or has a header of no known kind; later where it breaks off.
    """
    rows = _rows(path, registry, (layout,) if layout else shipped(), sheet)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{path} has no events in it")
    return chain((first,), rows)


def _rows(path: str, registry: Registry, known: Sequence[Layout], sheet: str | None) -> Iterator[Read]:
    with _readable(path), _opened(path) as stream:
        start = stream.peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start:
            raise InputError(f"{path} is empty: no events in it")
        if is_workbook(start):
            name, text = sheet_text(
                path, stream, lambda head: _fits(head, known), within=WITHIN, wanted=sheet
            )
            sheet_lines = io.StringIO(text, newline="")
            yield from _table(f"{path}[{name}]", sheet_lines, registry, known=known, title=name)
            return
        if sheet is not None:
            raise InputError(f"{path} is no workbook: it has no sheet {sheet!r}")
        if start[:1] == b"[":
            raise InputError(f"{path} is one JSON array: write one object a line (jq -c '.[]')")
        if explained := not_text(start):
            raise InputError(f"{path} {explained}")
        if start[:1] == b"{" or path.removesuffix(".gz").endswith((".ndjson", ".jsonl")):
            yield from _ndjson(stream)
        else:
            with _text(stream, encoding(start)) as lines:
                yield from _table(path, lines, registry, known=known)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except (*BROKEN, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


@contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    """Return the bytes of a file, unpacked."""
    with sys.stdin.buffer if path == STANDARD_INPUT else Path(path).open("rb") as raw:
        yield unpacked(path, cast("io.BufferedReader", raw))


def _text(stream: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    # Surrogates stand for what is not UTF-8, so that a row of events is refused alone and a table can be
    # read as Latin-1.
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    return io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")


def _fits(text: str, known: Sequence[Layout]) -> bool:
    header = find_header([*io.StringIO(text, newline="")], known)
    return header is not None and header.fits


def _ndjson(stream: IO[bytes]) -> Iterator[Read]:
    for number, line in enumerate(stream, 1):
        if record := line.strip():
            yield Row(number, record)


def _table(
    path: str, text: Iterable[str], registry: Registry, *, known: Sequence[Layout], title: str = ""
) -> Iterator[Read]:
    text = iter(text)
    first = _whole(list(islice(text, WITHIN)))
    header = _header(path, first, known)
    lines = _lines(path, chain(first[header.line :], text), header)
    if header.layout is None:
        yield from _events(lines, header)
        return
    banner = " ".join([title, *first[: header.line - 1]])
    reader = TableReader(path, header, header.layout, known=known, registry=registry, banner=banner)
    read_table = people if header.layout.period is None else tallies
    yield from read_table(reader, ((number, [*map(_latin, cells)]) for number, cells in lines))


def _whole(lines: list[str]) -> list[str]:
    """The lines, with a cell that goes on over several of them in the last of these; the others are empty."""
    for at, line in enumerate(lines):
        if line.count('"') % 2 == 0:
            continue
        for end in range(at + 1, min(at + _TALLEST, len(lines))):
            if lines[end].count('"') % 2:
                lines[end] = "".join(lines[at : end + 1])
                lines[at:end] = [""] * (end - at)
                break
    return lines


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
