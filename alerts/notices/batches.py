"""What a queue gives to be sent, and what the answer changes."""

from typing import Final, NamedTuple

from alerts.notices.backlog import Summary
from alerts.notices.ledger import LedgerRecord
from alerts.notices.messages import Message
from alerts.notices.outcomes import Outcome, Refused, Retry

LONGEST_WAIT: Final = 60.0  # seconds that a receiver may ask for, where it holds up all messages
GONE_PAUSE: Final = 3600.0  # seconds before a receiver that answered 410 is tried again


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
    """How a sink takes messages: seconds between requests, messages in one, seconds until one is given up.

    `edits`: it has one message for each alert, and edits it. `by_source`: it is shown the alerts on a source
    as one. `keyed`: it keeps alerts by their ids, so an end of what it does not have harms nobody.
    `acknowledges`: an acknowledgement is a request of its own, and never in the first message.
    """

    spacing: float = 0.0
    most: int = 1
    give_up: float = 72 * 3600.0
    edits: bool = False
    by_source: bool = False
    keyed: bool = False
    acknowledges: bool = False

    def pause_after(self, outcome: Outcome) -> float:
        """Return the seconds for which the whole sink is left alone after an answer."""
        match outcome:
            case Retry(after=float(after)):
                return max(self.spacing, min(after, LONGEST_WAIT))
            case Refused(gone=True):
                return GONE_PAUSE
        return self.spacing
