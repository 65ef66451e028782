"""What a sink knows of an alert, and the next message to it."""

from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import BaseModel

from alerts.lifecycle.alert import (
    LONGEST_ALERT,
    RANK,
    RECORD,
    Alert,
    Assessment,
    Reason,
    Severity,
    notice_id,
)
from alerts.notices.controls_in_force import Attention
from streams.contract.reading import GROWTH, LONGEST
from streams.contract.verdicts import Verdict

ANNOTATIONS: Final = ("acknowledged_by", "assessment", "silenced_by")  # of an alert, a view and an attention


class View(BaseModel):
    """What a sink knows of an alert."""

    model_config = RECORD

    alert: Alert  # as it was in the last message that was not merely `updated`; its parts are the newest
    open: bool = True  # it was notified, and not resolved since
    severity: Severity
    highest: float = 0.0  # people in a period, the most that it was notified of in this opening
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
    def most_people(self) -> float:
        """The most people in a period that it was notified of. Older versions recorded no highest."""
        return max(self.highest, people(self.alert.latest))

    @property
    def end_id(self) -> str:
        """The id of the message that ends this opening."""
        return notice_id(self.alert.alert_id, Reason.RESOLVED, numbered("", self.openings))

    def settles(self, letter: "Message") -> bool:
        """Return whether what the sink knows holds all that a refused message was to let it know."""
        other = letter.view
        if self.openings != other.openings or not self.open:
            return self.openings >= other.openings
        taken, waited = (self.acknowledged_by, self.assessment), (self.unattended_since, self.escalations)
        is_known = (
            RANK[self.severity] >= RANK[other.severity]
            and waited >= (other.unattended_since, other.escalations)
            and (not other.acknowledged_by or taken == (other.acknowledged_by, other.assessment))
            and self.reminders >= other.reminders
        )
        has_grown = letter.before is not None and self.most_people < other.most_people
        return other.open and is_known and not has_grown


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

    def alerts(self) -> Iterator[Alert]:
        """Yield every state of the alert that its record holds."""
        yield from (one for one in (self.before, self.newer, self.view.alert) if one is not None)

    @property
    def alert(self) -> Alert:
        """The alert as the message shows it, with who acknowledged and who silenced it."""
        return self.newer or annotated(self.view.alert, self.view)


def people(verdict: Verdict) -> float:
    """Return how many people were seen in a period, of a longer window on average."""
    return verdict.evidence.observed / verdict.evidence.window


def annotated(alert: Alert, by: View | Attention) -> Alert:
    """Return an alert with who acknowledged and who silenced it."""
    return alert.model_copy(update={name: getattr(by, name) for name in ANNOTATIONS})


def fits_ledger(record: BaseModel, alerts: Iterable[Alert], read_from: bytes) -> bool:
    """Return whether the broker takes what is written to the ledger after a record that holds these alerts.

    That holds each of them again, with the states that follow.
    """
    if len(read_from) * GROWTH <= LONGEST:
        return True
    sizes = [len(alert.model_dump_json().encode()) for alert in alerts]
    rest = len(record.model_dump_json().encode()) - sum(sizes)
    return max(sizes, default=0) <= LONGEST_ALERT and rest <= LONGEST


def numbered(occasion: str, openings: int) -> str:
    """Return an occasion that keeps the openings of an alert apart."""
    return occasion if openings == 1 else f"{occasion}#{openings}"
