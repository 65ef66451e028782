"""What detection remembers of a sector beyond its counts: a few named numbers and arrays, bounded.

Everything that can be worked out again from the counts is not in here.
"""

from typing import Any

import msgspec


class DetectionState(dict[str, Any]):
    """Named plain values (numbers, strings, lists of them)."""

    def encode(self) -> bytes:
        """On the wire; the inverse of `decode`."""
        return msgspec.msgpack.encode(dict(self))

    @classmethod
    def decode(cls, value: bytes) -> "DetectionState":
        """Back from the wire."""
        return cls(msgspec.msgpack.decode(value))
