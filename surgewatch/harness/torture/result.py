"""The result of a run, in figures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Result:
    """The result of a run.

    `alerts_missing` and `alerts_invented` are beginnings and ends of alerts that were notified (and breaches
    of closed periods) against a run without faults. `notices_lost` were made and never seen by the receiver,
    or seen twice under different ids. `announced`: people who are not counted because the broker itself
    dropped their records, which the workers announce; they are not in `lost`.
    """

    events: int
    sectors: int
    faults: list[str]
    lost: int = 0
    doubled: int = 0
    announced: int = 0
    alerts_missing: int = 0
    alerts_invented: int = 0
    notices_lost: int = 0
    notices_repeated: int = 0  # seen again under the same id: a receiver can fold them
    refused: list[str] = field(default_factory=list)  # why workers refused to go on, where they had to
    silent: bool = False  # something was lost or wrong, and no worker announced it
    pauses: Mapping[int, float] = field(default_factory=dict)  # the longest of verdicts, seconds by partition
    absence: float = 0.0  # of the broker, the longest in seconds: pauses cannot be shorter
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Return whether nothing was lost, doubled, missing or invented without a report."""
        wrong = self.lost, self.doubled, self.alerts_missing, self.alerts_invented, self.notices_lost
        return not (any(wrong) or self.silent)

    def plain(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {**asdict(self), "exact": self.exact}
