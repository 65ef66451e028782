"""Alerts: one condition that lasts, from the first breach until it is over, and the notices about it."""

import datetime as dt
import hashlib
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from streams.contract.moments import Moment
from streams.contract.reading import LONGEST, Timed
from streams.contract.verdicts import Question, Verdict

# Records that workers read back may come from another version: fields that are unknown here are passed over.
RECORD = ConfigDict(extra="ignore", frozen=True)


class State(StrEnum):
    PENDING = "pending"  # in breach, not yet certain enough to notify
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How much it matters to people; from excess and ratio, never from the p-value alone."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Reason(StrEnum):
    """Why a notice is sent: what the receiver does not know yet."""

    FIRST = "first"
    WORSE = "worse"
    STILL = "still"
    UNANSWERED = "unanswered"  # nobody has acknowledged it
    ACKNOWLEDGED = "acknowledged"
    UPDATED = "updated"  # its figures, or who takes care of it: only a message that can be edited shows them
    RESOLVED = "resolved"


class Assessment(StrEnum):
    """What an operator found an alert to be, who acknowledged it."""

    NOT_A_SURGE = "not_a_surge"
    BAD_DATA = "bad_data"


MOST_PARTS: Final = 500  # of an alert, so that the broker takes its record
LONGEST_ALERT: Final = 3 * LONGEST  # bytes: two verdicts, and its parts. A message holds up to three alerts


class Part(BaseModel):
    """One sector of a source, where a sink shows all alerts on that source as one."""

    model_config = RECORD

    alert_id: str
    sector: str
    position: int  # as of the alert
    sends: bool  # the source sends again for it
    over: bool = False


class Alert(BaseModel):
    """One condition that lasts. `alert_id` is derived from its question and its onset."""

    model_config = RECORD

    alert_id: str
    question_key: str
    question: Question
    sector: str
    subject: str = ""
    border: str = ""
    state: State
    severity: Severity  # the highest it has reached
    onset: Moment  # start of the first period in breach
    updated: Moment  # event time of the newest verdict
    worst: Verdict  # the most severe so far
    latest: Verdict
    breaches: Annotated[int, Field(ge=0)] = 1  # periods in breach
    calms: Annotated[int, Field(ge=0)] = 0  # closed calm periods since the last of them
    calm_since: Moment | None = None  # event time of the first of those
    recurrences: Annotated[int, Field(ge=0)] = 0  # alerts before it that ended shortly before the next began
    rises: Annotated[int, Field(ge=0)] = 0  # how often the severity has risen while it fired
    raised_at: Moment | None = None  # processing time at which it fired or last got worse
    position: int = -1  # offset in `verdicts` of its newest verdict, or more: it never falls
    produced_at: Moment | None = None  # when the newest event behind that verdict was produced
    no_data_since: Moment | None = None  # the sector's last event, while it is without data
    expired: bool = False  # resolved because no verdict came any more
    acknowledged_by: str = ""  # as of now: set where an alert is shown, not by the lifecycle
    assessment: Assessment | None = None
    silenced_by: str = ""
    parts: tuple[Part, ...] = ()  # alerts that a sink is shown as this one; set like `acknowledged_by`

    @property
    def ids(self) -> list[str]:
        """Its id, and those of its parts."""
        return list(dict.fromkeys((self.alert_id, *(part.alert_id for part in self.parts))))

    @property
    def version(self) -> "Version":
        return Version(self.position, self.updated, self.state is State.RESOLVED)


class Version(NamedTuple):
    """How new a published state of a question's alert is."""

    position: int
    updated: dt.datetime
    over: bool = False  # an alert may be over without a further verdict

    def is_before(self, other: "Version") -> bool:
        """Return whether this state was published before another one.

        Positions begin anew for an alert that opens in a partition that was added. Its verdict is newer then.
        """
        return (self.position, self.over) < (other.position, other.over) and self.updated <= other.updated

    def __str__(self) -> str:
        return f"{self.position} {self.updated.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` gives; raises ValueError."""
        position, _, updated = text.partition(" ")
        return cls(int(position), dt.datetime.fromisoformat(updated).astimezone(dt.UTC))


class Notice(Timed):
    """One message about one alert. `notice_id` is the dedup key: the same over retries and restarts."""

    model_config = RECORD

    notice_id: str
    alert: Alert
    reason: Reason
    headline: Annotated[str, Field(max_length=200)]
    label: str = ""  # marks a test: the headline begins with it, and so has any other title of a sink
    text: str  # all of it
    details: str = ""  # what headline and figures do not hold
    since: str = ""  # the onset, by the sector's clock and in UTC
    as_of: str = ""  # how far the data reach, likewise
    produced_at: Moment | None = None  # when the newest event behind it was produced

    @property
    def event_time(self) -> Moment:
        """The newest moment of event time that the notice refers to."""
        return max(self.alert.updated, self.alert.onset)


def alert_id(question_key: str, onset: dt.datetime) -> str:
    """The id of the alert on a question that began at `onset`."""
    return _digest(question_key, onset.isoformat())


def notice_id(alert: str, reason: Reason, occasion: str) -> str:
    """The id of a notice; `occasion` keeps repeated reasons of one alert apart."""
    return _digest(alert, reason, occasion)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
