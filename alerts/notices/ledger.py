"""The delivery ledger: for each sink and alert, what the sink was last notified of and what is on its way.

It lies on the compacted topic `deliveries`, written before a message is sent and after its answer. A worker
that dies in between leaves the message as pending and doubted: the next one sends the same message under the
same id. One that was answered, and not taken, is not doubted: nothing of it has to be sent again.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Self

from pydantic import BaseModel

from alerts.lifecycle.alert import RECORD, Alert
from alerts.notices.messages import Message, View, fits_ledger
from streams.contract.reading import is_sound

CAUGHT_UP = ""  # in place of an alert id: up to where backlogs were summed up for a sink


class Entry(BaseModel):
    """What a sink knows of one alert, and what it may or may not know yet."""

    model_config = RECORD

    view: View | None = None
    pending: Message | None = None  # about to be sent, or sent without an answer
    since: float = 0.0  # epoch seconds: from when on the pending message has been due
    given_up: tuple[str, ...] = ()  # ids of messages that became dead letters
    doubted: tuple[str, ...] = ()  # ids of messages without an answer: the sink may have them

    @property
    def is_pending_doubted(self) -> bool:
        """Whether the sink may have the pending message."""
        return self.pending is not None and self.pending.notice_id in self.doubted

    def settles(self, letter: Message) -> bool:
        """Return whether the sink knows by now what a dead letter was to let it know."""
        return self.view is not None and not self.doubted and self.view.settles(letter)

    def doubting(self, *notice_ids: str) -> Self:
        """Return the entry where the sink may have these messages too."""
        return self.model_copy(update={"doubted": tuple(dict.fromkeys((*self.doubted, *notice_ids)))})

    def doubting_all(self) -> Self:
        """Return the entry where the sink may have everything that it did not take."""
        pending = [self.pending.notice_id] if self.pending else []
        return self.doubting(*self.given_up, *pending)

    def alerts(self) -> Iterator[Alert]:
        """Yield every state of its alert that the record holds."""
        if self.view is not None:
            yield self.view.alert
        if self.pending is not None:
            yield from self.pending.alerts()


EMPTY: Final = Entry()


def sink_of(key: str) -> str:
    """Return the sink of a record's key."""
    return key.rpartition("/")[0]


class CaughtUp(BaseModel):
    """Up to which record of `alerts.current` a sink has had the summaries of backlogs."""

    model_config = RECORD

    until: float  # epoch seconds: the time of the record


class LedgerRecord(NamedTuple):
    """A record of the ledger; without a value the alert is forgotten."""

    sink: str
    alert_id: str
    value: Entry | CaughtUp | None

    @property
    def key(self) -> bytes:
        return f"{self.sink}/{self.alert_id}".encode()

    def encode(self) -> bytes | None:
        """Return the value as it is written."""
        return None if self.value is None else self.value.model_dump_json().encode()

    @classmethod
    def decode(cls, key: bytes, value: bytes | None) -> "LedgerRecord":
        """Read a record; raises ValueError (pydantic's ValidationError is one) where it is none of ours."""
        sink, slash, alert_id = key.decode().rpartition("/")
        if not slash:
            raise ValueError("the key of a delivery is sink/alert")
        model = CaughtUp if alert_id == CAUGHT_UP else Entry
        read = model.model_validate_json(value, extra="ignore") if value else None
        if not is_sound(read):
            raise ValueError("a number is negative, infinite or none")
        if isinstance(read, Entry) and any(alert.alert_id != alert_id for alert in read.alerts()):
            raise ValueError("it is about another alert than its key")
        if isinstance(read, Entry) and not fits_ledger(read, read.alerts(), value or b""):
            raise ValueError("it is too long")
        if isinstance(read, Entry) and "doubted" not in read.model_fields_set:
            read = read.doubting_all()  # written by a version that did not record doubt
        return cls(sink, alert_id, read)
