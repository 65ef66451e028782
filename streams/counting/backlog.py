"""People that have been counted, but not yet entered into the series of their periods.

Entering them one batch at a time would cost more than counting them: with many sectors a batch holds a few
events of each. So they wait here until somebody reads the series.
"""

from collections.abc import Iterator

from streams.counting.dedup import When


class Backlog:
    """People by the periods they belong to."""

    __slots__ = ("_people", "most")

    def __init__(self) -> None:
        self._people: dict[When, int] = {}
        self.most = 0  # an upper bound of what any one period has waiting

    def __bool__(self) -> bool:
        return bool(self._people)

    def __contains__(self, when: When) -> bool:
        return when in self._people

    def add(self, when: When, people: int) -> None:
        """Let people wait."""
        self._people[when] = self._people.get(when, 0) + people
        self.most += max(people, 0)

    def drain(self) -> Iterator[tuple[When, int]]:
        """Remove and return all that wait, in the order in which they came."""
        waiting, self._people, self.most = self._people, {}, 0
        yield from waiting.items()
