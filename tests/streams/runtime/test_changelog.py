"""The local store, and what becomes of it where it cannot be trusted."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from streams.runtime.changelog import OLDEST, Changelog, Copied
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import Copy, LocalStore, NoStore, RocksStore
from streams.runtime.partition_reader import AT, State
from streams.runtime.transport import Sent

pytest.importorskip("rocksdict")


def changelog_over(store: LocalStore, generation: str = "") -> Changelog:
    changelog = Changelog("changelog", KafkaSettings("nowhere:1"), store)
    changelog.generation = generation
    return changelog


def test_a_store_gives_back_what_was_saved_with_the_offset_to_read_on_from(tmp_path):
    store = RocksStore(tmp_path)
    assert store.load(0) == Copy()
    store.save(0, [(b"a", b"1"), (b"b", b"1")], Copy("topic id", 7, b"6:aa"))
    store.save(0, [(b"a", b"2"), (b"b", None)], Copy("topic id", 9, b"8:\xff"))
    store.close(0)
    assert RocksStore(tmp_path).load(0) == Copy("topic id", 9, b"8:\xff", {b"a": b"2"})


def test_partitions_are_stored_apart(tmp_path):
    store = RocksStore(tmp_path)
    store.save(0, [(b"a", b"1")], Copy(following=7))
    assert store.load(1) == Copy()


def test_a_copy_of_another_topic_of_the_same_name_is_emptied(tmp_path):
    store = RocksStore(tmp_path)
    store.save(0, [(b"a", b"1")], Copy("made in spring", 7, saved_at=time.time()))
    assert changelog_over(store, "made in spring")._load(0).pairs == {b"a": b"1"}
    assert changelog_over(store, "made anew in summer")._load(0) == Copy("made anew in summer")
    assert store.load(0) == Copy()


def test_a_copy_that_may_lack_deletions_which_compaction_has_removed_is_emptied(tmp_path):
    store = RocksStore(tmp_path)
    store.save(0, [(b"a", b"1")], Copy("topic id", 7, saved_at=time.time() - OLDEST - 60))
    assert changelog_over(store, "topic id")._load(0) == Copy("topic id")
    assert store.load(0) == Copy()


def test_a_store_that_cannot_be_written_is_given_up_and_work_goes_on(tmp_path, capsys):
    (tmp_path / "partition-0").write_text("not a database")
    changelog = changelog_over(RocksStore(tmp_path))
    changelog._save(0, [(b"a", b"1")], 1, b"")
    assert isinstance(changelog._local_store, NoStore)
    assert changelog.copy_lost
    assert "local store given up" in capsys.readouterr().out


def test_a_store_that_cannot_be_read_is_read_from_the_changelog_instead(tmp_path):
    (tmp_path / "partition-0").write_text("not a database")
    assert changelog_over(RocksStore(tmp_path))._load(0) == Copy()


class Partition:
    """The end of a changelog's partition, to which this worker and others write."""

    def __init__(self) -> None:
        self.end = 0

    async def put(self, topic, partition, records):
        sent = []
        for _ in records:  # a batch for each
            metadata = asyncio.get_running_loop().create_future()
            metadata.set_result(SimpleNamespace(offset=self.end, timestamp=self.end, timestamp_type=1))
            self.end += 1
            sent.append(Sent(metadata, 1))
        return sent

    async def settled(self):
        pass


async def test_writes_that_follow_upon_each_other_are_copied(tmp_path):
    changelog, partition = changelog_over(RocksStore(tmp_path)), Partition()
    changelog._copied[0] = Copied(following=0, position=0)
    for position in (5, 9):
        await changelog.write(partition, {0: State(position, [(b"a", b"%d" % position)])})
    copy = changelog._load(0)
    assert (copy.following, copy.pairs) == (4, {b"a": b"9", AT: b"9"})


@pytest.mark.parametrize(("foreign", "position"), [(3, 9), (0, 4)])
async def test_a_late_write_behind_that_of_another_worker_leaves_no_copy(tmp_path, foreign, position):
    """It would seem to hold what the other has written in between."""
    changelog, partition = changelog_over(RocksStore(tmp_path)), Partition()
    changelog._copied[0] = Copied(following=0, position=0)
    await changelog.write(partition, {0: State(5, [(b"a", b"5")])})
    partition.end += foreign
    await changelog.write(partition, {0: State(position, [(b"a", b"late")])})
    await changelog.write(partition, {0: State(12, [(b"b", b"12")])})
    assert changelog._load(0) == Copy()


def test_a_copy_from_the_future_of_a_clock_is_not_trusted(tmp_path):
    """How old it is cannot be known: the clock was years ahead when it was saved."""
    store = RocksStore(tmp_path)
    store.save(0, [(b"a", b"1")], Copy("topic id", 7, saved_at=time.time() + 10**8))
    store.close(0)
    assert changelog_over(RocksStore(tmp_path), "topic id")._load(0).pairs == {}
