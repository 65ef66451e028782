"""People that have been counted, but not yet entered into the series of their periods.

Entering them one batch at a time would cost more than counting them: with many sectors a batch holds a few
events of each. So they wait here until somebody reads the series.
"""

from streams.counting.dedup import When


class Backlog(dict[When, int]):
    """People by the periods they belong to, in the order in which they came."""

    __slots__ = ("most",)

    def __init__(self) -> None:
        super().__init__()
        self.most = 0  # an upper bound of what any one period has waiting

    def add(self, when: When, people: int) -> None:
        """Let people wait."""
        self[when] = self.get(when, 0) + people
        if people > 0:
            self.most += people

    def drain(self) -> list[tuple[When, int]]:
        """Remove and return all that wait, the last first: so a series grows once, to its last period."""
        waiting = list(reversed(self.items()))
        self.clear()
        self.most = 0
        return waiting
