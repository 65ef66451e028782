"""Publish changes of alerts, and draw verdicts on the console's board."""

from alerts.console.board import Board
from alerts.notices.alert_pipeline import Outcome
from alerts.worker.alert_table import TOPIC
from alerts.worker.settings import Settings
from streams.runtime.transport import Producer


class AlertPublisher:
    """Publishes every change of an alert on `alerts.current`."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._topic = settings.topic(TOPIC)
        self._board = board

    async def publish(self, producer: Producer, outcome: Outcome) -> None:
        """Hand the changes to the producer, in order."""
        for verdict in outcome.verdicts:
            self._board.observe(verdict)
        if outcome.changes:
            await producer.put_keyed(
                self._topic,
                [
                    (key.encode(), alert.model_dump_json().encode() if alert else None, [])
                    for key, alert in outcome.changes
                ],
            )
