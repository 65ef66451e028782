"""A displacement stands while its place, or the one next door, is silent: a dead feed brings nobody back."""

import datetime as dt

from streams.contract.verdicts import DataStatus
from tests.laws.reading import DAY, START
from tests.stories.tallied_border import MOVED, MOVES, USUAL, Border

DIES = MOVES + 3  # the day on which the feed of the place dies


def silent(until: int, *, dead: str = "a") -> Border:
    border = Border()
    border.live(MOVES, USUAL)
    border.live(DIES, MOVED)
    border.live(until, {name: people for name, people in MOVED.items() if name != dead})
    return border


def test_a_displacement_from_a_place_without_data_stands_and_shows_since_when() -> None:
    border = silent(80)
    assert border.notices("Displacement")[0].startswith("Displacement from A")
    assert not any("Resolved" in one for one in border.notices("Displacement"))
    held = border.verdicts(DIES)
    assert {(one.breach, one.data) for one in held} == {(True, DataStatus.WITHOUT_DATA)}
    assert {one.evidence.no_data_since for one in held} == {
        dt.datetime.fromtimestamp(START + DIES * DAY - 1, dt.UTC)
    }


def test_it_resolves_once_data_show_that_people_are_back() -> None:
    border = silent(70)
    border.live(85, USUAL)
    assert "Resolved" in border.notices("Displacement")[-1]


def test_nothing_is_displaced_from_a_place_of_which_nothing_is_heard() -> None:
    border = Border()
    border.live(MOVES, USUAL)
    border.live(75, {"b": 285, "c": 150})
    assert border.notices("Displacement") == []


def test_a_displacement_to_a_place_without_data_stands_as_long_as_people_are_missing_here() -> None:
    border = silent(75, dead="b")
    assert not any("Resolved" in one for one in border.notices("Displacement"))
    held = [one for one in border.verdicts(DIES) if one.data is DataStatus.WITHOUT_DATA and one.sector == "a"]
    assert held[-1].breach
    assert {one.evidence.no_data_since for one in held} == {
        dt.datetime.fromtimestamp(START + DIES * DAY - 1, dt.UTC)
    }


def test_it_resolves_once_people_are_back_here_whatever_is_heard_from_next_door() -> None:
    border = silent(70, dead="b")
    border.live(85, {"a": 200, "c": 150})
    assert "Resolved" in border.notices("Displacement")[-1]
