"""What fills the console's board from topics: sectors and deliveries, those of all workers."""

from functools import partial
from typing import Any, Final

from alerts.console.board import Board
from alerts.console.notice_log import read_delivered
from alerts.console.topic_reader import follow
from alerts.worker.console_server import Reader
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable, read
from streams.contract.verdicts import Question, Verdict

VERDICTS_BACK: Final = 2_000  # of each partition; a sector's newest one has the periods before it
NOTICES_BACK: Final = 50  # of each partition
DRAWN: Final = tuple(f'"{one}"'.encode() for one in (Question.SURGE, Question.SILENCE))  # in what it draws


def board_readers(settings: Settings, board: Board) -> list[Reader]:
    """Return the readers that fill the board."""
    sources = (("verdicts", draw_verdict, VERDICTS_BACK), ("notices", show_delivery, NOTICES_BACK))
    return [
        partial(follow, settings.topic(topic), settings.kafka, partial(apply, board), back=back)
        for topic, apply, back in sources
    ]


def draw_verdict(board: Board, record: Any) -> None:
    """Apply one record of `verdicts`; those that cannot be read are counted by the pipeline."""
    if not any(question in (record.value or b"") for question in DRAWN):
        return
    verdict = read(Verdict, record)
    if not isinstance(verdict, Unusable):
        board.observe(verdict)


def show_delivery(board: Board, record: Any) -> None:
    """Apply one record of `notices`: a notice that a sink has taken. What is not understood is skipped."""
    if taken := read_delivered(record):
        board.delivery(taken.sink, taken.notice, "delivered", at=taken.at)
