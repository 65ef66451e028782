"""What a queue gives to be sent, and what the answer changes."""

from typing import NamedTuple

from alerts.notices.backlog import Summary
from alerts.notices.ledger import LedgerRecord
from alerts.notices.reconciliation import Message


class Batch(NamedTuple):
    """The messages of one request, and the summary of a backlog that goes with them."""

    messages: tuple[Message, ...]
    backlog: Summary | None = None


class Settled(NamedTuple):
    """What an answer changes: ledger records, messages taken, and messages given up with the reason."""

    records: list[LedgerRecord]
    delivered: list[Message]
    dead: list[tuple[Message, str]]


class Limits(NamedTuple):
    """How a sink takes messages: seconds between requests, messages in one, seconds until one is given up."""

    spacing: float = 0.0
    most: int = 1
    give_up: float = 72 * 3600.0
