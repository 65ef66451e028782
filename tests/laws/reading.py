"""A log of encounters, and the pure cores that read it: by any partitions, in any order, with restarts."""

import datetime as dt
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.history import NoticeHistory
from streams.baselines.calendar import Calendar
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Verdict
from streams.judging.judge import Judge
from streams.pipelines.border_pipeline import BorderPipeline
from streams.pipelines.sector_pipeline import SectorOutput, SectorPipeline
from surgewatch.harness.records import Record

HOUR, DAY, START = 3600, 86_400, 1_672_531_200  # 2023-01-01
NOW = 1_900_000_000  # seconds: when a history is loaded
NAMES = ("a", "b", "c", "d")
PLACES = Registry(
    sector=tuple(
        Sector(
            id=name,
            name=name.upper(),
            country="US",
            border="south",
            time_zone=zone,
            neighbours=(NAMES[at - 1],) if at else (),
        )
        for at, (name, zone) in enumerate(
            zip(NAMES, ("UTC", "America/New_York", "America/Chicago", "America/Tijuana"), strict=True)
        )
    )
)


class Sent(NamedTuple):
    """An event on its way to the broker."""

    sector: str
    value: bytes
    appended_at: int  # seconds


def story(
    seed: int, days: int = 24, *, names: Sequence[str] = NAMES, live: bool = False, old: bool = False
) -> list[Sent]:
    """Events of some weeks in the order in which they are sent, with all that happens to real ones.

    Quiet places and busy ones; late events, duplicates, corrections, broken records; groups that lift a day
    far above normal; days without anybody. Some places have sources that send heartbeats, and stop for days.
    `live`: appended as they happen; else as a history, at once. `old`: some come too late to be live.
    """
    draw, sent = random.Random(seed), list[tuple[int, str, dict[str, Any]]]()
    for name in names:
        rate = draw.choice((0.4, 3, 12))
        silent = range(start := draw.randrange(days), start + draw.choice((0, 0, 2, 9)))
        surge = draw.randrange(9, days + 9)
        for day in range(days):
            for _ in range(0 if day in silent else draw.randrange(int(2 * rate) + 2)):
                at = day * DAY + draw.randrange(DAY)
                count = draw.choice((1, 1, 2, 5)) * (9 if day == surge else 1)
                delay = draw.choice((0, 0, 0, 60, 3 * HOUR, 2 * DAY))
                sent.append((at + delay, name, {"occurred_at": _iso(START + at), "count": count}))
    sent.sort(key=lambda one: one[0])
    out = list[tuple[int, str, bytes]]()
    for number, (at, name, body) in enumerate(sent):
        event = {
            "event_id": f"e{number}",
            "sector": name,
            "crossing_type": "at_port",
            "demographic": "unknown",
            "citizenship": draw.choice(("HAITI", "CUBA", None)),
            **body,
        }
        if draw.random() < 0.05 and number:
            event["replaces"] = f"e{draw.randrange(max(number - 9, 0), number)}"
        value = json.dumps(event).encode() if draw.random() > 0.02 else b"{"
        out += [(at, name, value)] * (2 if draw.random() < 0.05 else 1)
    out += [(at, name, _heartbeat(source, name, at)) for name in names for source, at in _alive(draw, days)]
    out += _old(random.Random(seed), names, days) if old else []
    out.sort(key=lambda one: one[0])
    return [Sent(name, value, START + at if live else NOW) for at, name, value in out]


def _old(draw: random.Random, names: Sequence[str], days: int) -> Iterator[tuple[int, str, bytes]]:
    """Events that come four to nine days after they were reported, as a feed sends them that was away."""
    for number in range(days):
        at, name = draw.randrange(days * DAY), draw.choice(names)
        event = {
            "event_id": f"old{number}",
            "sector": name,
            "occurred_at": _iso(START + at),
            "crossing_type": "at_port",
            "demographic": "unknown",
            "count": draw.choice((1, 4, 9)),
        }
        yield at + draw.randrange(4 * DAY, 9 * DAY), name, json.dumps(event).encode()


def tallies(seed: int, weeks: int = 40, *, names: Sequence[str] = NAMES) -> list[Sent]:
    """Weekly tallies as they come: on time or late, twice, with weeks of nobody, and weeks without any."""
    draw, sent = random.Random(seed), list[Sent]()
    for name in names:
        late, away = draw.choice((0, 3, 10)), range(start := draw.randrange(10, weeks), start + 6)
        for week in range(weeks):
            known = START + (7 * week + 8 + late) * DAY  # the first of January is a Sunday
            event = {
                "event_id": f"{name}{week}",
                "sector": name,
                "occurred_at": _iso(START + (7 * week + 3) * DAY),
                "reported_at": _iso(known),
                "crossing_type": "at_port",
                "demographic": "unknown",
                "count": draw.choice((90, 100, 110, 100, 105, 0, 400)),
                "period": "week",
            }
            if week not in away:
                sent += [Sent(name, json.dumps(event).encode(), known)] * draw.choice((1, 1, 2))
    return sorted(sent, key=lambda one: one.appended_at)


def _alive(draw: random.Random, days: int) -> Iterator[tuple[str, int]]:
    """When the sources of a place send heartbeats: every 6 hours, but for an outage."""
    for source in ("river", "road")[: draw.choice((0, 0, 1, 2))]:
        away = range(
            start := draw.randrange(days * DAY), start + draw.choice((0, 4 * HOUR, 2 * DAY, 6 * DAY))
        )
        yield from ((source, at) for at in range(draw.randrange(DAY), days * DAY, 6 * HOUR) if at not in away)


