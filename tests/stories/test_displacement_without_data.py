"""A displacement stands while its place, or the one next door, is silent: a dead feed brings nobody back."""

import datetime as dt
import json
from collections.abc import Mapping

import numpy as np

from streams.contract.questions import Question
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import DataStatus, Verdict
from tests.laws.reading import DAY, HOUR, START, Sent, System

MOVES, DIES = 60, 63  # days on which people go next door, and on which the feed of the place dies
USUAL = {"a": 200, "b": 150, "c": 150}
MOVED = {"a": 60, "b": 285, "c": 150}
PLACES = Registry(
    sector=tuple(
        Sector(id=name, name=name.upper(), country="US", border="south", time_zone="UTC", neighbours=beside)
        for name, beside in (("a", ()), ("b", ("a",)), ("c", ("a",)))
    )
)


class Border:
    """Three places with a tally a day, through the whole flow, live."""

    def __init__(self) -> None:
        self.flow, self.day, self._draw = System(2, PLACES, wall_clock=True), 0, np.random.default_rng(3)

    def live(self, until: int, people: Mapping[str, int]) -> None:
        """Let days pass in which so many come to each place; of one that is left out nothing is heard."""
        for day in range(self.day, until):
            sent = START + day * DAY + 23 * HOUR
            self.flow.send(
                Sent(name, self._tally(name, sent, int(self._draw.normal(mean, 12))), sent)
                for name, mean in people.items()
            )
            self.flow.read()
            self.flow.tick(sent + 2 * HOUR)
            self.flow.notify()
        self.day = until

    def _tally(self, name: str, at: int, people: int) -> bytes:
        moment = dt.datetime.fromtimestamp(at, dt.UTC).isoformat()
        return json.dumps(
            {
                "event_id": f"{name}{at}", "sector": name, "occurred_at": moment, "count": people,
                "crossing_type": "at_port", "demographic": "unknown", "period": "day",
            }
        ).encode()  # fmt: skip

    def notices(self) -> list[str]:
        return [one for one in self.flow.found.notices.values() if "Displacement" in one]

    def verdicts(self, first: int) -> list[Verdict]:
        """The verdicts on displacement from a day on."""
        return [
            one
            for one in self.flow.found.verdicts.values()
            if one.question is Question.DISPLACEMENT and one.period.timestamp() >= START + first * DAY
        ]


def silent(until: int, *, dead: str = "a") -> Border:
    border = Border()
    border.live(MOVES, USUAL)
    border.live(DIES, MOVED)
    border.live(until, {name: people for name, people in MOVED.items() if name != dead})
    return border


def test_a_displacement_from_a_place_without_data_stands_and_shows_since_when() -> None:
    border = silent(80)
    assert border.notices()[0].startswith("Displacement from A")
    assert not any("Resolved" in one for one in border.notices())
    held = border.verdicts(DIES)
    assert {(one.breach, one.data) for one in held} == {(True, DataStatus.WITHOUT_DATA)}
    assert {one.evidence.no_data_since for one in held} == {
        dt.datetime.fromtimestamp(START + DIES * DAY - 1, dt.UTC)
    }


def test_it_resolves_once_data_show_that_people_are_back() -> None:
    border = silent(70)
    border.live(85, USUAL)
    assert "Resolved" in border.notices()[-1]


def test_nothing_is_displaced_from_a_place_of_which_nothing_is_heard() -> None:
    border = Border()
    border.live(MOVES, USUAL)
    border.live(75, {"b": 285, "c": 150})
    assert border.notices() == []


def test_a_displacement_to_a_place_without_data_stands_as_long_as_people_are_missing_here() -> None:
    border = silent(75, dead="b")
    assert not any("Resolved" in one for one in border.notices())
    held = [one for one in border.verdicts(DIES) if one.data is DataStatus.WITHOUT_DATA and one.sector == "a"]
    assert held[-1].breach
    assert {one.evidence.no_data_since for one in held} == {
        dt.datetime.fromtimestamp(START + DIES * DAY - 1, dt.UTC)
    }


def test_it_resolves_once_people_are_back_here_whatever_is_heard_from_next_door() -> None:
    border = silent(70, dead="b")
    border.live(85, {"a": 200, "c": 150})
    assert "Resolved" in border.notices()[-1]
