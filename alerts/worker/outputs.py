"""Publish changes of alerts."""

from alerts.notices.alert_pipeline import Outcome
from alerts.worker.alert_table import TOPIC
from alerts.worker.settings import Settings
from streams.contract.topics import TABLES
from streams.runtime.transport import Producer


class AlertPublisher:
    """Publishes every change of an alert on `alerts.current`."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic(TOPIC)

    async def publish(self, producer: Producer, outcome: Outcome) -> None:
        """Hand the changes to the producer, in order."""
        if outcome.changes:
            await producer.put_keyed(
                self._topic,
                [
                    (
                        change.question_key.encode(),
                        change.alert.model_dump_json().encode() if change.alert else None,
                        change.headers,
                    )
                    for change in outcome.changes
                ],
                TABLES[TOPIC],
            )
