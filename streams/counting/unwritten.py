"""What of a sector's state the changelog does not have yet."""

from dataclasses import dataclass, field

from streams.contract.cadence import Cadence


@dataclass(slots=True)
class Unwritten:
    """Which records of a sector have to be written at the next commit."""

    history: bool = False  # a period has changed that no tail covers
    sealed: dict[Cadence, int] = field(default_factory=dict)  # the written history ends here, by cadence
