"""Keep a local copy of a partition's state, so that recovery reads only the changelog's end."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from streams.runtime.partition_reader import AT, Pair, State, position_of

META = b"\0meta"  # key of the store's own: what Copy holds beside its pairs
NAME = "partition-"  # of a partition's folder, before its number
# In errors of RocksDB about files that were changed or are gone. (Another process's lock is no damage.)
DAMAGE = ("Corruption", "No such file or directory")
BLOCK_CACHE, WRITE_BUFFER = 8 << 20, 8 << 20  # bytes a partition; RocksDB's defaults would take gigabytes


@dataclass
class Copy:
    """A partition's keys and values as of the changelog offset `following`.

    `generation` is the broker's id of the changelog it was copied from, `stamp` the time at which the broker
    appended the record before `following` (ms; 0: not known). `last` is the fingerprint of the source record
    that was counted last. `saved_at`: epoch seconds.
    """

    generation: str = ""
    following: int = 0
    last: bytes = b""
    pairs: dict[bytes, bytes] = field(default_factory=dict)
    saved_at: float = 0.0
    stamp: int = 0

    def clear(self, following: int) -> None:
        """Forget everything, to read the changelog from here on."""
        self.following, self.last, self.stamp = following, b"", 0
        self.pairs.clear()

    def state(self) -> State:
        """The state that the core is given."""
        pairs: list[Pair] = [(key, value) for key, value in self.pairs.items() if key != AT]
        return State(position_of(self.pairs), pairs, self.last)


class DamagedCopyError(Exception):
    """A copy is not whole: the disk lost a part of it, or changed it."""


class LocalStore(Protocol):
    """A local copy of a partition's state."""

    def load(self, partition: int) -> Copy:
        """The copy; empty where there is none. Raises DamagedCopyError."""

    def save(self, partition: int, pairs: Iterable[Pair], copy: Copy) -> None:
        """Keep pairs that changed, with the copy's other fields; all or nothing."""

    def clear(self, partition: int) -> None:
        """Delete a partition's copy."""

    def close(self, partition: int) -> None:
        """Let go of a partition (its copy stays on the disk)."""

    def copies(self) -> set[int]:
        """Return the partitions that have a copy."""


class NoStore:
    """No local copy: every recovery reads the whole changelog."""

    def load(self, partition: int) -> Copy:
        return Copy()

    def save(self, partition: int, pairs: Iterable[Pair], copy: Copy) -> None:
        pass

    def clear(self, partition: int) -> None:
        pass

    def close(self, partition: int) -> None:
        pass

    def copies(self) -> set[int]:
        return set()


class RocksStore:
    """RocksDB, a database for each partition, with bounded caches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, Any] = {}

    def _path(self, partition: int) -> Path:
        return self._folder / f"{NAME}{partition}"

    def _database(self, partition: int) -> Any:
        from rocksdict import BlockBasedOptions, Cache, Options, Rdict

        if partition not in self._open:
            blocks = BlockBasedOptions()
            blocks.set_block_cache(Cache(BLOCK_CACHE))
            options = Options(raw_mode=True)
            options.create_if_missing(True)
            options.set_block_based_table_factory(blocks)
            options.set_write_buffer_size(WRITE_BUFFER)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open[partition] = Rdict(str(self._path(partition)), options=options)
        return self._open[partition]

    def load(self, partition: int) -> Copy:
        try:
            database = self._database(partition)
            pairs = _pairs(database)
        except Exception as error:  # rocksdict has no class of its own for them
            if any(sign in str(error) for sign in DAMAGE):
                raise DamagedCopyError(str(error)) from error
            raise
        try:
            meta = json.loads(pairs.pop(META, b"{}"))
            return Copy(
                generation=meta.get("generation", ""),
                following=int(meta.get("following", 0)),
                last=bytes.fromhex(meta.get("last", "")),
                pairs=pairs,
                saved_at=float(meta.get("saved_at", 0.0)),
                stamp=int(meta.get("stamp", 0)),
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise DamagedCopyError(f"its own record cannot be read: {error}") from error

    def save(self, partition: int, pairs: Iterable[Pair], copy: Copy) -> None:
        from rocksdict import WriteBatch

        batch = WriteBatch(raw_mode=True)
        for key, value in pairs:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        meta = {
            "generation": copy.generation,
            "following": copy.following,
            "last": copy.last.hex(),
            "saved_at": copy.saved_at,
            "stamp": copy.stamp,
        }
        batch.put(META, json.dumps(meta).encode())
        self._database(partition).write(batch)

    def clear(self, partition: int) -> None:
        self.close(partition)
        shutil.rmtree(self._path(partition), ignore_errors=True)

    def close(self, partition: int) -> None:
        database = self._open.pop(partition, None)
        if database is not None:
            database.close()

    def copies(self) -> set[int]:
        numbers = (path.name.removeprefix(NAME) for path in self._folder.glob(f"{NAME}*"))
        return {int(number) for number in numbers if number.isdecimal()}


def _pairs(database: Any) -> dict[bytes, bytes]:
    """Return all that a database holds. Raises where it cannot be read to its end.

    `items()` ends at a damaged block as at the end: what lies behind it would be missing, and nobody knew.
    """
    found, cursor = dict[bytes, bytes](), database.iter()
    cursor.seek_to_first()
    while cursor.valid():
        found[cursor.key()] = cursor.value()
        cursor.next()
    cursor.status()
    return found
