"""Tallies that come once a week: days of which none ever comes are no days without people."""

from streams.contract.verdicts import Question
from tests.stories.port import Port

USUAL = 40  # people a day
Week = list[int | None]


def weeks(*odd: Week) -> Port:
    """Twenty usual weeks from a Monday on, these weeks, and four usual ones."""
    port = Port("2023-01-02")
    usual: list[Week] = [[USUAL] * 7]
    for week in (*usual * 20, *odd, *usual * 4):
        port.tally_late(week)
    return port


def test_days_that_a_late_report_leaves_out_are_no_drop_and_no_new_level() -> None:
    port = weeks([USUAL, None, None, USUAL, USUAL, USUAL, USUAL])
    assert port.first(Question.DROP, Question.REGIME) == []


def test_days_of_which_nobody_is_reported_late_are_a_drop() -> None:
    port = weeks([USUAL, 0, 0, USUAL, USUAL, USUAL, USUAL])
    assert port.first(Question.DROP) == ["2023-05-23"]


def test_a_single_empty_day_before_a_low_one_is_the_first_of_a_drop() -> None:
    port = weeks([USUAL, None, 3, 3, 3, 3, 3])
    assert port.first(Question.DROP) == ["2023-05-23"]
