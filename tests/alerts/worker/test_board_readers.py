"""Sectors and deliveries are those of all workers: the board reads them from topics."""

from types import SimpleNamespace

from alerts.console.board import Board
from alerts.worker.board_readers import draw_verdict, show_delivery
from streams.contract.verdicts import DataStatus, Question
from tests import console_story as story
from tests.alerts.made import verdict


def record(value: bytes | None, timestamp: int = 0, sink: bytes = b"slack") -> SimpleNamespace:
    return SimpleNamespace(value=value, timestamp=timestamp, headers=[("sink", sink)])


def test_a_surge_verdict_draws_its_sector_whatever_it_found():
    board = Board()
    for question in (Question.SURGE, Question.DROP):
        one = verdict(0, breach=False, question=question, sector=f"sector-{question}")
        draw_verdict(board, record(one.model_dump_json().encode()))
    assert [sector["id"] for sector in board.snapshot().as_json()["sectors"]] == ["sector-surge"]


def test_a_silence_marks_its_sector_before_the_period_is_over():
    board = Board()
    calm = verdict(0, breach=False)
    silent = verdict(1, breach=True, question=Question.SILENCE, no_data_since=calm.as_of)
    silent = silent.model_copy(update={"data": DataStatus.WITHOUT_DATA})
    for one in (calm, silent):
        draw_verdict(board, record(one.model_dump_json().encode()))
    (sector,) = board.snapshot().as_json()["sectors"]
    assert (sector["data"], sector["no_data_since"]) == ("without_data", calm.as_of.isoformat())


def test_records_that_are_not_understood_change_nothing():
    board = Board()
    for value in (None, b"", b"junk", b'{"question":"surge"}', b'"surge"'):
        draw_verdict(board, record(value))
        show_delivery(board, record(value))
        show_delivery(board, record(value, timestamp=2**62, sink=b"\xff"))
    assert board.snapshot().as_json()["sectors"] == board.snapshot().as_json()["deliveries"] == []


def test_a_notice_that_a_sink_has_taken_is_a_delivery_whoever_sent_it():
    board = Board(sinks=["slack"])
    notice = story.notice_of(next(story.alerts()))
    taken = int(story.NOW.timestamp() * 1000)
    show_delivery(board, record(notice.model_dump_json().encode(), taken))
    shown = board.snapshot().as_json()
    assert [(row["sink"], row["headline"]) for row in shown["deliveries"]] == [("slack", notice.headline)]
    assert [(row["state"], row["delivered_at"]) for row in shown["sinks"]] == [("ok", story.NOW.isoformat())]
