"""What the board shows of a sector without data."""

import datetime as dt

import pytest

from alerts.console.board import Board
from streams.contract.verdicts import DataStatus, Question, Verdict
from tests import console_story as story


@pytest.fixture(scope="module")
def days() -> list[Verdict]:
    return story.days_of(story.PLACES[0])


def rows(board: Board, kind: str) -> list[dict]:
    return board.snapshot().as_json()[kind]


def test_a_sector_without_data_shows_since_when_and_no_zero(days):
    board = Board()
    board.observe(days[-2])
    last_event = days[-2].period
    absent = story.judged_as(days[-1], days[-1].question, observed=0, no_data_since=last_event)
    board.observe(absent.model_copy(update={"data": DataStatus.WITHOUT_DATA}))
    (sector,) = rows(board, "sectors")
    assert (sector["data"], sector["no_data_since"]) == ("without_data", last_event.isoformat())
    assert sector["line"][1] == [days[-2].evidence.observed]
    later = days[-1].model_copy(update={"as_of": days[-1].as_of + dt.timedelta(days=1)})
    board.observe(later)
    assert rows(board, "sectors")[0]["no_data_since"] is None


def test_a_sector_whose_source_stopped_shows_no_data_before_its_day_is_over(days):
    board = Board()
    board.observe(days[-1])
    stopped, later = days[-1].as_of, days[-1].as_of + dt.timedelta(hours=4)
    away = story.judged_as(days[-1], Question.SILENCE, observed=0, no_data_since=stopped, source="customs")
    board.observe(away.model_copy(update={"data": DataStatus.WITHOUT_DATA, "as_of": later}))
    (sector,) = rows(board, "sectors")
    assert (sector["data"], sector["no_data_since"]) == ("without_data", stopped.isoformat())
    assert sector["line"][1][-1] == days[-1].evidence.observed
    back = story.judged_as(days[-1], Question.SILENCE, observed=0, source="customs")
    board.observe(back.model_copy(update={"as_of": later + dt.timedelta(hours=1)}))
    assert rows(board, "sectors")[0]["data"] == "with_data"
