"""The events that are produced while faults happen, and the counts that they must give."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from streams.contract.cadence import DAY, HOUR, Cadence
from streams.contract.sectors import Registry
from streams.counting.series import period_at

FEW, DAYS, START = 20, 20, 1_704_067_200  # 2024-01-01: hours of four weeks are kept
HISTORY = 10  # events of each sector before the first fault, where there are many sectors
TWICE = 97  # every so manieth event is sent twice
EVENT = (
    '{"event_id":"t-%d","occurred_at":"%s","sector":"%s","crossing_type":"between_ports",'
    '"demographic":"single_adult","citizenship":"%s","count":%d}'
)
SECTOR = '[[sector]]\nid = "{id}"\nname = "{id}"\ncountry = "US"\nborder = "border-{border}"\n'

Bucket = tuple[str, Cadence, int]  # sector, cadence, index of a period


class Load(NamedTuple):
    """How many events are sent, to how many sectors.

    With few sectors, events come evenly over 20 days of event time. With many they are of six hours, and the
    first `history` of them come at once, so that there is a large state, whose upkeep takes little.
    """

    events: int
    sectors: int = FEW

    @property
    def history(self) -> int:
        """The number of events that are sent before anything happens."""
        return HISTORY * self.sectors if self.sectors > FEW else 0

    @property
    def span(self) -> int:
        """Seconds of event time between the first and the last event."""
        return 6 * HOUR if self.sectors > FEW else DAYS * DAY


class Event(NamedTuple):
    """One event as it is sent, and where it counts. `at`: event time, epoch seconds."""

    sector: str
    text: str
    at: int
    people: int
    copies: int


def places(folder: Path, sectors: int) -> Path | None:
    """Write a registry of so many sectors, a hundred to a border; None where the shipped one has enough."""
    if sectors <= FEW:
        return None
    path = folder / "sectors.toml"
    path.write_text("".join(SECTOR.format(id=f"sector-{at}", border=at // 100) for at in range(sectors)))
    return path


def events(load: Load, known: Registry) -> Iterator[Event]:
    """Events in the order of their event time; towards the end one sector has five times as many."""
    draw = random.Random(load.events)  # noqa: S311 - reproducible, no secret
    names = [sector.id for sector in known.sector[: load.sectors]]
    for serial in range(load.events):
        at = START + serial * load.span // load.events
        more = 4 if serial > load.events * (DAYS - 2) / DAYS else 0
        sector = names[max(0, draw.randrange(len(names) + more) - more)]
        people = draw.choice((1, 1, 1, 2, 5))
        text = EVENT % (serial, datetime.fromtimestamp(at, UTC).isoformat(), sector, "HAITI", people)
        yield Event(sector, text, at, people, 2 if serial % TWICE == 0 else 1)


def people_by_bucket(made: Iterator[Event], known: Registry) -> Counter[Bucket]:
    """People by sector, cadence and period, each event counted once."""
    zones = {sector.id: sector.time_zone for sector in known.sector}
    people: Counter[Bucket] = Counter()
    for event in made:
        hour = Cadence.HOUR.index(event.at)
        people[event.sector, Cadence.HOUR, hour] += event.people
        day = period_at(zones[event.sector], Cadence.DAY, hour)
        people[event.sector, Cadence.DAY, day] += event.people
    return people
