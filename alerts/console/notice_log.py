"""Reads what was sent about one alert from the topic `notices`, from any worker.

All notices about an alert are in one partition, found by its id. The partition is read from the time of the
alert's onset, or from its beginning where the alert is no longer known. One reading at a time, for so many
seconds at most.
"""

import asyncio
import datetime as dt
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from pydantic import ValidationError

from alerts.console.alert_history import DeliveredNotice
from alerts.lifecycle.alert import Notice
from streams.runtime.broker_monitor import partitions_of
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.started_clients import started

SECONDS: Final = 60.0
MANY: Final = 2_000  # records taken at once
MOST: Final = 1_000  # notices of one alert, the first of them
SINK: Final = "sink"  # header of a notice: who has taken it


class NoticeLog:
    """The topic `notices`, to be asked for one alert after the other."""

    def __init__(self, topic: str, kafka: KafkaSettings) -> None:
        self._topic, self._kafka = topic, kafka
        self._free = asyncio.Lock()

    async def of(self, alert_id: str, since: dt.datetime | None = None) -> list[DeliveredNotice]:
        """Return what was sent about an alert, since its onset if that is known.

        Raises TimeoutError where that takes too long, as others are being read or the broker does not answer.
        """
        try:
            async with asyncio.timeout(SECONDS), self._free:
                return await self._consume(alert_id.encode(), since)
        except KafkaError as error:
            raise TimeoutError("the broker does not answer") from error

    async def _consume(self, key: bytes, since: dt.datetime | None) -> list[DeliveredNotice]:
        async with started(AIOKafkaConsumer(**self._kafka.aiokafka, enable_auto_commit=False)) as consumer:
            return await self._read(consumer, key, since)

    async def _read(
        self, consumer: AIOKafkaConsumer, key: bytes, since: dt.datetime | None
    ) -> list[DeliveredNotice]:
        partitions = sorted((await partitions_of(self._kafka, [self._topic]))[self._topic])
        tp = TopicPartition(self._topic, partitions[(murmur2(key) & 0x7FFFFFFF) % len(partitions)])
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        consumer.seek(tp, await _start(consumer, tp, since))
        found: list[DeliveredNotice] = []
        while await consumer.position(tp) < end and len(found) < MOST:
            records = (await consumer.getmany(timeout_ms=1000, max_records=MANY)).get(tp, ())
            own = (read_delivered(record) for record in records if record.key == key)
            found += [taken for taken in own if taken is not None]
        return found[:MOST]


async def _start(consumer: AIOKafkaConsumer, tp: TopicPartition, since: dt.datetime | None) -> int:
    """Return the offset from which an alert of that onset can be there."""
    begin = int((await consumer.beginning_offsets([tp]))[tp])
    if since is None or since.timestamp() <= 0:
        return begin
    found = (await consumer.offsets_for_times({tp: int(since.timestamp() * 1000)}))[tp]
    return begin if found is None else max(begin, found.offset)


def read_delivered(record: Any) -> DeliveredNotice | None:
    """Read a record of `notices`; None where it is not understood."""
    sink = next((value for name, value in record.headers if name == SINK and value), b"")
    try:
        notice = Notice.model_validate_json(record.value or b"", extra="ignore")
        at = dt.datetime.fromtimestamp(record.timestamp / 1000, dt.UTC)
    except (ValidationError, ValueError, OverflowError, OSError):
        return None
    return DeliveredNotice(sink=sink.decode(errors="replace"), at=at, notice=notice)
