"""The board is filled from topics: the changelog of alerts, and the newest verdicts."""

from types import SimpleNamespace

from alerts.console.board import Board
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.marks import Marks
from alerts.worker.board_readers import draw_verdict, show_alert
from streams.contract.verdicts import Question
from tests.alerts.made import verdict


def record(value: bytes | None, key: bytes | None = b"", offset: int = 0) -> SimpleNamespace:
    return SimpleNamespace(key=key, value=value, offset=offset, partition=0, timestamp=0, headers=())


def changelog_of(*verdicts) -> list[SimpleNamespace]:
    """The records that the pipeline writes for these verdicts."""
    pipeline = AlertPipeline(policies(), Marks())
    values = [one.model_dump_json().encode() for one in verdicts]
    pipeline.process(0, [record(value, offset=at) for at, value in enumerate(values)])
    return [record(value, key) for key, value in pipeline.dirty()[0]]


def test_alerts_of_all_workers_are_shown_after_a_restart():
    board = Board()
    sectors = [f"sector-{number}" for number in range(150)]
    for one in changelog_of(*(verdict(0, breach=True, sector=sector) for sector in sectors)):
        show_alert(board, one)
    assert {alert.sector for alert in board.alerts()} == set(sectors)
    assert len(board.snapshot().as_json()["alerts"]) == 150


def test_an_alert_whose_key_is_deleted_leaves_the_board():
    board = Board()
    for one in changelog_of(verdict(0, breach=True)):
        show_alert(board, one)
        show_alert(board, record(None, one.key))
    assert board.alerts() == []


def test_records_that_are_no_alerts_or_not_understood_change_nothing():
    board = Board()
    for value in (b"junk", b"\x92\x01\xc4\x02{}", b"", b"\xff", b"{}"):
        for key in (None, b"\0at", b"any", b"\xff"):
            show_alert(board, record(value, key))
            draw_verdict(board, record(value, key))
    draw_verdict(board, record(b'{"question":"surge"}'))
    draw_verdict(board, record(None))
    assert board.snapshot().as_json()["alerts"] == board.snapshot().as_json()["sectors"] == []


def test_a_surge_verdict_draws_its_sector_whatever_it_found():
    board = Board()
    for question in (Question.SURGE, Question.DROP):
        one = verdict(0, breach=False, question=question, sector=f"sector-{question}")
        draw_verdict(board, record(one.model_dump_json().encode()))
    assert [sector["id"] for sector in board.snapshot().as_json()["sectors"]] == ["sector-surge"]
