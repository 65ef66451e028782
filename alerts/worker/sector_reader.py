"""Draws the sectors of all workers on the console's board, from the newest verdicts."""

from functools import partial
from typing import Any, Final

from alerts.console.board import Board
from alerts.console.topic_reader import follow
from alerts.worker.console_server import Reader
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable, read
from streams.contract.verdicts import Question, Verdict

BACK: Final = (
    2_000  # verdicts of each partition; a sector's newest one has the periods before it
)
DRAWN: Final = f'"{Question.SURGE}"'.encode()  # in a verdict that the board may draw


def sector_reader(settings: Settings, board: Board) -> Reader:
    """Return the reader of `verdicts`."""
    return partial(
        follow, settings.topic("verdicts"), settings.kafka, partial(draw_verdict, board), back=BACK
    )


def draw_verdict(board: Board, record: Any) -> None:
    """Apply one record of `verdicts`; those that cannot be read are counted by the pipeline."""
    if DRAWN not in (record.value or b""):
        return
    verdict = read(Verdict, record)
    if not isinstance(verdict, Unusable):
        board.observe(verdict)
