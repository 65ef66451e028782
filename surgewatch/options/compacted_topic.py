"""Read a compacted topic to its end: the newest value under each key."""

import asyncio

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.producers.kafka_client import Broker, BrokerError
from streams.runtime.broker_monitor import partitions_of
from streams.runtime.kafka_diagnosis import diagnose
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.refusals import SetupError
from surgewatch.topic_records import read_all


def newest(broker: Broker, topic: str) -> dict[str, bytes]:
    """Return the newest value of each key; withdrawn keys are left out.

    Records may be compressed by any codec (kafka-python, which other commands use, knows gzip alone). Raises
    BrokerError where the topic is missing or no broker answers.
    """
    try:
        return asyncio.run(_newest(broker.kafka, topic))
    except SetupError as error:
        raise BrokerError(str(error)) from error
    except KafkaError as error:
        raise BrokerError(diagnose(broker.kafka, error)) from error


async def _newest(kafka: KafkaSettings, topic: str) -> dict[str, bytes]:
    partitions = (await partitions_of(kafka, [topic]))[topic]
    records = await read_all(kafka, [TopicPartition(topic, at) for at in sorted(partitions)])
    found = {(record.key or b"").decode(errors="replace"): record.value or b"" for record in records}
    return {key: value for key, value in found.items() if value}
