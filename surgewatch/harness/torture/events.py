"""The events that are produced while faults happen, and the counts that they must give."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from streams.contract.cadence import DAY, Cadence
from streams.contract.sectors import Registry
from streams.counting.series import period_at

SECTORS, DAYS, START = 20, 20, 1_704_067_200  # 2024-01-01: hours of four weeks are kept
TWICE = 97  # every so manieth event is sent twice
EVENT = (
    '{"event_id":"t-%d","occurred_at":"%s","sector":"%s","crossing_type":"between_ports",'
    '"demographic":"single_adult","citizenship":"%s","count":%d}'
)

Bucket = tuple[str, Cadence, int]  # sector, cadence, index of a period


class Event(NamedTuple):
    """One event as it is sent, and where it counts. `at`: event time, epoch seconds."""

    sector: str
    text: str
    at: int
    people: int
    copies: int


def events(number: int, places: Registry) -> Iterator[Event]:
    """Events in the order of their event time; towards the end one sector has five times as many."""
    draw = random.Random(number)  # noqa: S311 - reproducible, no secret
    names = [sector.id for sector in places.sector[:SECTORS]]
    weights = [1] * SECTORS
    for serial in range(number):
        at = START + serial * DAYS * DAY // number
        weights[0] = 5 if at > START + (DAYS - 2) * DAY else 1
        (sector,) = draw.choices(names, weights)
        people = draw.choice((1, 1, 1, 2, 5))
        text = EVENT % (serial, datetime.fromtimestamp(at, UTC).isoformat(), sector, "HAITI", people)
        yield Event(sector, text, at, people, 2 if serial % TWICE == 0 else 1)


def people_by_bucket(made: Iterator[Event], places: Registry) -> Counter[Bucket]:
    """People by sector, cadence and period, each event counted once."""
    zones = {sector.id: sector.time_zone for sector in places.sector}
    people: Counter[Bucket] = Counter()
    for event in made:
        hour = Cadence.HOUR.index(event.at)
        people[event.sector, Cadence.HOUR, hour] += event.people
        day = period_at(zones[event.sector], Cadence.DAY, hour)
        people[event.sector, Cadence.DAY, day] += event.people
    return people
