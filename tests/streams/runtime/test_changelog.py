"""The local_store and what the changelog's records say, without a broker."""

from types import SimpleNamespace

import pytest

from streams.runtime.changelog import AT, POSITION, Changelog, PartitionReader
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import LocalStore, NoStore, RocksStore

pytest.importorskip("rocksdict")


def record(key: bytes, value: bytes | None, position: int) -> SimpleNamespace:
    return SimpleNamespace(key=key, value=value, headers=((POSITION, str(position).encode()),))


def end(position: int) -> SimpleNamespace:
    return record(AT, str(position).encode(), position)


def test_the_newest_value_of_a_key_holds():
    held: dict[bytes, bytes] = {}
    PartitionReader(held).apply(
        [record(b"a", b"1", 5), record(b"b", b"1", 5), end(5), record(b"a", b"2", 9), end(9)]
    )
    assert held == {b"a": b"2", b"b": b"1", AT: b"9"}


def test_a_key_without_value_is_gone():
    held = {b"a": b"1"}
    news = PartitionReader(held)
    news.apply([record(b"a", None, 5), end(5)])
    assert held == {AT: b"5"}
    assert (b"a", None) in news.pairs()


def test_a_write_that_was_not_finished_never_held_and_is_taken_back():
    held: dict[bytes, bytes] = {}
    news = PartitionReader(held)
    news.apply([record(b"a", b"1", 5), end(5), record(b"a", b"2", 9), record(b"b", b"2", 9)])
    assert held == {b"a": b"1", AT: b"5"}
    assert news.rolled_back() == (5, [(b"a", b"1"), (b"b", None)])


def test_a_worker_that_was_thought_dead_cannot_turn_the_state_back():
    held: dict[bytes, bytes] = {}
    PartitionReader(held).apply(
        [record(b"a", b"new owner", 20), end(20), record(b"a", b"late word", 12), end(12)]
    )
    assert held == {b"a": b"new owner", AT: b"20"}


def test_a_shelf_gives_back_what_was_saved_with_the_offset_to_read_on_from(tmp_path):
    local_store = RocksStore(tmp_path)
    assert taken(local_store) == (0, {})
    local_store.save(0, [(b"a", b"1"), (b"b", b"1")], 7)
    local_store.save(0, [(b"a", b"2"), (b"b", None)], 9)
    local_store.close(0)
    assert taken(RocksStore(tmp_path)) == (9, {b"a": b"2"})


def test_partitions_are_shelved_apart(tmp_path):
    local_store = RocksStore(tmp_path)
    local_store.save(0, [(b"a", b"1")], 7)
    assert taken(local_store, 1) == (0, {})


def test_a_shelf_that_cannot_be_written_is_given_up_and_work_goes_on(tmp_path, capsys):
    (tmp_path / "0").write_text("not a database")
    changelog = Changelog("changelog", KafkaSettings("nowhere:1"), RocksStore(tmp_path))
    changelog._keep(0, [(b"a", b"1")], 1)
    assert isinstance(changelog._local_store, NoStore)
    assert "local_store given up" in capsys.readouterr().out


def test_a_shelf_that_cannot_be_read_is_read_from_the_changelog_instead(tmp_path):
    (tmp_path / "0").write_text("not a database")
    changelog = Changelog("changelog", KafkaSettings("nowhere:1"), RocksStore(tmp_path))
    assert changelog._unshelve(0) == (0, {})


def taken(local_store: LocalStore, partition: int = 0) -> tuple[int, dict[bytes, bytes]]:
    following, pairs = local_store.load(partition)
    return following, dict(pairs)
