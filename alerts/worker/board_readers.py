"""What fills the console's board from topics: sectors and deliveries, those of all workers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from alerts.console.board import Board
from alerts.console.notice_log import read_delivered
from alerts.console.topic_reader import follow
from alerts.worker.console_server import Reader
from alerts.worker.overdue import Overdue
from alerts.worker.settings import Settings
from streams.contract.reading import Unusable, read
from streams.contract.verdicts import Question, Verdict

VERDICTS_BACK: Final = 2_000  # of each partition; a sector's newest one has the periods before it
NOTICES_BACK: Final = 50  # of each partition
UNREAD_SECONDS: Final = 30.0
DRAWN: Final = tuple(f'"{one}"'.encode() for one in (Question.SURGE, Question.SILENCE))  # in what it draws


class BoardReaders:
    """The readers that fill the board, and which of them read nothing."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._settings, self._board = settings, board
        self.overdue = {topic: Overdue(f"console's reader of {topic}", UNREAD_SECONDS) for topic in SOURCES}

    def readers(self) -> list[Reader]:
        """Return the readers, each to be run for as long as there is a console."""
        return [partial(self._read, topic, *source) for topic, source in SOURCES.items()]

    async def _read(self, topic: str, apply: Callable[[Board, Any], None], back: int) -> None:
        overdue, settings = self.overdue[topic], self._settings
        overdue.begin()
        await follow(
            settings.topic(topic),
            settings.kafka,
            partial(apply, self._board),
            back=back,
            done=overdue.done,
            failed=overdue.failed,
        )


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


SOURCES: Final[Mapping[str, tuple[Callable[[Board, Any], None], int]]] = {
    "verdicts": (draw_verdict, VERDICTS_BACK),
    "notices": (show_delivery, NOTICES_BACK),
}
