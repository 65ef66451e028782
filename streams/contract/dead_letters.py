"""Refused records: why, and what their dead letter holds.

A dead letter must not store what the contract refuses to store. So of a record that is a JSON object, only
the fields of the contract are kept; whatever else it held (a name, a number) is dropped.
"""

import base64
import datetime as dt
import json
from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from streams.contract.events import FIELDS
from streams.contract.reading import LATEST

KEPT = 16_384  # bytes of a refused record that its dead letter keeps


class Reason(StrEnum):
    """Why a record is refused: the bounded label of metrics and logs."""

    MALFORMED_JSON = "malformed_json"
    UNKNOWN_SCHEMA = "unknown_schema"  # of a record in the wire format of a Schema Registry
    UNDECODABLE = "undecodable"  # bytes that do not fit their schema
    INVALID = "invalid"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_SECTOR = "unknown_sector"
    FUTURE = "future"
    TOO_LARGE = "too_large"
    MISPLACED = "misplaced"  # in another partition than its sector belongs to
    UNKNOWN_ORIGINAL = "unknown_original"  # found in the fold: what a correction replaces


class Rejected(NamedTuple):
    """A record that is refused. `detail` may quote it, so it goes to the dead letter and into no log.

    `kept` is what its dead letter holds in place of the record, where that has fields that no event has.
    """

    position: int
    reason: Reason
    detail: str
    kept: bytes | None = None


class DeadLetter(BaseModel):
    """A refused record, and why; wire form JSON, on `encounters.dead`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    when: AwareDatetime
    size: int  # bytes of the original
    original: str  # base64: its known fields, or its first KEPT bytes where it is no JSON object

    @classmethod
    def of(
        cls, rejected: Rejected, value: bytes | None, *, topic: str, partition: int, offset: int, when: float
    ) -> Self:
        """Make the dead letter of the record at this place; `when` is epoch seconds."""
        original = value or b""
        return cls(
            reason=rejected.reason,
            detail=rejected.detail,
            topic=topic,
            partition=partition,
            offset=offset,
            when=dt.datetime.fromtimestamp(min(max(when, 0), LATEST / 1000), dt.UTC),
            size=len(original),
            original=base64.b64encode((rejected.kept or _without_unknown_fields(original))[:KEPT]).decode(),
        )

    @property
    def value(self) -> bytes:
        """What was kept of the record."""
        return base64.b64decode(self.original)


def known_fields(content: object) -> bytes | None:
    """Return the fields of the contract as JSON where a record has others too; None where it has none.

    Values of known fields stay as they came.
    """
    if not isinstance(content, dict) or content.keys() <= set(FIELDS):
        return None
    known = {name: content[name] for name in FIELDS if name in content}
    return json.dumps(known, ensure_ascii=False, default=str).encode(errors="replace")


def _without_unknown_fields(value: bytes) -> bytes:
    try:
        content = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return known_fields(content) or value
