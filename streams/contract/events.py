"""What producers push on `encounters`: encounter events and heartbeats, and nothing about who was met.

`Encounter` and `Heartbeat` are the contract on the wire (JSON). Unknown fields are refused, so that no name,
number or biometric of a person is stored.
"""

import datetime as dt
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from streams.contract.cadence import Cadence

Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Demographic = Literal["single_adult", "family_unit", "unaccompanied_minor", "accompanied_minor", "unknown"]
CrossingType = Literal["between_ports", "at_port"]
OLDEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)  # what is older is a mistake, and no history
LONGEST_INTERVAL: Final = 31 * 86_400  # seconds between two heartbeats


class Encounter(BaseModel):
    """One encounter of `count` people at once, or a tally of a whole period.

    `occurred_at` is event time, with an offset. `reported_at`, where given, is when the count became known
    (never before `occurred_at`); the difference is the reporting delay. `period`, where given, makes `count`
    the tally of the whole hour, day, week or month that holds `occurred_at` (official tables are tallies);
    it enters no shorter window. A tally of 0 is a nil report: nobody came, which is data. `replaces` names an
    earlier event of the same sector that this one replaces; with `count` 0 it takes that event back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Identifier
    occurred_at: AwareDatetime
    reported_at: AwareDatetime | None = None
    sector: Identifier
    crossing: Identifier | None = None
    crossing_type: CrossingType
    demographic: Demographic
    citizenship: Identifier | None = None
    count: Annotated[int, Field(ge=0, le=1_000_000)]
    group_id: Identifier | None = None
    period: Cadence | None = None
    replaces: Identifier | None = None

    @model_validator(mode="after")
    def _timely(self) -> Self:
        if self.occurred_at < OLDEST:
            raise ValueError(f"occurred_at is before {OLDEST:%Y}")
        if self.reported_at is not None and self.reported_at < self.occurred_at:
            raise ValueError("reported_at is before occurred_at")
        return self

    @model_validator(mode="after")
    def _counts_somebody(self) -> Self:
        if self.count == 0 and self.replaces is None and self.period is None:
            raise ValueError(
                "count must be at least 1 (0 is for a nil report, which has a period, and for an event that "
                "takes back the one it replaces)"
            )
        return self


class Heartbeat(BaseModel):
    """A sign of life of one source, for one sector: it works, and all it had until `alive_at` has been sent.

    It counts nobody. Where no event came before it, nobody came. The next one is due `interval_seconds` after
    `alive_at`. `last` ends the source: nothing more is awaited from it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Identifier
    sector: Identifier
    alive_at: AwareDatetime
    interval_seconds: Annotated[int, Field(ge=1, le=LONGEST_INTERVAL)]
    last: bool = False

    @model_validator(mode="after")
    def _timely(self) -> Self:
        if self.alive_at < OLDEST:
            raise ValueError(f"alive_at is before {OLDEST:%Y}")
        return self


FIELDS: Final = tuple({**Encounter.model_fields, **Heartbeat.model_fields})  # all that a record may have
