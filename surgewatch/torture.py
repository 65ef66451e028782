"""Torture: workers are killed, added and removed, the broker is restarted, and every person is still counted.

Events are produced while faults happen at random moments. At the end the counts are read back from the
changelog and held against what was produced, bucket by bucket, and the closed verdicts on their topic against
those that the pure pipeline gives for the same records without Kafka, workers or faults.
"""

import asyncio
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.calendar import DAY, Cadence
from streams.counts import local
from streams.judging import Judge
from streams.pipeline import Pipeline
from streams.sectors import Registry, registry
from streams.store import Changelog, NoShelf
from streams.topics import topics
from streams.verdicts import Verdict
from surgewatch.broker import ApacheKafka, free_port
from surgewatch.system import Worker

SECTORS, DAYS, START = 20, 20, 1_704_067_200  # 2024-01-01: hours of four weeks are kept
EVENT = (
    '{"event_id":"t-%d","occurred_at":"%s","sector":"%s","crossing_type":"between_ports",'
    '"demographic":"single_adult","citizenship":"%s","count":%d}'
)
TWICE = 97  # every so manieth event is sent twice
GRACE = 240.0  # seconds that the workers have to catch up after the last fault

Bucket = tuple[str, Cadence, int]


@dataclass
class Result:
    """What came of it; `notices_lost` is None where no alerts worker took part."""

    events: int
    kills: int
    broker_restarts: int
    rebalances: int
    lost: int = 0
    doubled: int = 0
    alerts_missing: int = 0
    alerts_invented: int = 0
    notices_lost: int | None = None
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Was nothing lost, doubled, missing or invented?"""
        return not any(
            (self.lost, self.doubled, self.alerts_missing, self.alerts_invented, self.notices_lost)
        )


class Event(NamedTuple):
    """One event as it is sent, and where it counts."""

    sector: str
    text: str
    at: int
    people: int


def events(number: int, places: Registry) -> Iterator[Event]:
    """Events in event-time order; towards the end one sector has five times as many."""
    draw = random.Random(number)  # noqa: S311 - reproducible, no secret
    names = [sector.id for sector in places.sector[:SECTORS]]
    weights = [1] * SECTORS
    for at in range(number):
        moment = START + at * DAYS * DAY // number
        weights[0] = 5 if moment > START + (DAYS - 2) * DAY else 1
        (sector,) = draw.choices(names, weights)
        count = draw.choice((1, 1, 1, 2, 5))
        text = EVENT % (at, datetime.fromtimestamp(moment, UTC).isoformat(), sector, "HAITI", count)
        yield Event(sector, text, moment, count)


def expected(made: Iterator[Event], places: Registry) -> Counter[Bucket]:
    """People by sector, cadence and bucket."""
    zones = {sector.id: sector.time_zone for sector in places.sector}
    people: Counter[Bucket] = Counter()
    for event in made:
        hour = Cadence.HOUR.index(event.at)
        people[event.sector, Cadence.HOUR, hour] += event.people
        day = Cadence.DAY.index(local(zones[event.sector], hour))
        people[event.sector, Cadence.DAY, day] += event.people
    return people


class Torture:
    """One run in a folder of its own, with its own broker."""

    def __init__(self, folder: Path, number: int, seconds: float, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._number = number
        self._pace = number / seconds  # events a second while faults happen
        self._places = registry()
        self._broker = ApacheKafka(folder / "kafka")
        self._topics = topics()
        self._workers: list[Worker] = []
        self._produced = threading.Event()

    def run(self, faults: list[str]) -> None:
        """Bring faults over the workers while events come, then let them catch up and end."""
        self._broker.start()
        self._create_topics()
        self._workers = [self._worker("one"), self._worker("")]
        for worker in self._workers:
            worker.start()
        feed = threading.Thread(target=self._produce, daemon=True)
        feed.start()
        try:
            for fault in faults:
                time.sleep(random.uniform(0.5, 3))  # noqa: S311 - any moment will do
                self._say(fault)
                getattr(self, f"_{fault}")()
            feed.join()
            self._catch_up()
        finally:
            for worker in self._workers:
                worker.stop()

    def _worker(self, instance: str) -> Worker:
        port = free_port()
        name = instance or f"port-{port}"
        environment = {
            "SURGEWATCH_BROKERS": self._broker.servers,
            "SURGEWATCH_STREAMS_PORT": str(port),
            "SURGEWATCH_STATE_DIR": str(self._folder / name),
            "SURGEWATCH_STORE": "rocksdb" if instance else "memory",
            "SURGEWATCH_INSTANCE": instance,
            "SURGEWATCH_SESSION_SECONDS": "6",
            "SURGEWATCH_COMMIT_SECONDS": "0.5",
            "SURGEWATCH_CLOCK": "event",
        }
        return Worker("streams", port, environment, self._folder / f"{name}.log")

    def _create_topics(self) -> None:
        admin = AdminClient({"bootstrap.servers": self._broker.servers})
        wanted = [NewTopic(one.name, one.partitions, 1, config=one.configuration) for one in self._topics]
        for done in admin.create_topics(wanted).values():
            done.result(30)

    def _produce(self) -> None:
        producer = Producer({"bootstrap.servers": self._broker.servers, "enable.idempotence": True})
        started = time.monotonic()
        for at, event in enumerate(events(self._number, self._places)):
            for _ in range(2 if at % TWICE == 0 else 1):
                while True:
                    try:
                        producer.produce("encounters", key=event.sector, value=event.text)
                        break
                    except BufferError:
                        producer.poll(0.1)
            if at % 500 == 0:
                producer.poll(max(0.0, started + at / self._pace - time.monotonic()))
        producer.flush()
        self._produced.set()

    def _kill(self) -> None:
        worker = random.choice(self._workers)  # noqa: S311
        worker.kill()
        time.sleep(random.uniform(0, 1))  # noqa: S311
        worker.start()

    def _rebalance(self) -> None:
        guest = self._worker("")
        self._workers.append(guest)
        guest.start()
        time.sleep(random.uniform(2, 6))  # noqa: S311
        self._workers.remove(guest)
        guest.stop()

    def _restart_broker(self) -> None:
        self._broker.stop()
        time.sleep(random.uniform(0, 2))  # noqa: S311
        self._broker.start()

    def _catch_up(self) -> None:
        """Wait until all that was produced is committed; a worker that ended itself is started again."""
        group = Consumer({"bootstrap.servers": self._broker.servers, "group.id": "surgewatch-streams"})
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            for worker in self._workers:
                if worker.process is not None and worker.process.poll() is not None:
                    self._say(f"a worker had ended with {worker.process.returncode}: started again")
                    worker.start()
            parts = [TopicPartition("encounters", at) for at in range(4)]
            ends = [group.get_watermark_offsets(part)[1] for part in parts]
            if [part.offset for part in group.committed(parts)] == ends:
                group.close()
                return
            time.sleep(0.5)
        raise TimeoutError(f"the workers did not catch up; see {self._folder}")

    def judge(self, result: Result) -> None:
        """Hold what is there against what has to be there."""
        asyncio.run(self._judge(result))
        self._broker.kill()

    async def _judge(self, result: Result) -> None:
        wanted = expected(events(self._number, self._places), self._places)
        found = await self._counted()
        result.lost = sum((wanted - found).values())
        result.doubled = sum((found - wanted).values())
        given = {verdict.verdict_id for verdict in await self._given() if verdict.closed and verdict.breach}
        due = await self._due()
        result.alerts_missing, result.alerts_invented = len(due - given), len(given - due)
        result.remarks.append(f"{len(due)} breaches of closed periods; {sum(wanted.values()) // 2} people")

    async def _counted(self) -> Counter[Bucket]:
        changelog = Changelog("counts", self._broker.servers, NoShelf())
        held, _ = await changelog.look(range(4))
        pipeline = Pipeline(self._places, Judge(self._places))
        people: Counter[Bucket] = Counter()
        for partition, state in held.items():
            pipeline.restore(partition, {key: value for key, value in state.pairs if value is not None})
            for counts in pipeline.parts[partition].counts.values():
                for cadence in (Cadence.HOUR, Cadence.DAY):
                    series = counts.series[cadence]
                    for index, count in enumerate(series.values.tolist(), series.first):
                        people[counts.sector, cadence, index] += count
        return people

    async def _given(self) -> list[Verdict]:
        return [Verdict.model_validate_json(record.value) for record in await self._read("verdicts")]

    async def _due(self) -> set[str]:
        """Breaches of closed periods as the pure pipeline gives them for the records of the topic."""
        by_partition: dict[int, list[Any]] = {}
        for record in await self._read("encounters"):
            by_partition.setdefault(record.partition, []).append(record)
        pipeline = Pipeline(self._places, Judge(self._places))
        due = set()
        for partition, records in by_partition.items():
            for at in range(0, len(records), 10_000):
                said = pipeline.process(partition, records[at : at + 10_000]).verdicts
                due |= {verdict.verdict_id for verdict in said if verdict.closed and verdict.breach}
        return due

    async def _read(self, topic: str) -> list[Any]:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self._broker.servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            records: list[Any] = []
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for fetched in (await consumer.getmany(timeout_ms=1000)).values():
                    records += fetched
            return records
        finally:
            await consumer.stop()


def torture(
    number: int, kills: int, broker_restarts: int, rebalances: int, say: Callable[[str], None]
) -> Result:
    """Run it all; the folder with the logs is kept where something was wrong."""
    started = time.monotonic()
    faults = ["kill"] * kills + ["restart_broker"] * broker_restarts + ["rebalance"] * rebalances
    random.shuffle(faults)
    result = Result(number, kills, broker_restarts, rebalances)
    folder = Path(tempfile.mkdtemp(prefix="surgewatch-torture-"))
    run = Torture(folder, number, 3.0 * len(faults) + 5, say)
    run.run(faults)
    run.judge(result)
    result.seconds = round(time.monotonic() - started, 1)
    result.remarks.append(f"logs in {folder}")
    return result


def as_json(result: Result) -> dict[str, Any]:
    """The result as plain values."""
    return asdict(result)
