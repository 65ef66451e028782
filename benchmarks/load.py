"""What is measured on: events as producers send them, and a registry with as many sectors as wanted."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, reconcile

START = datetime(2024, 1, 1, tzinfo=UTC)
PARTITIONS = 4

EVENT = (
    '{"event_id":"%s","occurred_at":"%s","sector":"%s","crossing":"bridge of the americas",'
    '"crossing_type":"%s","demographic":"%s","citizenship":"%s","count":%d,"group_id":"g-%06d"}'
)
DEMOGRAPHICS = ("single_adult", "family_unit", "unaccompanied_minor", "accompanied_minor")
CITIZENSHIPS = ("HAITI", "MEXICO", "VENEZUELA", "ECUADOR", "GUATEMALA", "INDIA", "HONDURAS", "COLOMBIA")


def sectors(number: int) -> list[str]:
    """Ids of sectors."""
    return [f"sector-{at:05d}" for at in range(number)]


def registry(path: Path, number: int) -> Path:
    """Write a registry of that many sectors, a hundred to a border."""
    path.write_text(
        "".join(
            f'[[sector]]\nid = "{name}"\nname = "{name}"\ncountry = "US"\nborder = "border-{at // 100}"\n'
            for at, name in enumerate(sectors(number))
        )
    )
    return path


def events(number: int, names: list[str], days: float, seed: int = 1) -> Iterator[tuple[str, str, str, int]]:
    """Sector, JSON, id and count of events in event-time order, evenly over `days`."""
    draw = random.Random(seed)
    step = timedelta(days=days) / number
    for at in range(number):
        sector, count = names[at % len(names)], 1 + (draw.random() < 0.3)
        moment = (START + at * step).isoformat(timespec="seconds")
        kind = "at_port" if at % 3 else "between_ports"
        fields = (DEMOGRAPHICS[at % 4], CITIZENSHIPS[int(draw.random() * 8)], count, at % 999_999)
        yield sector, EVENT % (f"{seed}-{at}", moment, sector, kind, *fields), f"{seed}-{at}", count


def create_topics(servers: str, prefix: str = "") -> None:
    """Make the topics of both workers, as `surgewatch topics` does."""
    reconcile(Broker(servers), topics(prefix))


def create(servers: str, names: dict[str, int]) -> None:
    """Make topics with so many partitions."""
    admin = AdminClient({"bootstrap.servers": servers})  # kept: its futures end with it
    wanted = [NewTopic(name, partitions, 1) for name, partitions in names.items()]
    for done in admin.create_topics(wanted).values():
        done.result(30)


def preload(servers: str, topic: str, made: Iterator[tuple[str, str, str, int]]) -> int:
    """Produce events before the clock starts; how many."""
    producer = Producer(
        {"bootstrap.servers": servers, "queue.buffering.max.messages": 500_000, "linger.ms": 20}
        | {"enable.idempotence": True, "partitioner": "murmur2_random"}
    )
    number = 0
    for number, (sector, text, _, _) in enumerate(made, start=1):
        while True:
            try:
                producer.produce(topic, key=sector, value=text)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 5_000 == 0:
            producer.poll(0)
    producer.flush()
    return number
