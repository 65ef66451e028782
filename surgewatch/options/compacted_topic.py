"""Read a compacted topic to its end: the newest value under each key."""

from kafka import KafkaConsumer, TopicPartition

from streams.producers.kafka_client import Broker, kafka_errors, no_topic


def newest(broker: Broker, topic: str) -> dict[str, bytes]:
    """Return the newest value of each key; withdrawn keys are left out.

    Raises BrokerError where the topic is missing or no broker answers.
    """
    with kafka_errors(broker):
        consumer = KafkaConsumer(**broker.options, enable_auto_commit=False)
        try:
            partitions = [TopicPartition(topic, at) for at in consumer.partitions_for_topic(topic) or ()]
            if not partitions:
                raise no_topic(broker, topic)
            consumer.assign(partitions)
            ends = consumer.end_offsets(partitions)
            consumer.seek_to_beginning()
            found: dict[str, bytes] = {}
            while any(consumer.position(at) < ends[at] for at in partitions):
                for records in consumer.poll(timeout_ms=500).values():
                    found |= {
                        (record.key or b"").decode(errors="replace"): record.value or b""
                        for record in records
                    }
            return {key: value for key, value in found.items() if value}
        finally:
            consumer.close()
