"""What the records of a changelog partition amount to. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from xxhash import xxh3_64_hexdigest

from streams.runtime.refusals import StateError

AT = b"\0at"  # key of the changelog's own: the source offset up to which the partition had been counted
POSITION = "position"  # header of a changelog record: the source offset up to which its writer had counted
LAST = "last"  # header of a changelog record: the fingerprint of the source record that was counted last
SET_BACK = "set back"  # header of a changelog record: the source has lost records, its position may be lower
LONGEST = 19  # digits of an offset

Pair = tuple[bytes, bytes | None]  # key, value; None: the key is gone


class State(NamedTuple):
    """Keys and values of a partition, counted up to the source offset `position`.

    `last` is the fingerprint of the source record before it (empty: not known). `is_set_back`: the position
    may be lower than before, as the source has lost records.
    """

    position: int
    pairs: Sequence[Pair]
    last: bytes = b""
    is_set_back: bool = False


class Held(Protocol):
    """The keys and values that hold so far, and the fingerprint of the last source record."""

    pairs: dict[bytes, bytes]
    last: bytes


class PartitionReader:
    """Applies records of the changelog to what holds already.

    A write holds from its last record on, which is that of AT. So a write that a dying worker left half done
    never held. Nor does one that had counted less far than an earlier one: it is the late write of a worker
    that was thought dead. Where the source has lost records, an operator may set the position back.
    """

    def __init__(self, topic: str, partition: int, held: Held) -> None:
        self._name = f"{topic}[{partition}]"
        self._held, self.last = held, held.last
        self._touched: set[bytes] = set()
        self._position = position_of(held.pairs)
        self.begun: list[Pair] = []  # of a write whose end has not been seen
        self.begun_from = 0  # the offset of its first record

    def apply(self, records: Iterable[Any]) -> None:
        """Take records in their order. Raises StateError for one that no worker of ours can have written."""
        for record in records:
            position = self._position_of(record)
            is_set_back = any(name == SET_BACK for name, _ in record.headers)
            if position < self._position and not is_set_back:
                continue
            if not self.begun:
                self.begun_from = record.offset
            self.begun.append((record.key, record.value))
            if record.key == AT:
                self._position = position
                self.last = next((value or b"" for name, value in record.headers if name == LAST), b"")
                self._hold()

    def _position_of(self, record: Any) -> int:
        text = next((value for name, value in record.headers if name == POSITION), None) or b"0"
        if record.key is None or not text.isdigit() or len(text) > LONGEST:
            raise StateError(
                f"{self._name} holds a foreign record at offset {record.offset} (key {record.key!r}, "
                f"position {text[:40]!r}): find out who writes to this topic, then delete the key with a "
                "tombstone, or the topic and replay its source"
            )
        return int(text)

    def _hold(self) -> None:
        pairs = self._held.pairs
        for key, value in self.begun:
            self._touched.add(key)
            if value is None:
                pairs.pop(key, None)
            else:
                pairs[key] = value
        self._held.last = self.last
        self.begun.clear()

    def pairs(self) -> list[Pair]:
        """Every key that was written, with the value that holds now."""
        return [(key, self._held.pairs.get(key)) for key in self._touched]

    def rolled_back(self) -> State:
        """What to write so that the topic holds again what held before the write that was only begun."""
        pairs = [(key, self._held.pairs.get(key)) for key in dict(self.begun)]
        return State(self._position, pairs, self.last)


def position_of(pairs: Mapping[bytes, bytes]) -> int:
    """The source offset up to which pairs have been counted; 0 where that is missing."""
    text = pairs.get(AT, b"0")
    return int(text) if text.isdigit() and len(text) <= LONGEST else 0


def fingerprint(record: Any) -> bytes:
    """Return what distinguishes a record from any other at its offset: `offset:hash`."""
    content = b"%d:" % len(record.key or b"") + (record.key or b"") + (record.value or b"")
    return b"%d:%s" % (record.offset, xxh3_64_hexdigest(content).encode())
