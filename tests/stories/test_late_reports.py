"""A day that is not reported yet is no calm day: in its own place, and beside its neighbours."""

import pytest

from tests.stories.tallied_border import MOVED, MOVES, USUAL, Border


@pytest.mark.parametrize("hours", [33, 57, 130])
def test_a_surge_stands_while_its_days_are_not_reported_yet(hours: int) -> None:
    """Tallies come two days late or later: between two of them nothing is known, which is no end."""
    border = Border({"a": hours})
    border.live(MOVES, USUAL)
    border.live(MOVES + 16, {**USUAL, "a": 600})
    assert border.notices("Surge at A") != []
    assert border.notices("Resolved: Surge at A") == []
    border.live(MOVES + 30, USUAL)
    assert border.notices("Resolved: Surge at A") != []


@pytest.mark.parametrize("hours", [9, 33])
def test_nobody_is_missing_from_a_place_that_reports_in_the_morning(hours: int) -> None:
    border = Border({"a": hours})
    border.live(MOVES, USUAL)
    border.live(MOVES + 8, {**USUAL, "b": 285})
    assert border.notices("Surge at B") != []
    assert border.notices("Displacement") == []


@pytest.mark.parametrize("late", [{"a": 9}, {"b": 9}, {"a": 9, "b": 9, "c": 9}])
def test_a_displacement_is_found_once_all_its_places_have_reported(late: dict[str, int]) -> None:
    border = Border(late)
    border.live(MOVES, USUAL)
    border.live(MOVES + 3, MOVED)
    assert border.notices("Displacement from A to B") != []
