"""What came of sending a message."""

from typing import NamedTuple


class Delivered(NamedTuple):
    """The receiver has it. `reference`: what it calls the message, where that can be edited."""

    reference: str = ""


class Retry(NamedTuple):
    """Not now. `after`: the seconds that the receiver asked for.

    `unanswered`: it was sent and no answer came, so the receiver may have it.
    """

    reason: str
    after: float | None = None
    unanswered: bool = False


class Absent(NamedTuple):
    """It may have been there, was looked for, and is not."""


class Refused(NamedTuple):
    """Never: it becomes a dead letter. `gone`: the receiver wants nothing more at all."""

    reason: str
    gone: bool = False


Outcome = Delivered | Retry | Absent | Refused
