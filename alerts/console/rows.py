"""Rows of the board: bounded maps of JSON values, each with the version of its last change."""

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Json = dict[str, Any]  # values that json.dumps takes
Rank = Callable[[Json], Any]
REMOVALS = 1_000  # that are remembered; a page that has missed more gets everything


class BoardLimits(BaseModel):
    """How many rows of each kind the board keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sectors: Annotated[int, Field(ge=1)] = 1_000
    alerts: Annotated[int, Field(ge=1)] = 500
    deliveries: Annotated[int, Field(ge=1)] = 100
    dead: Annotated[int, Field(ge=1)] = 100
    controls: Annotated[int, Field(ge=1)] = 200


class Row:
    """One row. It is never changed in place, so its text is made once, however many pages get it."""

    def __init__(self, version: int, value: Json) -> None:
        self.version, self.value = version, value

    @cached_property
    def text(self) -> bytes:
        """The row as JSON."""
        return json.dumps(self.value).encode()


class Removals:
    """The rows that were removed, for the pages that still show them.

    It remembers REMOVALS of them. A page that has seen less than version `floor` may have missed some.
    """

    def __init__(self) -> None:
        self.floor = 0
        self._rows: deque[tuple[int, str, str]] = deque(maxlen=REMOVALS)

    def add(self, version: int, kind: str, key: str) -> None:
        """Remember that a row was removed."""
        if len(self._rows) == self._rows.maxlen:
            self.floor = self._rows[0][0]
        self._rows.append((version, kind, key))

    def newer(self, since: int) -> list[tuple[str, str]]:
        """Return the kinds and keys of the rows that were removed after version `since`."""
        return [(kind, key) for version, kind, key in self._rows if version > since]


class Rows:
    """The rows of one kind. Beyond `limit` the lowest by `rank` is evicted; of equals, the oldest changed."""

    def __init__(self, limit: int, rank: Rank = lambda _: 0) -> None:
        self._limit, self._rank = limit, rank
        self._rows: OrderedDict[str, Row] = OrderedDict()

    def put(self, key: str, row: Row) -> str | None:
        """Keep a row; return the key of the one that was evicted for it, which may be this one."""
        self._rows[key] = row
        self._rows.move_to_end(key)
        if len(self._rows) <= self._limit:
            return None
        evicted = min(self._rows, key=lambda one: self._rank(self._rows[one].value))
        del self._rows[evicted]
        return evicted

    def drop(self, key: str) -> bool:
        """Remove a row; return whether it was there."""
        return self._rows.pop(key, None) is not None

    def get(self, key: str) -> Json | None:
        """Return a row's value; None where there is none of that key."""
        found = self._rows.get(key)
        return found.value if found else None

    def newer(self, since: int) -> list[Row]:
        """Return the rows that changed after version `since`, oldest changed first."""
        return [row for row in self._rows.values() if row.version > since]

    def keys(self) -> list[str]:
        """Return all keys."""
        return list(self._rows)
