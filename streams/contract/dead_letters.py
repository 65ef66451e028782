"""Refused records: why, and what their dead letter holds."""

import base64
import datetime as dt
from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

KEPT = 65_536  # bytes of a bad record that its dead letter keeps


class Reason(StrEnum):
    """Why a record is refused: the bounded label of metrics and logs."""

    MALFORMED_JSON = "malformed_json"
    INVALID = "invalid"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_SECTOR = "unknown_sector"
    FUTURE = "future"
    TOO_LARGE = "too_large"
    UNKNOWN_ORIGINAL = "unknown_original"  # found in the fold: what a correction replaces


class Rejected(NamedTuple):
    """A record that is refused. `detail` may quote it, so it goes to the dead letter and into no log."""

    position: int
    reason: Reason
    detail: str


class DeadLetter(BaseModel):
    """A refused record with all that is needed to look into it; wire form JSON, on `encounters.dead`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    when: AwareDatetime
    size: int  # bytes of the original
    original: str  # base64 of its first KEPT bytes

    @classmethod
    def of(
        cls, rejected: Rejected, value: bytes | None, topic: str, partition: int, offset: int, when: float
    ) -> Self:
        """The dead letter of a rejected record that lay there; `when` is epoch seconds."""
        original = value or b""
        return cls(
            reason=rejected.reason,
            detail=rejected.detail,
            topic=topic,
            partition=partition,
            offset=offset,
            when=dt.datetime.fromtimestamp(when, dt.UTC),
            size=len(original),
            original=base64.b64encode(original[:KEPT]).decode(),
        )

    @property
    def value(self) -> bytes:
        """The original record (its beginning, where it was larger than KEPT)."""
        return base64.b64decode(self.original)
