"""Rows of the board: bounded maps of JSON values, each with the version of its last change."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]  # values that json.dumps takes
Rank = Callable[[Json], Any]


class Rows:
    """The rows of one kind. Beyond `limit` the lowest by `rank` is evicted; of equals, the oldest changed."""

    def __init__(self, limit: int, rank: Rank = lambda _: 0) -> None:
        self._limit, self._rank = limit, rank
        self._rows: OrderedDict[str, tuple[int, Json]] = OrderedDict()

    def put(self, key: str, version: int, row: Json) -> str | None:
        """Keep a row; return the key of the one that was evicted for it, which may be this one."""
        self._rows[key] = (version, row)
        self._rows.move_to_end(key)
        if len(self._rows) <= self._limit:
            return None
        evicted = min(self._rows, key=lambda one: self._rank(self._rows[one][1]))
        del self._rows[evicted]
        return evicted

    def drop(self, key: str) -> bool:
        """Remove a row; return whether it was there."""
        return self._rows.pop(key, None) is not None

    def get(self, key: str) -> Json | None:
        """Return a row; None where there is none of that key."""
        found = self._rows.get(key)
        return found[1] if found else None

    def newer(self, since: int) -> list[Json]:
        """Return the rows that changed after version `since`, oldest changed first."""
        return [row for version, row in self._rows.values() if version > since]

    def keys(self) -> list[str]:
        """Return all keys."""
        return list(self._rows)
