"""What is asked of the broker beside the consumer group leaves nothing behind."""

import gc
from pathlib import Path

import pytest
import trustme
from confluent_kafka.admin import AdminClient

from streams.runtime import broker_monitor
from streams.runtime.broker_monitor import BrokerMonitor
from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.kafka_settings import KafkaSettings


def clients() -> int:
    return sum(isinstance(one, AdminClient) for one in gc.get_objects())


async def test_a_broker_that_gives_no_ids_of_topics_costs_no_client_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client holds threads, sockets and pipes, and a worker asks every ten seconds."""
    monkeypatch.setattr(broker_monitor, "REQUEST_MS", 100)
    monitor = BrokerMonitor(KafkaSettings("127.0.0.1:1"), "controls", "group")
    gc.collect()  # what earlier tests have left
    gc.disable()
    try:
        before = clients()
        assert await monitor.described(["encounters"]) == {}
        assert clients() == before
    finally:
        gc.enable()
        await monitor.stop()


async def test_a_certificate_that_is_just_being_replaced_ends_no_worker(tmp_path: Path) -> None:
    """A look that raises would end it. The next look finds the new one."""
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    security = KafkaSecurity(security_protocol="SSL", ca_file=authority)
    monitor = BrokerMonitor(KafkaSettings("127.0.0.1:1", security), "controls", "group")
    authority.unlink()
    assert await monitor.described(["encounters"]) == {}
    assert await monitor.settings(["encounters"]) == {}
    await monitor.stop()
