"""Controls: what operators say at run time, on the compacted topic `controls`.

The key of a control is `kind/name`; the newest value under a key holds, an empty value withdraws it.
Each worker takes the kinds it knows and leaves the others alone.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from streams.contract.events import Word


class Control(BaseModel):
    """Who said it, when and why: part of every control."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Word
    at: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    @property
    def key(self) -> str:
        """The key under which it stands."""
        raise NotImplementedError

    @property
    def says(self) -> str:
        """What it changes, in a few words for people."""
        raise NotImplementedError


class Withdrawn(Control):
    """What stood under this key holds no longer. (So does an empty value, which says not who and why.)"""

    kind: Literal["withdrawn"] = "withdrawn"
    withdraws: Annotated[str, Field(pattern=r"^[a-z]+/.+$", max_length=200)]

    @property
    def key(self) -> str:
        return self.withdraws

    @property
    def says(self) -> str:
        return f"{self.withdraws} is withdrawn"


class PolicyDate(Control):
    """From `date` (sector's clock) on, the named sectors have a new level: baselines step there."""

    kind: Literal["policy"] = "policy"
    name: Word
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    sectors: tuple[str, ...]  # ids or globs

    @property
    def key(self) -> str:
        return f"policy/{self.name}"

    @property
    def says(self) -> str:
        return f"a new level from {self.date} on in {', '.join(self.sectors)}"


class Capacity(Control):
    """How many people a day a sector can take in."""

    kind: Literal["capacity"] = "capacity"
    sector: Word
    people_per_day: Annotated[float, Field(gt=0)]

    @property
    def key(self) -> str:
        return f"capacity/{self.sector}"

    @property
    def says(self) -> str:
        return f"{self.sector} takes in {self.people_per_day:g} people a day"


class Sensitivity(Control):
    """False alarms per sector-month that the operator accepts from now on."""

    kind: Literal["sensitivity"] = "sensitivity"
    sector: Word = "*"
    false_alarms_per_month: Annotated[float, Field(gt=0, le=30)]

    @property
    def key(self) -> str:
        return f"sensitivity/{self.sector}"

    @property
    def says(self) -> str:
        return f"{self.false_alarms_per_month:g} false alarms a month are accepted in {self.sector}"


StreamControl = Annotated[PolicyDate | Capacity | Sensitivity | Withdrawn, Field(discriminator="kind")]
