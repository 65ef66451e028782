"""A record to send: sources yield it, senders take it."""

from typing import NamedTuple


class Outgoing(NamedTuple):
    """A record to be sent.

    `at`: when it becomes known (epoch seconds), for pacing. `figure`: what it states of an official table,
    for comparing releases. Neither is sent. `partition` None: that of the key.
    """

    key: bytes
    value: bytes
    at: int
    figure: str | None = None
    partition: int | None = None
