"""Controls: what operators change at run time, on the compacted topic `controls`.

The key of a control is `kind/name`. The newest value under a key is in force; an empty value withdraws it.
Each worker applies the kinds it knows and skips the others. The command line, the console and the workers
validate controls by these models and by `Control.unknown`.
"""

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from streams.contract.events import Identifier
from streams.contract.reading import AHEAD
from streams.contract.sentences import Sentence, invalid, sentence

MOST_PEOPLE = 1_000_000  # a day in one sector; more is a typing error
LONGEST_PERSON = 254  # characters: an e-mail address fits
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_PERSON)]
Explanation = Annotated[str, Field(min_length=1, max_length=500)]
MOST_NAMES: Final = 500  # in a control; each may be held against every sector
NEAREST: Final = 5  # unknown names for which the nearest known one is looked up, which takes time
YEARS = range(1900, 2201)  # of dates that calendars are asked about; others are typing errors


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a control may refer to. None: not known here, so it is not checked."""

    sectors: frozenset[str]
    questions: frozenset[str]
    sinks: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    alerts: frozenset[str] | None = None
    over: frozenset[str] = frozenset()  # alerts that are resolved
    keys: frozenset[str] | None = None
    border_of: Mapping[str, str] | None = None  # of the sectors (and borders) that routes can be limited to


class Control(BaseModel):
    """Who changed something, when and why: part of every control."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    by: Person
    at: AwareDatetime
    reason: Explanation

    @property
    def key(self) -> str:
        """The key of its record."""
        raise NotImplementedError

    def unknown(self, names: Names) -> list[Sentence]:
        """One sentence for each name in it that refers to nothing, or to what is over."""
        return []


AnyControl = TypeVar("AnyControl", bound=Control)


class Withdrawn(Control):
    """The control under this key is no longer in force. (An empty value does the same, without a reason.)"""

    kind: Literal["withdrawn"] = "withdrawn"
    withdraws: Annotated[str, Field(pattern=r"^[a-z]+/.+$", max_length=200)]

    @property
    def key(self) -> str:
        return self.withdraws

    def unknown(self, names: Names) -> list[Sentence]:
        return missing("unknown control {name}", [self.withdraws], names.keys)


class PolicyDate(Control):
    """From `date` (the sector's local day) on, the named sectors have a new level: baselines step there."""

    kind: Literal["policy"] = "policy"
    name: Identifier
    date: dt.date
    sectors: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_NAMES)]  # ids or globs

    @field_validator("date")
    @classmethod
    def _plausible(cls, date: dt.date) -> dt.date:
        return plausible(date)

    @property
    def key(self) -> str:
        return f"policy/{self.name}"

    def unknown(self, names: Names) -> list[Sentence]:
        return missing("unknown sector {name}", self.sectors, names.sectors)


class Capacity(Control):
    """How many people a day a sector can take in."""

    kind: Literal["capacity"] = "capacity"
    sector: Identifier
    people_per_day: Annotated[float, Field(gt=0, le=MOST_PEOPLE)]

    @property
    def key(self) -> str:
        return f"capacity/{self.sector}"

    def unknown(self, names: Names) -> list[Sentence]:
        return missing("unknown sector {name}", [self.sector], names.sectors, globs=False)


class Sensitivity(Control):
    """False alarms per sector and month that the operator accepts from now on."""

    kind: Literal["sensitivity"] = "sensitivity"
    sector: Identifier = "*"
    false_alarms_per_month: Annotated[float, Field(gt=0, le=30)]

    @property
    def key(self) -> str:
        return f"sensitivity/{self.sector}"

    def unknown(self, names: Names) -> list[Sentence]:
        return (
            []
            if self.sector == "*"
            else missing("unknown sector {name}", [self.sector], names.sectors, globs=False)
        )


class Confirm(Control):
    """The zeros of a silent sector are true: nobody comes. Holds from `at` until the sector's next event."""

    kind: Literal["confirm"] = "confirm"
    sector: Identifier

    @property
    def key(self) -> str:
        return f"confirm/{self.sector}"

    def unknown(self, names: Names) -> list[Sentence]:
        return missing("unknown sector {name}", [self.sector], names.sectors, globs=False)


StreamControl = Annotated[
    PolicyDate | Capacity | Sensitivity | Confirm | Withdrawn, Field(discriminator="kind")
]


def dated(control: AnyControl, appended: float) -> AnyControl:
    """Return a control as of its record (epoch seconds), where its own time is more than an hour later.

    Whoever set it has a wrong clock then, and what counts from that time on would never end.
    """
    if control.at.timestamp() <= appended + AHEAD:
        return control
    return control.model_copy(update={"at": dt.datetime.fromtimestamp(appended, dt.UTC)})


def plausible(date: dt.date) -> dt.date:
    """Return a date whose year calendars are asked about; raises FaultsError for any other."""
    if date.year not in YEARS:
        raise invalid("the year must be from {first} to {last}", first=str(YEARS[0]), last=str(YEARS[-1]))
    return date


def missing(
    message: str, wanted: Iterable[str], known: frozenset[str] | None, *, globs: bool = True
) -> list[Sentence]:
    """Return the message, with its `name`, for each wanted name (or glob) that matches nothing known.

    The nearest known name goes with the first of them.
    """
    if known is None:
        return []
    found: list[Sentence] = []
    for name in wanted:
        if name in known or (globs and any(fnmatchcase(one, name) for one in known)):
            continue
        unknown = sentence(message, name=repr(name))
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5) if len(found) < NEAREST else []
        found.append(
            sentence("{fault}; nearest known: {name}", fault=unknown, name=near[0]) if near else unknown
        )
    return found
