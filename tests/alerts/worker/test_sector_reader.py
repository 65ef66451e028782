"""Sectors are drawn from the newest verdicts, whoever judged them."""

from types import SimpleNamespace

from alerts.console.board import Board
from alerts.worker.sector_reader import draw_verdict
from streams.contract.verdicts import Question
from tests.alerts.made import verdict


def record(value: bytes | None) -> SimpleNamespace:
    return SimpleNamespace(value=value, timestamp=0)


def test_a_surge_verdict_draws_its_sector_whatever_it_found():
    board = Board()
    for question in (Question.SURGE, Question.DROP):
        one = verdict(0, breach=False, question=question, sector=f"sector-{question}")
        draw_verdict(board, record(one.model_dump_json().encode()))
    assert [sector["id"] for sector in board.snapshot().as_json()["sectors"]] == ["sector-surge"]


def test_records_that_are_not_understood_change_nothing():
    board = Board()
    for value in (None, b"", b"junk", b'{"question":"surge"}', b'"surge"'):
        draw_verdict(board, record(value))
    assert board.snapshot().as_json()["sectors"] == []
