"""Records of `verdicts` made for tests."""

from typing import NamedTuple


class Record(NamedTuple):
    """As the pipeline takes it; `timestamp` in ms."""

    offset: int
    value: bytes
    timestamp: int = 1_700_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()
