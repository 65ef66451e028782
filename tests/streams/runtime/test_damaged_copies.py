"""A local copy that the disk has damaged is made anew, and a part of it is never taken for the whole."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import META, Copy, DamagedCopyError, RocksStore

pytest.importorskip("rocksdict")

KEYS = {b"sector-%d" % number: os.urandom(300) for number in range(3_000)}
NAME = "topic id"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a copy whose pairs are in files of blocks."""
    store = RocksStore(tmp_path)
    store.save(0, KEYS.items(), Copy(NAME, 7, saved_at=time.time()))
    store._open[0].flush()
    store.close(0)
    return tmp_path / "partition-0"


def largest(folder: Path, pattern: str) -> Path:
    return max(folder.glob(pattern), key=lambda path: path.stat().st_size)


def changed(at: float) -> Callable[[Path], None]:
    """Change some bytes of the blocks, at a part of their length."""

    def damage(folder: Path) -> None:
        file = largest(folder, "*.sst")
        content = bytearray(file.read_bytes())
        place = int(len(content) * at)
        content[place : place + 16] = bytes(byte ^ 255 for byte in content[place : place + 16])
        file.write_bytes(content)

    return damage


def cut(pattern: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(largest(folder, pattern), largest(folder, pattern).stat().st_size // 2)


def own_record(value: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        store = RocksStore(folder.parent)
        store._database(0).put(META, value)
        store.close(0)

    return damage


DAMAGE = {
    "a block at the beginning": changed(0.01),
    "a block in the middle": changed(0.5),
    "half of the blocks": cut("*.sst"),
    "all blocks": lambda folder: largest(folder, "*.sst").unlink(),
    "the list of files": lambda folder: largest(folder, "MANIFEST*").unlink(),
    "the name of the list": lambda folder: (folder / "CURRENT").write_bytes(b""),
    "its own record": own_record(b"\xff"),
    "a list in place of its own record": own_record(b"[]"),
    "no number in its own record": own_record(b'{"following": "x"}'),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_copy_is_not_used_and_the_next_one_is_whole(name: str, folder: Path) -> None:
    DAMAGE[name](folder)
    with pytest.raises(DamagedCopyError):
        RocksStore(folder.parent).load(0)
    changelog = Changelog("changelog", KafkaSettings("nowhere:1"), RocksStore(folder.parent))
    changelog.generation = NAME
    assert changelog._load(0) in (Copy(), Copy(NAME))
    changelog._save(0, [*KEYS.items()], 9, b"")
    changelog.close(0)
    copy = RocksStore(folder.parent).load(0)
    assert (copy.following, copy.pairs) == (9, KEYS)
    assert not changelog.copy_lost


def test_a_copy_that_another_process_uses_is_left_alone(folder: Path) -> None:
    theirs = RocksStore(folder.parent)
    assert theirs.load(0).pairs == KEYS
    second = Changelog("changelog", KafkaSettings("nowhere:1"), RocksStore(folder.parent))
    assert second._load(0) == Copy()
    assert second.copy_lost
    theirs.save(0, [(b"new", b"1")], Copy(NAME, 8, saved_at=time.time()))
    theirs.close(0)
    assert RocksStore(folder.parent).load(0).pairs == KEYS | {b"new": b"1"}
