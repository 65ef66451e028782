"""What nobody does any more is seen from outside: also by whom it is looked for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from streams.contract.topics import TOPICS
from streams.runtime import supervision
from streams.runtime.broker_monitor import BrokerMonitor
from streams.runtime.flows import Flows
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.metrics import RuntimeMetrics
from streams.runtime.readiness import LOOK_SECONDS, NotReady
from streams.runtime.reading_positions import positions_of
from streams.runtime.supervision import Supervision
from streams.runtime.watchdog import Progress
from surgewatch.harness.embedded_kafka import EmbeddedBroker

READ = TopicPartition("alerts.current", 0)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        broker.touch("controls", READ.topic)
        yield broker


class Site:
    """A worker without flows, and one consumer beside them."""

    def __init__(self, broker: EmbeddedBroker, consumer: AIOKafkaConsumer) -> None:
        kafka = KafkaSettings(broker.servers)
        self.monitor, self.consumer = BrokerMonitor(kafka, "controls", "group"), consumer
        self.metrics = RuntimeMetrics(CollectorRegistry())
        self.progress = Progress(timeout=0.5, turned=time.monotonic())
        self.read = {(READ.topic, READ.partition): 0}
        self.supervision = Supervision(
            [],
            self.monitor,
            self.metrics,
            topics={topic.name: topic for topic in TOPICS if topic.name == "controls"},
            progress=self.progress,
            settling=lambda _: 0.0,
            rebalancing=lambda _: 0.0,
            beside=lambda: self.read,
            further=dict,
        )

    async def work(self, until: Callable[[], bool] = lambda: True) -> None:
        """Read what there is, and look, at least once and until something is so."""
        async with asyncio.timeout(60):
            while True:
                await self.consumer.getmany(timeout_ms=50)
                self.read = await positions_of(self.consumer)
                await self.supervision.look({})
                if until():
                    return

    @property
    def standing(self) -> str:
        return self.supervision.readiness.problems.get(NotReady.NO_PROGRESS, "")


@asynccontextmanager
async def site_of(broker: EmbeddedBroker) -> AsyncIterator[Site]:
    kafka = KafkaSettings(broker.servers)
    consumer = AIOKafkaConsumer(**kafka.aiokafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([READ])
    site = Site(broker, consumer)
    await site.monitor.start(["controls"])
    try:
        yield site
    finally:
        await site.monitor.stop()
        await consumer.stop()


def produce(broker: EmbeddedBroker) -> None:
    producer = Producer(KafkaSettings(broker.servers).librdkafka_producer)
    producer.produce(READ.topic, b"{}", key=b"k", partition=READ.partition)
    assert producer.flush(20) == 0


async def test_a_consumer_beside_the_flows_that_fetches_no_more_makes_the_worker_not_ready_and_ends_it(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "STANDING", 0.3)
    async with site_of(broker) as site:
        produce(broker)
        await site.work(until=lambda: site.read[tuple(READ)] == 1 and site.standing == "")
        site.consumer.pause(READ)  # as one that stops fetching: nothing is raised
        produce(broker)
        await site.work(until=lambda: site.progress.standing(site.progress.timeout) is not None)
        assert "alerts.current[0] has records, but stands at 1 for" in site.standing
        site.consumer.resume(READ)
        await site.work(until=lambda: site.standing == "")


async def test_a_worker_of_which_nobody_looks_what_waits_is_not_ready(broker: EmbeddedBroker) -> None:
    async with site_of(broker) as site:
        await site.work()
        now = time.monotonic()
        assert site.supervision.text(now) is None
        blind = site.supervision.text(now + LOOK_SECONDS + 1) or ""
        assert blind.startswith("no_progress: the broker was last asked 3")
        site.supervision.refresh(now + LOOK_SECONDS + 1)
        assert b'surgewatch_not_ready{reason="no_progress"} 1.0' in site.metrics.page()
        await site.work()
        assert b'surgewatch_not_ready{reason="no_progress"} 0.0' in site.metrics.page()


async def test_a_commit_lasts_until_its_offsets_are_there_whatever_is_settled_beside_it() -> None:
    async def check() -> None:
        """State fits its topics."""

    flows, started = Flows([], check), time.monotonic()
    assert flows.settling(started) == 0
    with flows.writing():
        await flows.settle(stamp=True)
        assert flows.settling(started + 30) > 29
    assert flows.settling(started + 60) == 0
