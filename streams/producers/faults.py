"""Faults of a feed, for scenarios: records that come late, twice, out of order, or broken."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from streams.contract.cadence import HOUR
from streams.producers.simulation import Arrival, moment

Share = Annotated[float, Field(ge=0, le=1)]


class Faults(BaseModel):
    """The share of records that have each kind of fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    late: Share = 0.0  # reported late, with `reported_at`
    late_hours: Annotated[float, Field(gt=0)] = 24.0  # mean of an exponential delay
    duplicate: Share = 0.0  # sent again within the hour
    malformed: Share = 0.0  # broken records in addition, so that the sums of the good ones stay known
    shuffle_minutes: Annotated[float, Field(ge=0)] = (
        0.0  # each record is delayed by up to so many, without `reported_at`
    )


def with_faults(arrivals: Sequence[Arrival], faults: Faults, seed: int) -> list[Arrival]:
    """Return the arrivals with faults, not in order of time."""
    rng = np.random.default_rng((seed, len(arrivals)))
    chance = rng.random((3, len(arrivals)))
    delays = rng.exponential(faults.late_hours * HOUR, len(arrivals)).astype(int)
    jitter = (rng.random(len(arrivals)) * faults.shuffle_minutes * 60).astype(int)
    again = rng.integers(1, HOUR, len(arrivals))
    out: list[Arrival] = []
    for index, arrival in enumerate(arrivals):
        content, at = arrival.content, arrival.at + int(jitter[index])
        if chance[0, index] < faults.late and not isinstance(content, bytes):
            at = arrival.at + int(delays[index])
            content = {**content, "reported_at": moment(at)}
        out.append(arrival._replace(at=at, content=content))
        if chance[1, index] < faults.duplicate:
            out.append(arrival._replace(at=at + int(again[index]), content=content))
        if chance[2, index] < faults.malformed and not isinstance(content, bytes):
            out.append(arrival._replace(at=at, content=broken(content, index)))
    return out


def broken(content: Mapping[str, Any], kind: int) -> bytes:
    """Return an invalid record of the same time; `kind` (any integer) chooses how."""
    good = msgspec.json.encode(content)
    kinds = (
        good[: len(good) // 2],
        b"\x00\xff garbage",
        good + good,
        good.replace(b'"count":', b'"count":-'),
        msgspec.json.encode({**content, "count": "three"}),
        good[:-1] + b',"temperature":NaN}',
        msgspec.json.encode({**content, "occurred_at": "9999-12-31T23:59:59Z"}),
        msgspec.json.encode({**content, "sector": "swnton"}),
        msgspec.json.encode({**content, "surname": "x"}),
        msgspec.json.encode({**content, "crossing": "x" * 20_000}),
        b"",
    )
    return kinds[kind % len(kinds)]
