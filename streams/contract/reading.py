"""Read a record that another worker wrote: a value, or why it cannot be used. Nothing raises.

Workers of two versions run side by side during an upgrade, so fields that this version does not know are
ignored. (What producers push is held to its contract to the letter: `streams.counting.decoder`.)
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

PRODUCED_AT: Final = "produced_at"  # header: ms, when the newest event behind a record was produced
AHEAD: Final = 3_600  # seconds that the event time of a record may be ahead of the broker's clock
LARGEST: Final = 2.0**63  # of any number: counts are int64, and all arithmetic on them stays finite
LONGEST: Final = 64 * 1024  # bytes of a verdict or a summary: ours have a tenth of that
GROWTH: Final = 8  # times as long as read a value may be as written: 1e15 becomes 1000000000000000.0
LATEST: Final = 7_258_118_400_000  # ms: the year 2200; a later time is always a mistake


class Unusable(StrEnum):
    """Why a record is passed over: a bounded label of metrics."""

    UNREADABLE = "unreadable"
    FUTURE = "future"


class Record(Protocol):
    """What pipelines read of a record of any topic."""

    offset: int
    value: bytes | None
    timestamp: int  # ms by the broker's clock, 0 or less where there is none
    headers: Sequence[tuple[str, bytes | None]]


class Timed(BaseModel):
    """A value that has an event time. Field definitions are in its subclasses."""

    @property
    def event_time(self) -> AwareDatetime:
        """The newest moment of event time that the value refers to."""
        raise NotImplementedError


Value = TypeVar("Value", bound=Timed)


def read(model: type[Value], record: Record) -> Value | Unusable:
    """The value of a record, or why it cannot be used."""
    try:
        value = model.model_validate_json(record.value or b"", extra="ignore")
    except ValidationError:
        return Unusable.UNREADABLE
    if not is_sound(value) or not fits(value, record.value or b"", LONGEST):
        return Unusable.UNREADABLE
    now = appended_at(record) if record.timestamp > 0 else LATEST
    if value.event_time.timestamp() > now / 1000 + AHEAD:
        return Unusable.FUTURE
    return value


def fits(value: BaseModel, read_from: bytes, most: int) -> bool:
    """Return whether a value has at most so many bytes as it is written again.

    What workers keep or send on of a record is several times as long. It has to stay below the limit of the
    broker, or every worker that reads the record would end.
    """
    return len(read_from) * GROWTH <= most or len(value.model_dump_json().encode()) <= most


def is_sound(value: object) -> bool:
    """Return whether every float in a value is from 0 to LARGEST, and every integer an int64."""
    if isinstance(value, float):
        return 0 <= value <= LARGEST
    if isinstance(value, int):
        return -LARGEST <= value < LARGEST
    if isinstance(value, BaseModel):
        return all(is_sound(getattr(value, name)) for name in type(value).model_fields)
    return not isinstance(value, tuple) or all(map(is_sound, value))


def appended_at(record: Record) -> int:
    """When a record was appended, in ms; what is no date becomes the nearest one (0 is 1970)."""
    return min(max(record.timestamp, 0), LATEST)


def produced_at(headers: Iterable[tuple[str, bytes | None]]) -> int:
    """Return when the newest event behind a record was produced, in ms; 0 where no header has it."""
    for name, value in headers:
        if name == PRODUCED_AT:
            text = (value or b"").strip()
            # No longer than a date in ms, so that no header costs time to read.
            number = int(text) if text.isdigit() and len(text) <= len(str(LATEST)) else 0
            return number if number <= LATEST else 0
    return 0