def _heartbeat(source: str, sector: str, at: int) -> bytes:
    alive_at = _iso(START + at)
    return json.dumps(
        {"source": source, "sector": sector, "alive_at": alive_at, "interval_seconds": 6 * HOUR}
    ).encode()


def _iso(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat()


@dataclass
class Topic:
    """Records by partition; the same key always has the same one."""

    partitions: int
    records: dict[int, list[Record]] = field(default_factory=dict)

    def put(self, key: str, value: bytes, timestamp: int = NOW * 1000) -> None:
        held = self.records.setdefault(crc32(key.encode()) % self.partitions, [])
        held.append(Record(len(held), value, timestamp))


class Reader:
    """One core, its state in a changelog, and how far it has read; it can die at any time."""

    def __init__(self, topic: Topic, make: Callable[[], Any]) -> None:
        self.topic, self._make, self.core = topic, make, make()
        self.read: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._held: dict[int, dict[bytes, bytes]] = {}

    def fetch(self, partition: int, size: int) -> Any:
        """Process the next records of a partition; None where there are none."""
        at = self.read.get(partition, 0)
        records = self.topic.records.get(partition, [])[at : at + size]
        self.read[partition] = at + len(records)
        return self.core.process(partition, records) if records else None

    def behind(self) -> list[int]:
        return [at for at, held in sorted(self.topic.records.items()) if self.read.get(at, 0) < len(held)]

    def commit(self) -> None:
        for partition, pairs in self.core.dirty().items():
            held = self._held.setdefault(partition, {})
            for key, value in pairs:
                held.pop(key, None)
                if value is not None:
                    held[key] = value
        self._committed = dict(self.read)

    def die(self) -> None:
        """Start again from the last commit."""
        self.core = self._make()
        for partition, held in self._held.items():
            self.core.restore(partition, dict(held))
        self.read = dict(self._committed)


@dataclass
class Read:
    """What was published, whatever the order."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)


class System:
    """The cores behind each other, with topics between them."""

    def __init__(
        self, partitions: int, places: Registry, *, wall_clock: bool, calendar: Calendar | None = None
    ) -> None:
        judge = Judge(places, calendar)
        self.encounters, self.summaries, self.verdicts = (Topic(partitions) for _ in range(3))
        self.sectors = Reader(self.encounters, lambda: SectorPipeline(places, judge, wall_clock=wall_clock))
        self.borders = Reader(self.summaries, lambda: BorderPipeline(places))
        self.alerts = Reader(self.verdicts, lambda: AlertPipeline(policies()))
        self.history = NoticeHistory(policies(), places)
        self.found = Read()
        self.followed: set[str] = set()  # changes of alerts

    def send(self, events: Iterable[Sent]) -> None:
        for one in events:
            self.encounters.put(one.sector, one.value, one.appended_at * 1000)

    def publish(self, output: Any) -> None:
        """Put an output on its topics."""
        if isinstance(output, SectorOutput):
            for summary in output.summaries:
                self.summaries.put(summary.border, summary.model_dump_json().encode())
        for verdict in output.verdicts:
            self.found.verdicts[verdict.verdict_id] = verdict
            self.verdicts.put(verdict.sector, verdict.model_dump_json().encode())

    def read(self, draw: random.Random | None = None, size: int = 500) -> None:
        """Read all there is, in turns or as it happens."""
        while readers := [reader for reader in (self.sectors, self.borders) if reader.behind()]:
            reader = draw.choice(readers) if draw else readers[0]
            partition = draw.choice(reader.behind()) if draw else reader.behind()[0]
            self.publish(reader.fetch(partition, draw.randint(1, size) if draw else size))
            if draw and draw.random() < 0.1:
                reader.commit()
            if draw and draw.random() < 0.03:
                reader.die()

    def tick(self, now: float) -> None:
        """Let time pass where all has been read."""
        self.publish(self.sectors.core.tick(now))
        self.read()
        self.publish(self.borders.core.tick(now))

    def notify(self, draw: random.Random | None = None, size: int = 500) -> None:
        """Read the verdicts."""
        while behind := self.alerts.behind():
            partition = draw.choice(behind) if draw else behind[0]
            output = self.alerts.fetch(partition, draw.randint(1, size) if draw else size)
            if draw and draw.random() < 0.1:
                self.alerts.commit()
            if draw and draw.random() < 0.03:
                self.alerts.die()
            # A worker that died publishes again what it had published; nobody takes that for news.
            states = [
                f"{one.question_key} {one.alert and one.alert.model_dump_json()}" for one in output.changes
            ]
            new = [
                change
                for change, state in zip(output.changes, states, strict=True)
                if state not in self.followed
            ]
            self.followed.update(states)
            notices = self.history.follow(new, 0.0)
            self.found.notices.update({notice.notice_id: notice.headline for notice in notices})


def read(
    sent: Sequence[Sent],
    *,
    partitions: int = 1,
    seed: int | None = None,
    places: Registry = PLACES,
    wall_clock: bool = False,
    size: int = 500,
    calendar: Calendar | None = None,
) -> Read:
    """Read a whole log. `seed` draws the order of reading, the sizes of fetches and the restarts."""
    system = System(partitions, places, wall_clock=wall_clock, calendar=calendar)
    draw = None if seed is None else random.Random(seed)
    system.send(sent)
    system.read(draw, size)
    system.publish(system.borders.core.tick(0.0))
    system.notify(draw, size)
    return system.found


def paced(sent: Sequence[Sent], ahead: int, places: Registry = PLACES, partitions: int = 4) -> Read:
    """Read a log that grows by `ahead` events at a time, each time to its end."""
    system = System(partitions, places, wall_clock=False)
    for at in range(0, len(sent), ahead):
        system.send(sent[at : at + ahead])
        system.read()
        system.tick(0.0)
        system.notify()
    return system.found
