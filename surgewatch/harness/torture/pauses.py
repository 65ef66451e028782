"""How long verdicts paused, by partition: from the append of a record to the append of what follows from it.

Verdicts come when something is wrong, which is too seldom to time a pause. So records that nobody can use are
sent to each partition at a steady rate. The worker answers each with a dead letter, which takes the way of a
verdict: fetched and processed in order, published at once. Both appends have the broker's time.
"""

import threading
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from confluent_kafka import Producer

from streams.contract.dead_letters import DeadLetter
from surgewatch.harness.torture.fleet import PARTITIONS

UNUSABLE: Final = b"pulse"
SECONDS: Final = 0.1  # between two records of a partition


def send_pulses(producer: Producer, is_over: threading.Event) -> None:
    """Send an unusable record to each partition of `encounters`, again and again until it is over."""
    while not is_over.wait(SECONDS):
        for partition in range(PARTITIONS):
            try:
                producer.produce("encounters", UNUSABLE, partition=partition)
            except BufferError:  # the broker is away
                producer.poll(SECONDS)
        producer.poll(0)
    producer.flush()


def longest_pauses(records: Iterable[Any], letters: Iterable[Any]) -> Mapping[int, float]:
    """Return the longest time from a refused record to its first dead letter, in seconds, by partition.

    `records` of `encounters` and `letters` of `encounters.dead`, with timestamps in milliseconds.
    """
    appended = {(record.partition, record.offset): record.timestamp for record in records}
    answered: dict[tuple[int, int], int] = {}
    for record in letters:
        letter = DeadLetter.model_validate_json(record.value)
        answered.setdefault((letter.partition, letter.offset), record.timestamp)
    pauses: dict[int, float] = {}
    for (partition, offset), at in answered.items():
        seconds = (at - appended[partition, offset]) / 1000
        pauses[partition] = max(pauses.get(partition, 0.0), seconds)
    return dict(sorted(pauses.items()))


def longest_absence(records: Iterable[Any]) -> float:
    """Return the longest time in which the broker took no record of any partition, in seconds."""
    appended = sorted(record.timestamp for record in records)
    return max((after - before for before, after in pairwise(appended)), default=0) / 1000
