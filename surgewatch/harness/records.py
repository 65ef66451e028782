"""A record as a pipeline takes it, where there is no broker."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Record:
    """A record of any topic; `timestamp` in ms by the broker's clock."""

    offset: int
    value: bytes | None
    timestamp: int = 1_900_000_000_000  # later than the events of any story
    headers: Sequence[tuple[str, bytes | None]] = ()
    key: bytes | None = None
