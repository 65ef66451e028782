"""Keep a local copy of a partition's state, so that recovery reads only the changelog's end."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

Pair = tuple[bytes, bytes | None]  # key, value; None: the key is gone


NEXT = b"\0next"  # key of a local_store's own: the changelog offset to read on from


BLOCK_CACHE, WRITE_BUFFER = 8 << 20, 8 << 20  # bytes a partition; RocksDB's defaults would take gigabytes


class LocalStore(Protocol):
    """A local copy of a partition's state."""

    def load(self, partition: int) -> tuple[int, Iterator[tuple[bytes, bytes]]]:
        """The changelog offset to read on from, and all pairs."""

    def save(self, partition: int, pairs: Iterable[Pair], following: int) -> None:
        """Keep pairs, with the changelog offset that follows them; all or nothing."""

    def close(self, partition: int) -> None:
        """Let go of a partition (its copy stays on the disk)."""


class NoStore:
    """DetectionState only: every recovery reads the whole changelog."""

    def load(self, partition: int) -> tuple[int, Iterator[tuple[bytes, bytes]]]:
        return 0, iter(())

    def save(self, partition: int, pairs: Iterable[Pair], following: int) -> None:
        pass

    def close(self, partition: int) -> None:
        pass


class RocksStore:
    """RocksDB, a database for each partition, with bounded caches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, Any] = {}

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
            self._open[partition] = Rdict(str(self._folder / str(partition)), options=options)
        return self._open[partition]

    def load(self, partition: int) -> tuple[int, Iterator[tuple[bytes, bytes]]]:
        database = self._database(partition)
        following = int(database.get(NEXT) or 0)
        return following, ((key, value) for key, value in database.items() if key != NEXT)

    def save(self, partition: int, pairs: Iterable[Pair], following: int) -> None:
        from rocksdict import WriteBatch

        batch = WriteBatch(raw_mode=True)
        for key, value in pairs:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(NEXT, str(following).encode())
        self._database(partition).write(batch)

    def close(self, partition: int) -> None:
        database = self._open.pop(partition, None)
        if database is not None:
            database.close()
