"""Sending records: idempotent, acknowledged by all replicas, in order within a sector."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import confluent_kafka
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError, NotEnoughReplicasAfterAppendError, NotEnoughReplicasError

from streams.producers.kafka_client import Broker, BrokerError, kafka_errors, no_topic
from streams.producers.outgoing import Outgoing
from streams.runtime.kafka_diagnosis import diagnose

Client = Literal["kafka", "fast"]
IN_FLIGHT = 5_000  # records that may be unacknowledged: kafka-python's own buffer has no bound
REQUEST = 30.0  # seconds that the broker has for one request
_STEP = 500  # records between two reports of progress


@dataclass(frozen=True)
class Sent:
    """The result of a run: records that the broker has acknowledged, and the seconds it took.

    `appended_at` is when the broker appended the last of them (epoch seconds); 0 where it is not known.
    """

    records: int
    seconds: float
    appended_at: float = 0.0

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds if self.seconds else 0.0


def send(
    records: Iterable[Outgoing],
    broker: Broker,
    topic: str = "encounters",
    *,
    client: Client = "kafka",
    progress: Callable[[int], None] = lambda _: None,
) -> Sent:
    """Send all records and wait until the broker has them.

    `progress` is called now and then with the number of records sent. Raises BrokerError where there is no
    broker or no such topic, or where a record was not acknowledged.
    """
    began = time.monotonic()
    with kafka_errors(broker):
        if client == "fast":
            count, appended_at = _send_fast(records, broker, topic, progress), 0.0
        else:
            count, appended_at = _send(records, broker, topic, progress)
    return Sent(count, time.monotonic() - began, appended_at)


def _send(
    records: Iterable[Outgoing], broker: Broker, topic: str, progress: Callable[[int], None]
) -> tuple[int, float]:
    producer = _producer(broker)
    waiting: deque[Any] = deque()
    count, appended = 0, 0
    try:
        _require(producer, topic, broker)
        for count, record in enumerate(records, 1):
            waiting.append(producer.send(topic, record.value, record.key, partition=record.partition))
            if len(waiting) >= IN_FLIGHT:
                waiting.popleft().get(timeout=broker.delivery_timeout)
            if count % _STEP == 0:
                progress(count)
        producer.flush()
        for future in waiting:
            appended = future.get(timeout=broker.delivery_timeout).timestamp or 0
    except (KafkaTimeoutError, NotEnoughReplicasError, NotEnoughReplicasAfterAppendError) as error:
        raise _not_taken(topic, broker) from error
    finally:
        producer.close(timeout=10)
    progress(count)
    return count, appended / 1000


def _producer(broker: Broker) -> KafkaProducer:
    return KafkaProducer(
        **broker.options,
        acks="all",
        enable_idempotence=True,
        linger_ms=10,
        batch_size=65_536,
        allow_auto_create_topics=broker.api_version is not None,  # an embedded broker has no other way
        max_block_ms=int(broker.timeout * 1000),
        request_timeout_ms=int(min(broker.delivery_timeout / 2, REQUEST) * 1000),
        delivery_timeout_ms=int(broker.delivery_timeout * 1000),
    )


def _send_fast(
    records: Iterable[Outgoing], broker: Broker, topic: str, progress: Callable[[int], None]
) -> int:
    """Send by librdkafka: ten times as many a second, with the same guarantees and the same partitions."""
    producer = confluent_kafka.Producer(
        {
            **broker.kafka.librdkafka_producer,
            "linger.ms": 10,
            "delivery.timeout.ms": int(broker.delivery_timeout * 1000),
        }
    )
    failures: list[str] = []
    count = 0
    try:
        known = producer.list_topics(topic if broker.api_version else None, timeout=broker.timeout).topics
        if topic not in known:
            raise no_topic(broker, topic)
        for count, record in enumerate(records, 1):
            while not _put(producer, topic, record, failures):
                producer.poll(0.1)
            if count % _STEP == 0:
                producer.poll(0)
                progress(count)
        if producer.flush(broker.delivery_timeout + 1) or failures:
            raise _not_taken(topic, broker, failures[0] if failures else "")
    except confluent_kafka.KafkaException as error:
        raise BrokerError(diagnose(broker.kafka, error)) from error
    progress(count)
    return count


def _put(producer: Any, topic: str, record: Outgoing, failures: list[str]) -> bool:
    """Hand one record over; False while librdkafka's queue is full."""
    try:
        producer.produce(
            topic,
            record.value,
            record.key,
            partition=-1 if record.partition is None else record.partition,
            on_delivery=lambda e, _: failures.append(str(e)) if e else None,
        )
    except BufferError:
        return False
    return True


def _require(producer: KafkaProducer, topic: str, broker: Broker) -> None:
    try:
        partitions = producer.partitions_for(topic)
    except KafkaTimeoutError:  # the broker has answered before, so that it is the topic that is not there
        partitions = None
    if not partitions:
        raise no_topic(broker, topic)


def _not_taken(topic: str, broker: Broker, reason: str = "") -> BrokerError:
    because = f" ({reason})" if reason else ""
    return BrokerError(
        f"the broker at {broker.servers} has not taken every record of {topic} "
        f"within {broker.delivery_timeout:.0f} s{because}: are enough replicas of it in sync?"
    )
