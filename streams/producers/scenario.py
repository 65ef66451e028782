"""Scenarios: monthly levels with their sources, spread over days and hours as real arrivals are.

levels (TOML) ─▶ profile of each flow ─▶ arrivals ─▶ faults ─▶ records, by time of arrival
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from streams.contract.events import CrossingType, Demographic, Identifier
from streams.contract.sectors import Registry
from streams.contract.toml_documents import DocumentError, load
from streams.producers.faults import Faults, with_faults
from streams.producers.outgoing import Outgoing
from streams.producers.simulation import Arrival, Profile, arrivals

SHIPPED = Path(__file__).with_name("scenarios")
Share = Annotated[float, Field(ge=0)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Rhythm(BaseModel):
    """The weight of each weekday (Monday first) and of each hour of the sector's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weekday: Annotated[tuple[Share, ...], Field(min_length=7, max_length=7)] = (1.0,) * 7
    hours: Annotated[tuple[Share, ...], Field(min_length=24, max_length=24)] = (1.0,) * 24


class Flow(BaseModel):
    """People who arrive at one sector in one way. `months` are people a month, `source` names their origin.

    Between the middles of months the daily level runs on smoothly, but not across `breaks`: from such a day
    on, a new level holds. `group` is the mean size of a group, `dispersion` the variance over the mean of a
    day's number of groups.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sector: Identifier
    crossing: Identifier | None = None
    crossing_type: CrossingType = "between_ports"
    source: Annotated[str, Field(min_length=1)]
    months: Annotated[dict[Month, Share], Field(min_length=1)]
    breaks: tuple[dt.date, ...] = ()
    group: Annotated[float, Field(ge=1)] = 1.0
    dispersion: Annotated[float, Field(ge=1)] = 1.0
    citizenship: Annotated[dict[Identifier, Share], Field(min_length=1)]
    alone: Annotated[dict[Demographic, Share], Field(min_length=1)]
    together: Annotated[dict[Demographic, Share], Field(min_length=1)]

    @field_validator("months")
    @classmethod
    def _without_gaps(cls, months: dict[str, float]) -> dict[str, float]:
        ordered = sorted(months)
        numbers = [int(month[:4]) * 12 + int(month[5:]) for month in ordered]
        gap = next((a for a, n, m in zip(ordered, numbers, numbers[1:], strict=False) if m != n + 1), None)
        if gap:
            raise ValueError(f"a month is missing after {gap}")
        return {month: months[month] for month in ordered}


class Scenario(BaseModel):
    """A made-up history, in which sources state the levels: the same seed gives the same events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
    title: str
    seed: int = 1
    rhythm: Rhythm = Rhythm()
    trouble: Faults | None = None
    flow: Annotated[tuple[Flow, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        if len({tuple(flow.months) for flow in self.flow}) > 1:
            raise ValueError("all flows must have the same months")
        return self

    def events(
        self,
        registry: Registry,
        seed: int | None = None,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> Iterator[Outgoing]:
        """Yield the records in the order in which they arrive, from `start` on and before `end`."""
        seed = self.seed if seed is None else seed
        records = [
            arrival
            for number, flow in enumerate(self.flow)
            for arrival in arrivals(
                self._profile(flow, registry), f"{self.name}-{seed}-{number}", seed, number
            )
        ]
        if self.trouble:
            records = with_faults(records, self.trouble, seed)
        records.sort(key=lambda arrival: arrival.at)
        first = start.timestamp() if start else float("-inf")
        last = end.timestamp() if end else float("inf")
        for arrival in records:
            if first <= arrival.at < last:
                yield Outgoing(arrival.key, _wire(arrival), arrival.at)

    def _profile(self, flow: Flow, registry: Registry) -> Profile:
        sector = registry.find(flow.sector)
        return Profile(
            fixed={
                "sector": sector.id,
                "crossing_type": flow.crossing_type,
                **({"crossing": flow.crossing} if flow.crossing else {}),
            },
            time_zone=sector.time_zone,
            months=flow.months,
            breaks=flow.breaks,
            weekday=self.rhythm.weekday,
            hours=self.rhythm.hours,
            group=flow.group,
            dispersion=flow.dispersion,
            citizenship=flow.citizenship,
            alone={str(name): share for name, share in flow.alone.items()},
            together={str(name): share for name, share in flow.together.items()},
        )


def _wire(arrival: Arrival) -> bytes:
    content = arrival.content
    return content if isinstance(content, bytes) else msgspec.json.encode(content)


def names() -> list[str]:
    """Return the names of the shipped scenarios."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def scenario(name: str) -> Scenario:
    """Load a shipped scenario by its name, or one of the operator by its file; raises DocumentError."""
    own = Path(name)
    path = own if own.suffix == ".toml" else SHIPPED / f"{name}.toml"
    if not path.exists():
        raise DocumentError(
            f"no scenario {name!r}; there are {', '.join(names())}, or a .toml file of your own"
        )
    return load(path, Scenario)
