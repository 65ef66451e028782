"""Bring notices to their topic, and show what happened on the board."""

from alerts.console.board import Board
from alerts.notices.alert_pipeline import Outcome
from alerts.worker.settings import Settings
from streams.contract.reading import PRODUCED_AT
from streams.runtime.transport import Producer


class NoticePublisher:
    """Brings notices to their topic, and lets the board see."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._topic = settings.topic("notices")
        self._board = board

    async def publish(self, producer: Producer, outcome: Outcome) -> None:
        """Hand notices to the producer."""
        for verdict in outcome.verdicts:
            self._board.observe(verdict)
        for alert in outcome.alerts:
            self._board.alert(alert)
        if outcome.notices:
            await producer.put_keyed(
                self._topic,
                [
                    (
                        notice.alert.alert_id.encode(),
                        notice.model_dump_json().encode(),
                        [(PRODUCED_AT, str(produced).encode())],
                    )
                    for notice, produced in outcome.notices
                ],
            )
