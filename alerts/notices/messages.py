"""What a sink knows of an alert, and the next message to it."""

from typing import Final

from pydantic import BaseModel

from alerts.lifecycle.alert import RECORD, Alert, Assessment, Reason, Severity, notice_id
from alerts.notices.controls_in_force import Attention

ANNOTATIONS: Final = ("acknowledged_by", "assessment", "silenced_by")  # of an alert, a view and an attention


class View(BaseModel):
    """What a sink knows of an alert."""

    model_config = RECORD

    alert: Alert  # as it was in the last message that was not merely `updated`; its parts are the newest
    open: bool = True  # it was notified, and not resolved since
    severity: Severity
    openings: int = 1
    reminders: int = 0  # of this opening, as are the following
    escalations: int = 0
    acknowledged_by: str = ""
    assessment: Assessment | None = None
    acknowledgements: int = 0
    unattended_since: float = 0.0  # epoch seconds: the expiry since which `escalations` are counted
    silenced_by: str = ""  # where it was sent to the author of a silence
    silenced_until: float = 0.0  # epoch seconds
    shown: str = ""  # the figures and annotations that its message shows
    reference: str = ""  # what the receiver calls its message, where that can be edited

    @property
    def end_id(self) -> str:
        """The id of the message that ends this opening."""
        return notice_id(self.alert.alert_id, Reason.RESOLVED, numbered("", self.openings))


class Message(BaseModel):
    """A message to one sink about one alert, and what the sink knows once it has it."""

    model_config = RECORD

    reason: Reason
    occasion: str = ""  # keeps repeated reasons apart
    handed_over: bool = False  # it stands, and routes lead it elsewhere
    before: Alert | None = None  # as it was in the message before
    newer: Alert | None = None  # as an `updated` message shows it, with its annotations
    view: View

    @property
    def alert_id(self) -> str:
        return self.view.alert.alert_id

    @property
    def notice_id(self) -> str:
        """The same for every sink, and for every try."""
        return notice_id(self.alert_id, self.reason, self.occasion)

    @property
    def alert(self) -> Alert:
        """The alert as the message shows it, with who acknowledged and who silenced it."""
        return self.newer or annotated(self.view.alert, self.view)


def annotated(alert: Alert, by: View | Attention) -> Alert:
    """Return an alert with who acknowledged and who silenced it."""
    return alert.model_copy(update={name: getattr(by, name) for name in ANNOTATIONS})


def numbered(occasion: str, openings: int) -> str:
    """Return an occasion that keeps the openings of an alert apart."""
    return occasion if openings == 1 else f"{occasion}#{openings}"
