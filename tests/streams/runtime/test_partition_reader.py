"""What the records of a changelog amount to, without a broker."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.local_store import Copy
from streams.runtime.partition_reader import AT, LAST, POSITION, SET_BACK, PartitionReader, State
from streams.runtime.refusals import StateError


def record(key: bytes, value: bytes | None, position: int, last: bytes = b"") -> SimpleNamespace:
    headers = [(POSITION, str(position).encode()), (LAST, last)]
    return SimpleNamespace(key=key, value=value, headers=headers, offset=7)


def end(position: int, last: bytes = b"") -> SimpleNamespace:
    return record(AT, str(position).encode(), position, last)


def applied(*records: SimpleNamespace) -> tuple[Copy, PartitionReader]:
    copy = Copy()
    reader = PartitionReader("counts", 0, copy)
    reader.apply(records)
    return copy, reader


def test_the_newest_value_of_a_key_holds() -> None:
    copy, _ = applied(record(b"a", b"1", 5), record(b"b", b"1", 5), end(5), record(b"a", b"2", 9), end(9))
    assert copy.pairs == {b"a": b"2", b"b": b"1", AT: b"9"}


def test_a_key_without_value_is_gone() -> None:
    copy, reader = applied(record(b"a", b"1", 4), end(4), record(b"a", None, 5), end(5))
    assert copy.pairs == {AT: b"5"}
    assert (b"a", None) in reader.pairs()


def test_a_write_that_was_not_finished_never_held_and_is_taken_back() -> None:
    copy, reader = applied(record(b"a", b"1", 5), end(5), record(b"a", b"2", 9), record(b"b", b"2", 9))
    assert copy.pairs == {b"a": b"1", AT: b"5"}
    assert reader.rolled_back() == State(5, [(b"a", b"1"), (b"b", None)])


def test_a_worker_that_was_thought_dead_cannot_turn_the_state_back() -> None:
    copy, _ = applied(record(b"a", b"new owner", 20), end(20), record(b"a", b"late", 12), end(12))
    assert copy.pairs == {b"a": b"new owner", AT: b"20"}


def test_an_operator_can_set_the_state_back() -> None:
    back = [record(b"a", b"1", 3), end(3)]
    for one in back:
        one.headers.append((SET_BACK, b""))
    copy, _ = applied(record(b"a", b"0", 20), end(20), *back, record(b"a", b"2", 5), end(5))
    assert copy.pairs == {b"a": b"2", AT: b"5"}


def test_the_last_source_record_is_known_by_its_fingerprint() -> None:
    copy, reader = applied(record(b"a", b"1", 5), end(5, b"4:abc"), end(3, b"2:old"))
    assert copy.last == reader.last == b"4:abc"
    assert copy.state().last == b"4:abc"


@pytest.mark.parametrize("position", [b"junk", b"-1", b"1.0", b"9" * 40])
def test_a_position_that_is_no_offset_is_refused_with_its_place(position: bytes) -> None:
    foreign = SimpleNamespace(key=b"k", value=b"v", headers=[(POSITION, position)], offset=31)
    with pytest.raises(StateError, match=r"counts\[0\] holds a foreign record at offset 31 \(key b'k'"):
        applied(foreign)


headers = st.lists(st.tuples(st.sampled_from([POSITION, LAST, "x"]), st.none() | st.binary(max_size=30)))


@given(key=st.none() | st.binary(), value=st.none() | st.binary(), headers=headers)
def test_any_record_is_applied_or_refused(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    copy = Copy()
    with suppress(StateError):
        PartitionReader("counts", 0, copy).apply(
            [SimpleNamespace(key=key, value=value, headers=headers, offset=0)]
        )
    assert copy.state().position >= 0
