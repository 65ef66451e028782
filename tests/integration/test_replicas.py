"""A topic with too few replicas in sync is named, and work goes on when they are back. On a real Kafka."""

from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from streams.producers.kafka_client import Broker, administering
from surgewatch.harness.worker_process import total
from tests.integration.streams_worker import streams_worker
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
TIMEOUT = 60.0  # seconds: whatever is not being done is seen within a minute


def test_a_topic_with_too_few_replicas_in_sync_is_named_until_they_are_back(
    kafka_servers: str, tmp_path: Path
) -> None:
    with streams_worker(kafka_servers, tmp_path, "replicas") as worker:
        verdicts = worker.environment["SURGEWATCH_TOPIC_PREFIX"] + "verdicts"

        def is_missing() -> bool:
            return total(worker.samples(), "surgewatch_not_ready", reason="replicas_missing") == 1

        need(kafka_servers, verdicts, replicas=99)
        until(is_missing, worker.tail)
        assert worker.get("/readyz") is None
        need(kafka_servers, verdicts, replicas=1)
        until(lambda: not is_missing(), worker.tail)
        until(lambda: worker.get("/readyz") is not None, worker.tail)


def need(servers: str, topic: str, *, replicas: int) -> None:
    """Let nothing be written to a topic that has fewer replicas in sync."""
    settings = {"min.insync.replicas": str(replicas)}
    with administering(Broker(servers)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)], incremental=True)
