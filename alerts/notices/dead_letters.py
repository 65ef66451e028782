"""Notices that a sink never took."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from alerts.lifecycle.alert import Notice


class DeadLetter(BaseModel):
    """A notice that a sink never took."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sink: str
    notice_id: str
    headline: str
    reason: str
    at: AwareDatetime

    @property
    def letter_id(self) -> str:
        """The name by which it is sent again; that of its delivery too."""
        return letter_id(self.sink, self.notice_id)


class Buried(BaseModel):
    """A record of `notices.dead`: a letter and its notice, or no notice once it was sent again and taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    letter: DeadLetter
    notice: Notice | None = None


def letter_id(sink: str, notice_id: str) -> str:
    return f"{sink}/{notice_id}"
