"""The table of questions: everything that lists, names, colours or routes questions reads it here.

A question is one member of `Question`. Its detector is the module of the same name in `streams.detectors`;
its runbook is the page of the same name in `docs/runbooks`. The order of the table is the order in which
questions are asked and shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from streams.contract.cadence import Cadence

Setting = float | int | str
DEFAULT_BUDGET: Final = 0.05  # false alarms of a sector in a month
LONG: Final = (Cadence.DAY, Cadence.WEEK, Cadence.MONTH)


class Scope(StrEnum):
    """What is looked at, and what a verdict is about."""

    SECTOR = "sector"  # one sector, by itself
    NEIGHBOURS = "neighbours"  # one sector, beside the others of its border
    BORDER = "border"  # the border as a whole


class Look(StrEnum):
    """Why a period is looked at."""

    CLOSED = "closed"  # it is over
    REVISED = "revised"  # it was over, and has changed since: late events, corrections
    OPEN = "open"  # it is filling: is the count too high for a whole period already?
    EARLY = "early"  # it is filling: is the count high for the period's age?
    HOUR = "hour"  # an hour of it is over: is that hour high by itself?


@dataclass(frozen=True, kw_only=True)
class Entry:
    """All that is known of a question but its detector."""

    title: str  # as people read it: "Surge at Swanton"
    meaning: str  # what is the matter, as a clause: "more people than normal"
    colour: str  # on the console and in Grafana
    scope: Scope = Scope.SECTOR
    budget_share: float = 0.0  # of a sector's false alarms
    level: float = 0.0  # without a share: p-value of a breach at the default budget; 0: a rule without chance
    looks: tuple[Look, ...] = (Look.CLOSED,)
    cadences: tuple[Cadence, ...] = LONG
    waits: bool = False  # missing reports look like a breach, so it is asked when enough have arrived
    side: int = 0  # of what is expected, on which what it found may last: 1 above, -1 below; 0: it cannot
    always: bool = False  # closed periods are published calm or not: borders and metrics build on them
    # What differs from the default policy: when an alert opens and resolves, and how severe it is.
    policy: Mapping[str, Setting] = field(default_factory=dict)


class Question(StrEnum):
    """What is asked; one detector answers each."""

    _entry: Entry

    def __new__(cls, name: str, entry: Entry) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member._entry = entry
        return member

    SURGE = (
        "surge",
        Entry(
            title="Surge",
            meaning="more people than normal",
            colour="#d64550",
            budget_share=0.4,
            looks=(Look.CLOSED, Look.REVISED, Look.OPEN, Look.EARLY),
            side=1,
            always=True,
        ),
    )
    RECORD = (
        "record",
        Entry(
            title="Record high",
            meaning="the highest count on record",
            colour="#a83279",
            level=0.05,
            side=1,
            policy={"least_ratio": 1.2, "resolve_after": 7, "most": "info"},
        ),
    )
    MIX = (
        "mix",
        Entry(
            title="Shift in the mix",
            meaning="other people than normal",
            colour="#8f6ed5",
            budget_share=0.15,
            side=1,
            policy={"resolve_after": 7, "most": "warning"},
        ),
    )
    STRAIN = (
        "strain",
        Entry(
            title="At capacity",
            meaning="as many people as the sector can take in",
            colour="#b5651d",
            looks=(Look.CLOSED, Look.OPEN),
            cadences=(Cadence.DAY,),
            policy={"least_ratio": 0.0, "least_excess": 0.0, "resolve_after": 1},
        ),
    )
    DROP = (
        "drop",
        Entry(
            title="Drop",
            meaning="fewer people than normal",
            colour="#2f7ed8",
            budget_share=0.15,
            looks=(Look.CLOSED, Look.REVISED),
            waits=True,
            side=-1,
            policy={"most": "warning"},
        ),
    )
    SLOW_RISE = (
        "slow_rise",
        Entry(
            title="Slow rise",
            meaning="a little more than normal, for many periods",
            colour="#e8833a",
            budget_share=0.15,
            waits=True,
            side=1,
            policy={"least_ratio": 1.15, "warning_ratio": 1.2, "resolve_after": 7, "most": "warning"},
        ),
    )
    REGIME = (
        "regime",
        Entry(
            title="New level",
            meaning="a lasting new level that no policy date announces",
            colour="#5f6b7a",
            level=2.0**-14,  # as improbable as 15 days in a row on one side
            waits=True,
            policy={"least_ratio": 1.2, "resolve_after": 7, "expire_days": 7, "most": "info"},
        ),
    )
    SILENCE = (
        "silence",
        Entry(
            title="Silence",
            meaning="nobody for longer than chance allows",
            colour="#39424e",
            budget_share=0.15,
            cadences=(Cadence.HOUR, *LONG),
            waits=True,
            policy={"resolve_after": 6, "expire_days": 2, "keep_firing_hours": 8, "most": "warning"},
        ),
    )
    DISPLACEMENT = (
        "displacement",
        Entry(
            title="Displacement",
            meaning="fewer people here, more next door",
            colour="#1b998b",
            scope=Scope.NEIGHBOURS,
            level=1e-3,
            side=-1,
            policy={"resolve_after": 7, "most": "warning"},
        ),
    )
    SPILL_OVER = (
        "spill_over",
        Entry(
            title="Spill-over",
            meaning="a surge upstream has arrived here",
            colour="#4a8f3c",
            scope=Scope.NEIGHBOURS,
            level=1e-3,
            side=1,
            policy={"resolve_after": 7, "most": "warning"},
        ),
    )
    SCAN = (
        "scan",
        Entry(
            title="Cluster of sectors",
            meaning="several sectors side by side are high together",
            colour="#c2a000",
            scope=Scope.BORDER,
            level=1e-3,
            policy={"resolve_after": 7, "most": "warning"},
        ),
    )

    @property
    def entry(self) -> Entry:
        """Its entry in the table."""
        return self._entry

    @property
    def regional(self) -> bool:
        """Whether it is asked of a border's sectors together, once all of them have closed a period."""
        return self._entry.scope is not Scope.SECTOR
