"""Three places of one border with a tally a day, on time or late, through the whole flow."""

import datetime as dt
import json
from collections.abc import Mapping

import numpy as np

from streams.contract.questions import Question
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Verdict
from tests.laws.reading import DAY, HOUR, START, Sent, System

MOVES = 60  # the day on which something begins
USUAL = {"a": 200, "b": 150, "c": 150}
MOVED = {"a": 60, "b": 285, "c": 150}
PLACES = Registry(
    sector=tuple(
        Sector(id=name, name=name.upper(), country="US", border="south", time_zone="UTC", neighbours=beside)
        for name, beside in (("a", ()), ("b", ("a",)), ("c", ("a",)))
    )
)


class Border:
    """Three places, live; of some the tally of a day comes hours after its end."""

    def __init__(self, late: Mapping[str, int] | None = None) -> None:
        self.flow, self.day, self._draw = System(2, PLACES, wall_clock=True), 0, np.random.default_rng(3)
        self._late, self._coming = late or {}, list[Sent]()

    def live(self, until: int, people: Mapping[str, int]) -> None:
        """Let days pass in which so many come to each place; one that is left out sends nothing."""
        for day in range(self.day, until):
            end = START + (day + 1) * DAY
            self._coming += [
                self._tally(name, end, int(self._draw.normal(mean, 12))) for name, mean in people.items()
            ]
            for now in (
                end + HOUR,
                *(end + HOUR * self._late[name] % DAY + 60 for name in sorted(self._late)),
            ):
                self.flow.send(one for one in self._coming if one.appended_at <= now)
                self._coming = [one for one in self._coming if one.appended_at > now]
                self.flow.read()
                self.flow.tick(now)
                self.flow.notify()
        self.day = until

    def _tally(self, name: str, end: int, people: int) -> Sent:
        known = end + self._late.get(name, -1) * HOUR
        event = {
            "event_id": f"{name}{end}", "sector": name, "occurred_at": _iso(end - HOUR), "count": people,
            "reported_at": _iso(known), "crossing_type": "at_port", "demographic": "unknown", "period": "day",
        }  # fmt: skip
        return Sent(name, json.dumps(event).encode(), known)

    def notices(self, headline: str) -> list[str]:
        """The headlines that hold these words."""
        return [one for one in self.flow.found.notices.values() if headline in one]

    def verdicts(self, first: int) -> list[Verdict]:
        """The verdicts on displacement from a day on."""
        return [
            one
            for one in self.flow.found.verdicts.values()
            if one.question is Question.DISPLACEMENT and one.period.timestamp() >= START + first * DAY
        ]


def _iso(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat()
