"""A record on its way out: what all sources give and all senders take."""

from typing import NamedTuple


class Outgoing(NamedTuple):
    """A record to be sent. `at`: when it becomes known (epoch seconds), for those who pace; not sent."""

    key: bytes
    value: bytes
    at: int
