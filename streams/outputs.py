"""What the pipeline says, as records of the output topics."""

from streams.pipeline import Outcome
from streams.settings import Settings
from streams.transport import Producer, Record
from streams.verdicts import Verdict

PRODUCED_AT = "produced_at"  # header: ms, when the newest event behind a verdict was produced


class Outputs:
    """Says outcomes: verdicts by sector, refused records as dead letters."""

    def __init__(self, settings: Settings) -> None:
        self._verdicts = settings.topic("verdicts")
        self._dead = settings.topic("encounters.dead")

    async def say(self, producer: Producer, outcome: Outcome) -> None:
        """Hand an outcome to the producer; `producer.settled()` says when the broker has it."""
        if outcome.verdicts:
            said = [_record(verdict, outcome.produced_at) for verdict in outcome.verdicts]
            await producer.put_keyed(self._verdicts, said)
        if outcome.dead:
            await producer.put_keyed(
                self._dead,
                [(b"%d" % dead.partition, dead.model_dump_json().encode(), []) for dead in outcome.dead],
            )


def _record(verdict: Verdict, produced_at: int) -> Record:
    headers = [(PRODUCED_AT, str(produced_at).encode())]
    return verdict.sector.encode(), verdict.model_dump_json().encode(), headers
