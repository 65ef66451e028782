"""Dead letters: notices that a sink never took. And whether a sink takes anything."""

from typing import Final

from pydantic import AwareDatetime, BaseModel

from alerts.lifecycle.alert import RECORD
from alerts.notices.messages import Message

GAVE_UP: Final = "gave up: "  # before the reason of the last try, where a sink was tried for too long


class DeadLetter(BaseModel):
    """A notice that a sink never took."""

    model_config = RECORD

    sink: str
    notice_id: str
    headline: str
    reason: str
    at: AwareDatetime

    @property
    def letter_id(self) -> str:
        """The name by which it is sent again; that of its delivery too."""
        return letter_id(self.sink, self.notice_id)


class DeadLetterRecord(BaseModel):
    """A record of `notices.dead`: a letter with its message, to be sent `again` or not.

    Without a message it was sent again and is no longer waiting.
    """

    model_config = RECORD

    letter: DeadLetter
    message: Message | None = None
    again: bool = False


class SinkState(BaseModel):
    """A record of `notices.dead` under the name of a sink: whether it takes anything, at each change."""

    model_config = RECORD

    sink: str
    works: bool
    reason: str = ""  # why it does not


def letter_id(sink: str, notice_id: str) -> str:
    """Return the id of a dead letter."""
    return f"{sink}/{notice_id}"
