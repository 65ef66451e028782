"""The registry of watched places, as data: `sectors.toml` beside this file, or the operator's own."""

import difflib
from collections import Counter, defaultdict
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from streams.contract.toml_documents import load

SHIPPED = Path(__file__).with_name("sectors.toml")
# Sectors that a border looks at, its own and those upstream: their history is one record of state, which the
# broker takes up to 1 MiB (2 kB for each sector), and what they cost grows faster than their number.
TOGETHER = 450
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Name = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=200)]  # of one line


class UnknownSectorError(LookupError):
    """No sector of that name; the message bears the nearest known one."""


class Sector(BaseModel):
    """A place that is watched. `aliases` are its names and codes as official files write them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    name: Name
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]  # ISO 3166; EU for a route of several countries
    border: Id  # the border region that is looked at together: northern, southwest, coastal, ...
    neighbours: tuple[Id, ...] = ()
    upstream: tuple[Id, ...] = ()  # sectors whose surges have been seen to arrive here later
    time_zone: str = "UTC"
    aliases: tuple[Name, ...] = ()
    capacity: Annotated[float, Field(gt=0)] | None = None  # people a day it can take in

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError) as error:
            raise ValueError(f"unknown time zone {name!r}") from error
        return name


class Registry(BaseModel):
    """All sectors; ids and aliases are looked up without regard to case."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    sector: tuple[Sector, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults, seen = [], dict[str, str]()
        ids = {sector.id for sector in self.sector}
        for sector in self.sector:
            faults += [
                f"{name!r} names both {seen[name]} and {sector.id}"
                for name in sorted({n.casefold() for n in (sector.id, sector.name, *sector.aliases)})
                if seen.setdefault(name, sector.id) != sector.id
            ]
            faults += [
                f"{sector.id}: no sector {other!r}"
                for other in (*sector.neighbours, *sector.upstream)
                if other not in ids
            ]
        if not faults:
            faults = [
                f"border {border}: {number} sectors are looked at together; at most {TOGETHER} can be"
                for border, number in sorted(Counter(chain.from_iterable(self.audience.values())).items())
                if number > TOGETHER
            ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @cached_property
    def by_id(self) -> dict[str, Sector]:
        return {sector.id: sector for sector in self.sector}

    @cached_property
    def by_name(self) -> dict[str, Sector]:
        """Every id, name and alias, casefolded."""
        return {
            name.casefold(): sector
            for sector in self.sector
            for name in (sector.id, sector.name, *sector.aliases)
        }

    @cached_property
    def border_of(self) -> dict[str, str]:
        """The border of each sector, and of each border itself, since borders have alerts of their own."""
        own = {sector.border: sector.border for sector in self.sector}
        return own | {sector.id: sector.border for sector in self.sector}

    @cached_property
    def audience(self) -> dict[str, tuple[str, ...]]:
        """By sector, the borders that look at it beside others: its own, and those that it is upstream of.

        A sector that has no neighbour and no upstream, and is nobody's, is not in it.
        """
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for sector in self.sector:
            for other in (*sector.neighbours, *sector.upstream):
                wanted[sector.id].add(sector.border)
                wanted[other].add(self.by_id[other].border)
            for other in sector.upstream:
                wanted[other].add(sector.border)
        return {name: tuple(sorted(borders)) for name, borders in sorted(wanted.items())}

    def find(self, name: str) -> Sector:
        """The sector of that id, name or alias; raises UnknownSectorError with the nearest known name."""
        found = self.by_name.get(name.strip().casefold())
        if found is None:
            near = self.nearest(name)
            hint = f"; nearest known: {near.id}" if near else ""
            raise UnknownSectorError(f"unknown sector {name[:64]!r}{hint}")
        return found

    def nearest(self, name: str) -> Sector | None:
        """The sector whose id, name or alias is spelt most like `name` (None where none is like it)."""
        near = difflib.get_close_matches(name.strip().casefold()[:64], self.by_name, n=1, cutoff=0.4)
        return self.by_name[near[0]] if near else None


def registry(path: Path = SHIPPED) -> Registry:
    """Read a registry; raises DocumentError naming every fault with file and line."""
    return load(path, Registry)
