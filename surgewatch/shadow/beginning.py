"""Give a shadow the state of the live workers, which go on meanwhile.

A copy is what one of the live workers would read back if it started now: counts up to some event, and borders
as they were later than that. What the shadow publishes again between the two, borders know already.
"""

from collections.abc import Callable
from typing import Final

from streams.runtime.broker_monitor import partitions_of
from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import NoStore
from streams.runtime.partition_reader import State
from streams.runtime.transport import Producer
from surgewatch.repartition.plain_producer import producing

Report = Callable[[str], None]
COUNTS: Final = "counts"  # of `encounters`, which the shadow reads too: positions hold
BORDERS: Final = "borders"  # of `summaries`, of which the shadow has its own


class ShadowError(RuntimeError):
    """A shadow cannot begin or be compared; the message names what to do."""


async def begin(kafka: KafkaSettings, live: str, shadow: str, report: Report) -> None:
    """Copy the state under the prefix `live` to the prefix `shadow`, whose topics are there and empty.

    Raises ShadowError where the shadow has state.
    """
    async with producing(kafka) as producer:
        for name in (COUNTS, BORDERS):
            keys = await _copy(kafka, producer, name=name, live=live, shadow=shadow)
            report(f"{shadow}{name}: {keys} keys of {live}{name}")


async def _copy(kafka: KafkaSettings, producer: Producer, *, name: str, live: str, shadow: str) -> int:
    source, target = (Changelog(prefix + name, kafka, NoStore()) for prefix in (live, shadow))
    found = await partitions_of(kafka, [source.topic, target.topic])
    every = sorted(found[source.topic])
    if found[target.topic] != found[source.topic]:
        raise ShadowError(f"{target.topic} has other partitions than {source.topic}: delete it, begin again")
    there, _ = await target.look(every)
    if any(state.pairs or state.position for state in there.values()):
        raise ShadowError(f"{target.topic} has state: delete the topics under {shadow} to begin again")
    states, _ = await source.look(every)
    await target.write(producer, {at: _for_shadow(name, state) for at, state in states.items()})
    return sum(len(state.pairs) for state in states.values())


def _for_shadow(name: str, state: State) -> State:
    return state if name == COUNTS else State(0, state.pairs)
