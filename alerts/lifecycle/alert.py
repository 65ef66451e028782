"""Alerts: one standing trouble each, and the notices that tell people about it."""

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from streams.contract.reading import Timed
from streams.contract.verdicts import Question, Verdict


class State(StrEnum):
    PENDING = "pending"  # seen, not yet sure enough to tell
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How much it matters to people; from excess and ratio, never from p alone."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Reason(StrEnum):
    """Why a notice is sent."""

    FIRST = "first"
    WORSE = "worse"
    STILL = "still"
    UNANSWERED = "unanswered"  # nobody has acknowledged it
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(BaseModel):
    """One standing trouble. `alert_id` is derived from its question and its onset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alert_id: str
    question_key: str
    question: Question
    sector: str
    subject: str = ""
    border: str = ""
    state: State
    severity: Severity
    onset: AwareDatetime  # start of the first period in breach
    updated: AwareDatetime  # event time of the newest verdict heard
    worst: Verdict  # the most severe so far
    latest: Verdict
    breaches: Annotated[int, Field(ge=0)] = 1  # periods heard in breach
    calms: Annotated[int, Field(ge=0)] = 0  # closed calm periods since the last of them
    told: AwareDatetime | None = None  # event time of the last notice
    reminders: Annotated[int, Field(ge=0)] = 0
    told_at: AwareDatetime | None = None  # by the wall: when it was last told as new or worse
    told_as: str = ""  # the figures of the last notice
    unanswered: Annotated[int, Field(ge=0)] = 0  # times told again since, as nobody acknowledged it
    expired: bool = False  # resolved because nothing was heard any more
    acknowledged_by: str = ""
    silenced_by: str = ""


class Notice(Timed):
    """One thing to tell. `notice_id` is the dedup key: the same over retries and replays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notice_id: str
    alert: Alert
    reason: Reason
    headline: Annotated[str, Field(max_length=200)]
    text: str
    produced_at: AwareDatetime | None = None  # when the newest event behind it was produced

    @property
    def event_time(self) -> AwareDatetime:
        """The newest moment of event time that the notice refers to."""
        return max(self.alert.updated, self.alert.onset)


def alert_id(question_key: str, onset: AwareDatetime) -> str:
    return _digest(question_key, onset.isoformat())


def notice_id(alert: str, reason: Reason, occasion: str) -> str:
    """`occasion` tells repeated reasons of one alert apart: the severity reached, the reminder's number."""
    return _digest(alert, reason, occasion)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
