"""News: what a page gets of the board, whole or what changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from alerts.console.rows import Json, Row


@dataclass(frozen=True)
class News:
    """The rows of each kind that a page lacks, and those that it has to remove (`gone`: kind and id).

    `complete`: all alerts of before the start have been read. `standing` counts the alerts by severity, also
    those that the page has no room for.
    """

    version: int
    whole: bool
    complete: bool
    gone: list[tuple[str, str]]
    standing: dict[str, int]
    rows: dict[str, list[Row]]

    def as_json(self) -> Json:
        """Return it as one JSON value."""
        return {**self._head(), **{kind: [row.value for row in rows] for kind, rows in self.rows.items()}}

    def encode(self) -> bytes:
        """Return it as JSON text. Rows that were encoded before are only copied."""
        head = json.dumps(self._head()).encode()
        return head[:-1] + b"".join(self._lists()) + b"}"

    def _head(self) -> Json:
        return {
            "version": self.version,
            "whole": self.whole,
            "complete": self.complete,
            "gone": self.gone,
            "standing": self.standing,
        }

    def _lists(self) -> Iterator[bytes]:
        for kind, rows in self.rows.items():
            yield b', "%b": [%b]' % (kind.encode(), b", ".join(row.text for row in rows))
