"""What fills the console's board from topics: sectors and deliveries, those of all workers."""

import datetime as dt
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from alerts.console.board import Board
from alerts.console.topic_reader import follow
from alerts.lifecycle.alert import Notice
from alerts.worker.console_server import Reader
from alerts.worker.settings import Settings
from alerts.worker.sink_owner import SINK
from streams.contract.reading import Unusable, read
from streams.contract.verdicts import Question, Verdict

VERDICTS_BACK: Final = 2_000  # of each partition; a sector's newest one has the periods before it
NOTICES_BACK: Final = 50  # of each partition
DRAWN: Final = f'"{Question.SURGE}"'.encode()  # in a verdict that the board may draw


def board_readers(settings: Settings, board: Board) -> list[Reader]:
    """Return the readers that fill the board."""
    sources = (("verdicts", draw_verdict, VERDICTS_BACK), ("notices", show_delivery, NOTICES_BACK))
    return [
        partial(follow, settings.topic(topic), settings.kafka, partial(apply, board), back=back)
        for topic, apply, back in sources
    ]


def draw_verdict(board: Board, record: Any) -> None:
    """Apply one record of `verdicts`; those that cannot be read are counted by the pipeline."""
    if DRAWN not in (record.value or b""):
        return
    verdict = read(Verdict, record)
    if not isinstance(verdict, Unusable):
        board.observe(verdict)


def show_delivery(board: Board, record: Any) -> None:
    """Apply one record of `notices`: a notice that a sink has taken. What is not understood is skipped."""
    sink = next((value for name, value in record.headers if name == SINK and value), b"")
    try:
        notice = Notice.model_validate_json(record.value or b"", extra="ignore")
        taken_at = dt.datetime.fromtimestamp(record.timestamp / 1000, dt.UTC)
    except (ValidationError, ValueError, OverflowError, OSError):
        return
    board.delivery(sink.decode(errors="replace"), notice, "delivered", at=taken_at)
