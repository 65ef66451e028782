"""What was sent about an alert is found on the topic, whatever else lies there."""

import datetime as dt

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from alerts.console.notice_log import NoticeLog
from alerts.lifecycle.alert import Reason
from streams.runtime.kafka_settings import KafkaSettings
from tests import console_story as story

TOPIC = "history-notices"


@pytest.mark.kafka
async def test_every_notice_about_an_alert_is_found_by_any_worker(kafka_servers: str) -> None:
    settings = KafkaSettings(kafka_servers)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_servers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=4, replication_factor=1)])
    await admin.close()
    alerts = [
        alert.model_copy(update={"alert_id": f"{number:024x}"})
        for number in range(40)
        for alert in [next(story.alerts())]
    ]
    producer = AIOKafkaProducer(bootstrap_servers=kafka_servers)
    await producer.start()
    for reason in (Reason.FIRST, Reason.RESOLVED):
        for alert in alerts:
            notice = story.notice_of(alert).model_copy(update={"reason": reason})
            value, key = notice.model_dump_json().encode(), alert.alert_id.encode()
            await producer.send(TOPIC, value, key=key, headers=[("sink", b"slack")])
    await producer.stop()
    log = NoticeLog(TOPIC, settings)
    for alert in alerts[::9]:
        found = await log.of(alert.alert_id)
        assert [(one.sink, one.notice.reason) for one in found] == [("slack", "first"), ("slack", "resolved")]
        assert len(await log.of(alert.alert_id, dt.datetime(2023, 1, 1, tzinfo=dt.UTC))) == 2
    assert await log.of("f" * 24) == []
