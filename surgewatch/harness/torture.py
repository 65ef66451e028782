"""Torture: workers are killed, added and removed, the broker is restarted, and every person is still counted.

Events are produced while faults happen at random moments. At the end the counts are read back from the
changelog and held against what was produced, bucket by bucket; verdicts and alerts against those that the
pure cores give for the same records without Kafka, workers or faults; and what a receiver of webhooks saw
against the notices that were made.
"""

import asyncio
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Partition
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from alerts.lifecycle.alert import Notice, Reason
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.marks import Marks
from streams.contract.cadence import DAY, Cadence
from streams.contract.sectors import Registry, registry
from streams.contract.topics import topics
from streams.contract.verdicts import Verdict
from streams.counting.series import local
from streams.judging.judge import Judge
from streams.pipelines.sector_pipeline import SectorPipeline
from streams.runtime.changelog import Changelog
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.local_store import NoStore
from surgewatch.harness.apache_kafka import ApacheKafka, free_port
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Package, Worker

SECTORS, DAYS, START = 20, 20, 1_704_067_200  # 2024-01-01: hours of four weeks are kept
EVENT = (
    '{"event_id":"t-%d","occurred_at":"%s","sector":"%s","crossing_type":"between_ports",'
    '"demographic":"single_adult","citizenship":"%s","count":%d}'
)
TWICE = 97  # every so manieth event is sent twice
GRACE = 240.0  # seconds that the workers have to catch up after the last fault
PACKAGES: tuple[Package, ...] = ("streams", "alerts")
STAGES = (
    ("surgewatch-streams", "encounters"),
    ("surgewatch-alerts", "verdicts"),
    ("surgewatch-sink-webhook", "notices"),
)
ENDS = (Reason.FIRST, Reason.RESOLVED)

Bucket = tuple[str, Cadence, int]
Told = tuple[str, Reason]  # alert id; first or resolved


@dataclass
class Result:
    """What came of it.

    `alerts_missing` and `alerts_invented` are told beginnings and ends of alerts (and breaches of closed
    periods) against a run without faults; `notices_lost` were made and never seen by the receiver, or seen
    twice under different ids.
    """

    events: int
    kills: int
    broker_restarts: int
    rebalances: int
    lost: int = 0
    doubled: int = 0
    alerts_missing: int = 0
    alerts_invented: int = 0
    notices_lost: int = 0
    notices_repeated: int = 0  # seen again under the same id: a receiver can tell
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


@dataclass
class Signal:
    """A verdict as the pipeline would find it on its topic."""

    offset: int
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


