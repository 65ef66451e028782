"""What fills the console's board from topics: the alerts and the sectors of all workers."""

from functools import partial
from typing import Any, Final

import structlog

from alerts.console.board import Board
from alerts.console.topic_reader import follow
from alerts.notices.alert_pipeline import decode
from alerts.worker.console_server import Reader
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable, read
from streams.contract.verdicts import Question, Verdict

log = structlog.get_logger()

VERDICTS_BACK: Final = (
    2_000  # of each partition: the newest of each sector brings the periods before it along
)
DRAWN: Final = f'"{Question.SURGE}"'.encode()  # in a verdict that the board may draw


def board_readers(settings: Settings, board: Board) -> list[Reader]:
    """Return the readers that fill the board."""
    alerts, verdicts = settings.topic("alerts"), settings.topic("verdicts")
    return [
        partial(follow, alerts, settings.kafka, partial(show_alert, board)),
        partial(follow, verdicts, settings.kafka, partial(draw_verdict, board), back=VERDICTS_BACK),
    ]


def show_alert(board: Board, record: Any) -> None:
    """Apply one record of the changelog `alerts`."""
    key: bytes = record.key or b"\0"
    if key.startswith(b"\0"):
        return  # not an alert
    if record.value is None:
        board.forget_alert(key.decode(errors="replace"))
        return
    try:
        _, alert = decode(record.value)
    except ValueError:
        log.error("alert not understood", partition=record.partition, offset=record.offset)
        return
    board.alert(alert)


def draw_verdict(board: Board, record: Any) -> None:
    """Apply one record of `verdicts`; those that cannot be read are counted by the pipeline."""
    if DRAWN not in (record.value or b""):
        return
    verdict = read(Verdict, record)
    if not isinstance(verdict, Unusable):
        board.observe(verdict)
