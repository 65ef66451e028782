"""Trouble on the way, for scenarios: records that come late, twice, out of order, or broken."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from streams.contract.cadence import HOUR
from streams.producers.simulation import Arrival, moment

Share = Annotated[float, Field(ge=0, le=1)]


class Trouble(BaseModel):
    """Shares of the records that meet with each kind of trouble."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    late: Share = 0.0  # reported late, and say so
    late_hours: Annotated[float, Field(gt=0)] = 24.0  # mean of an exponential delay
    duplicate: Share = 0.0  # sent again within the hour
    malformed: Share = 0.0  # broken records that come in addition, so that the good ones' sums stay known
    shuffle_minutes: Annotated[float, Field(ge=0)] = 0.0  # each record is delayed by up to so many, unsaid


def disturb(arrivals: Sequence[Arrival], trouble: Trouble, seed: int) -> list[Arrival]:
    """The arrivals with their trouble; not yet in order."""
    rng = np.random.default_rng((seed, len(arrivals)))
    chance = rng.random((3, len(arrivals)))
    delays = rng.exponential(trouble.late_hours * HOUR, len(arrivals)).astype(int)
    wobble = (rng.random(len(arrivals)) * trouble.shuffle_minutes * 60).astype(int)
    again = rng.integers(1, HOUR, len(arrivals))
    out: list[Arrival] = []
    for index, arrival in enumerate(arrivals):
        told, at = arrival.told, arrival.at + int(wobble[index])
        if chance[0, index] < trouble.late and not isinstance(told, bytes):
            at = arrival.at + int(delays[index])
            told = {**told, "reported_at": moment(at)}
        out.append(arrival._replace(at=at, told=told))
        if chance[1, index] < trouble.duplicate:
            out.append(arrival._replace(at=at + int(again[index]), told=told))
        if chance[2, index] < trouble.malformed and not isinstance(told, bytes):
            out.append(arrival._replace(at=at, told=broken(told, index)))
    return out


def broken(told: Mapping[str, Any], kind: int) -> bytes:
    """A record of the same moment that cannot be accepted; `kind` chooses how (any integer)."""
    good = msgspec.json.encode(told)
    kinds = (
        good[: len(good) // 2],
        b"\x00\xff garbage",
        good + good,
        good.replace(b'"count":', b'"count":-'),
        msgspec.json.encode({**told, "count": "three"}),
        good[:-1] + b',"temperature":NaN}',
        msgspec.json.encode({**told, "occurred_at": "9999-12-31T23:59:59Z"}),
        msgspec.json.encode({**told, "sector": "swnton"}),
        msgspec.json.encode({**told, "surname": "x"}),
        msgspec.json.encode({**told, "crossing": "x" * 20_000}),
        b"",
    )
    return kinds[kind % len(kinds)]
