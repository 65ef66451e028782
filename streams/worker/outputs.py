"""Publish what follows from records, on the output topics."""

from collections.abc import Sequence

from streams.contract.reading import PRODUCED_AT
from streams.contract.verdicts import Verdict
from streams.pipelines import border_pipeline, sector_pipeline
from streams.runtime.transport import Producer, Record
from streams.worker.settings import Settings


class VerdictPublisher:
    """Publish verdicts by sector, summaries by border, and refused records as dead letters."""

    def __init__(self, settings: Settings) -> None:
        self._verdicts = settings.topic("verdicts")
        self._summaries = settings.topic("summaries")
        self._dead = settings.topic("encounters.dead")

    async def publish(self, producer: Producer, outcome: sector_pipeline.SectorOutput) -> None:
        """Hand an outcome to the producer; the broker has it once `producer.settled()` returns."""
        if outcome.verdicts:
            await producer.put_keyed(self._verdicts, _records(outcome.verdicts, outcome.produced_at))
        if outcome.summaries:
            at = [(PRODUCED_AT, str(outcome.produced_at).encode())]
            await producer.put_keyed(
                self._summaries,
                [(one.border.encode(), one.model_dump_json().encode(), at) for one in outcome.summaries],
            )
        if outcome.dead:
            await producer.put_keyed(
                self._dead,
                [(b"%d" % dead.partition, dead.model_dump_json().encode(), []) for dead in outcome.dead],
            )


class BorderPublisher:
    """Publish the verdicts on borders, on the topic of the verdicts on sectors."""

    def __init__(self, settings: Settings) -> None:
        self._verdicts = settings.topic("verdicts")

    async def publish(self, producer: Producer, outcome: border_pipeline.BorderOutput) -> None:
        """Hand an outcome to the producer."""
        if outcome.verdicts:
            await producer.put_keyed(self._verdicts, _records(outcome.verdicts, outcome.produced_at))


def _records(verdicts: Sequence[Verdict], produced_at: int) -> list[Record]:
    headers = [(PRODUCED_AT, str(produced_at).encode())]
    return [(verdict.sector.encode(), verdict.model_dump_json().encode(), headers) for verdict in verdicts]
