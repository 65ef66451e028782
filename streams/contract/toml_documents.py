"""TOML documents to models, all that is wrong named at once with file and line."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]
_NAME = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""
_KEY = re.compile(_NAME)
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")


class DocumentError(ValueError):
    """A document cannot be used; the message names every fault with file and line."""


def load(path: Path, model: type[M]) -> M:
    """Read the TOML file at `path` as a `model`.

    Raises DocumentError where the file cannot be read, is no TOML, or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return model.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DocumentError(f"{path}: {error}") from error
    except ValidationError as error:
        lines = _lines(text)
        faults = [_fault(path, _line(lines, fault["loc"]), fault) for fault in error.errors()]
        raise DocumentError("\n".join(faults)) from error


def version(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _fault(path: Path, line: int, fault: ErrorDetails) -> str:
    where, what = ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")
    return f"{path}:{line}: {where}: {what}" if where else f"{path}: {what}"


def _lines(text: str) -> dict[Location, int]:
    """The line of each table and key of a TOML document, by its path; tables of an array by their number."""
    lines: dict[Location, int] = {}
    arrays = Counter[Location]()
    table: Location = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            *parents, last = _keys(header[2])
            table = ()
            for key in parents:
                table += (key,)
                if arrays[table]:  # within the newest table of that array
                    table += (arrays[table] - 1,)
            table += (last,)
            if header[1] == "[[":
                arrays[table] += 1
                lines.setdefault(table, number)
                table += (arrays[table] - 1,)
            lines[table] = number
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault((*table, *_keys(assignment[1])), number)
    return lines


def _keys(dotted: str) -> Location:
    return tuple(key.strip("\"' \t") for key in _KEY.findall(dotted))


def _line(lines: dict[Location, int], location: Location) -> int:
    """The line of the deepest part of `location` that has one of its own (1 where none has)."""
    at: Location = ()
    for part in location:
        if (*at, part) in lines:  # the model adds parts that are not in the text, such as a union's tag
            at += (part,)
    return lines.get(at, 1)