class Torture:
    """One run in a folder of its own, with its own broker."""

    def __init__(
        self, folder: Path, number: int, seconds: float, receiver: Receiver, say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._receiver = receiver
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
        self._workers = [self._worker(package, name) for package in PACKAGES for name in ("one", "")]
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

    def _worker(self, package: Package, instance: str) -> Worker:
        port = free_port()
        name = f"{package}-{instance or port}"
        environment = {
            "SURGEWATCH_BROKERS": self._broker.servers,
            f"SURGEWATCH_{package.upper()}_PORT": str(port),
            "SURGEWATCH_STATE_DIR": str(self._folder / name),
            "SURGEWATCH_STORE": "rocksdb" if instance else "memory",
            "SURGEWATCH_INSTANCE": instance,
            "SURGEWATCH_SESSION_SECONDS": "6",
            "SURGEWATCH_COMMIT_SECONDS": "0.5",
            "SURGEWATCH_CLOCK": "event",
        }
        if package == "alerts":
            environment |= {
                "SURGEWATCH_WEBHOOK_URL": self._receiver.url,
                "SURGEWATCH_WEBHOOK_SECRET": self._receiver.secret,
                "SURGEWATCH_ALLOW_PRIVATE": "true",
            }
        return Worker(package, port, environment, self._folder / f"{name}.log")

    def _create_topics(self) -> None:
        admin = AdminClient({"bootstrap.servers": self._broker.servers})
        wanted = [NewTopic(one.name, one.partitions, 1, config=one.configuration) for one in self._topics]
        for done in admin.create_topics(wanted).values():
            done.result(30)

    def _produce(self) -> None:
        producer = Producer(KafkaSettings(self._broker.servers).librdkafka_producer)
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
        guest = self._worker(random.choice(PACKAGES), "")  # noqa: S311
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
        """Wait until all that was produced has been taken, judged and told.

        A worker that ended itself is started again.
        """
        deadline = time.monotonic() + GRACE
        for group, topic in STAGES:
            while not self._is_through(group, topic):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{group} did not catch up; see {self._folder}")
                self._revive()
                time.sleep(0.5)

    def _revive(self) -> None:
        for worker in self._workers:
            if worker.process is not None and worker.process.poll() is not None:
                self._say(f"a worker had ended with {worker.process.returncode}: started again")
                worker.start()

    def _is_through(self, group: str, topic: str) -> bool:
        consumer = Consumer({"bootstrap.servers": self._broker.servers, "group.id": group})
        try:
            parts = [TopicPartition(topic, at) for at in range(4)]
            ends = [consumer.get_watermark_offsets(part)[1] for part in parts]
            # A partition that nothing came to may have no commit (its offset is negative).
            return [max(part.offset, 0) for part in consumer.committed(parts)] == ends
        except KafkaException:  # a broker that has just come back does not lead its partitions yet
            return False
        finally:
            consumer.close()

    def judge(self, result: Result) -> None:
        """Hold what is there against what has to be there."""
        asyncio.run(self._judge(result))

    def close(self) -> None:
        """Leave no process behind."""
        self._broker.kill()

    async def _judge(self, result: Result) -> None:
        wanted = expected(events(self._number, self._places), self._places)
        found = await self._counted()
        result.lost = sum((wanted - found).values())
        result.doubled = sum((found - wanted).values())
        due, due_told = await self._due()
        given = await self._given()
        notices = [Notice.model_validate_json(record.value) for record in await self._read("notices")]
        told = {(one.alert.alert_id, one.reason) for one in notices if one.reason in ENDS}
        result.alerts_missing = len(due - given) + len(due_told - told)
        result.alerts_invented = len(given - due) + len(told - due_told)
        self._delivered(result, {notice.notice_id for notice in notices})
        result.remarks.append(
            f"{sum(wanted.values()) // 2} people; {len(due)} breaches of closed periods; "
            f"{len(due_told)} beginnings and ends of alerts; {len(notices)} notices"
        )

    def _delivered(self, result: Result, made: set[str]) -> None:
        """Every notice came, and always under one id."""
        seen: dict[str, set[str]] = {}
        for one in self._receiver.received:
            seen.setdefault(one.notice.notice_id, set()).add(one.webhook_id)
        result.notices_lost = len(made - seen.keys()) + sum(len(ids) > 1 for ids in seen.values())
        result.notices_repeated = self._receiver.repeated

    async def _counted(self) -> Counter[Bucket]:
        changelog = Changelog("counts", KafkaSettings(self._broker.servers), NoStore())
        held, _ = await changelog.look(range(4))
        pipeline = SectorPipeline(self._places, Judge(self._places))
        people: Counter[Bucket] = Counter()
        for partition, state in held.items():
            pipeline.restore(partition, {key: value for key, value in state.pairs if value is not None})
            for counts in pipeline.partitions[partition].counts.values():
                for cadence in (Cadence.HOUR, Cadence.DAY):
                    series = counts.series[cadence]
                    for index, count in enumerate(series.values.tolist(), series.first):
                        people[counts.sector, cadence, index] += count
        return people

    async def _given(self) -> set[str]:
        verdicts = [Verdict.model_validate_json(record.value) for record in await self._read("verdicts")]
        return {verdict.verdict_id for verdict in verdicts if verdict.closed and verdict.breach}

    async def _due(self) -> tuple[set[str], set[Told]]:
        """Breaches of closed periods, and what is told, as the pure cores give them for the same records."""
        by_partition: dict[int, list[Any]] = {}
        for record in await self._read("encounters"):
            by_partition.setdefault(record.partition, []).append(record)
        sectors = SectorPipeline(self._places, Judge(self._places))
        alerts = AlertPipeline(policies(), Marks())
        due, told = set(), set()
        for partition, records in by_partition.items():
            said: list[Verdict] = []
            for at in range(0, len(records), 10_000):
                said += sectors.process(partition, records[at : at + 10_000]).verdicts
            due |= {verdict.verdict_id for verdict in said if verdict.closed and verdict.breach}
            heard = [Signal(at, one.model_dump_json().encode()) for at, one in enumerate(said)]
            found = alerts.process(partition, heard).notices
            told |= {(one.alert.alert_id, one.reason) for one, _ in found if one.reason in ENDS}
        return due, told

    async def _read(self, topic: str) -> list[Any]:
        """All records of a topic, also of partitions that a broker just started says nothing of yet."""
        (partitions,) = (one.partitions for one in self._topics if one.name == topic)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._broker.servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([Partition(topic, at) for at in range(partitions)])
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
    with receiving(Receiver()) as receiver:
        run = Torture(folder, number, 3.0 * len(faults) + 5, receiver, say)
        try:
            run.run(faults)
            run.judge(result)
        finally:
            run.close()
    result.seconds = round(time.monotonic() - started, 1)
    result.remarks.append(f"logs in {folder}")
    return result


def as_json(result: Result) -> dict[str, Any]:
    """The result as plain values."""
    return asdict(result)
