"""The workers of a site: how many of each package there are, their names and their settings."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

PARTITIONS: Final = 4


class Fleet(NamedTuple):
    """The workers of each package. One without a name keeps no local copy of its state."""

    names: Sequence[str]
    session_seconds: float
    commit_seconds: float

    @property
    def request_seconds(self) -> float:
        """Seconds after which a worker gives up a request."""
        return self.session_seconds * 2

    def environment(self) -> Mapping[str, str]:
        """Return the settings that all workers share."""
        return {
            "SURGEWATCH_SESSION_SECONDS": str(self.session_seconds),
            "SURGEWATCH_COMMIT_SECONDS": str(self.commit_seconds),
        }


TWO: Final = Fleet(("one", ""), session_seconds=6, commit_seconds=0.5)
PODS: Final = Fleet(("pod-0", "pod-1", "pod-2"), session_seconds=10, commit_seconds=2)  # as the chart has it
