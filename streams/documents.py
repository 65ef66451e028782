"""TOML documents to models, all that is wrong named at once with file and line."""

import re
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


class DocumentError(ValueError):
    """A document cannot be used; the message names every fault with file and line."""


def load(path: Path, model: type[M]) -> M:
    """Read the TOML file at `path` as a `model`.

    Raises DocumentError where the file cannot be read, is no TOML, or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return model.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DocumentError(f"{path}: {error}") from error
    except ValidationError as error:
        faults = [
            f"{path}:{_line(text, fault['loc'])}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise DocumentError("\n".join(faults)) from error


def _line(text: str, location: tuple[int | str, ...]) -> int:
    """The line where the keys of `location` are met one after the other (1 where they are not)."""
    lines, at = text.splitlines(), 0
    for depth, key in enumerate(location):
        repeats = key if isinstance(key, int) else 0
        word = location[depth - 1] if isinstance(key, int) else key
        seen = re.compile(rf"""(^|[\[.\s"'{{,]){re.escape(str(word))}["']?\s*([\].=])""")
        start = at + 1 if isinstance(key, int) and key else at
        hits = [n for n in range(start, len(lines)) if seen.search(lines[n])]
        if isinstance(key, int) and key:
            hits = hits[repeats - 1 :]
        at = hits[0] if hits else at
    return at + 1
