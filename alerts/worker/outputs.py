"""Bring notices to their topic."""

from alerts.notices.alert_pipeline import Outcome
from alerts.worker.settings import Settings
from streams.contract.reading import PRODUCED_AT
from streams.runtime.transport import Producer


class NoticePublisher:
    """Brings notices to their topic."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic("notices")

    async def publish(self, producer: Producer, outcome: Outcome) -> None:
        """Hand notices to the producer."""
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
