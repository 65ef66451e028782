"""Exact under SIGKILL, on a real Kafka."""

import pytest

from surgewatch.harness.apache_kafka import BrokerUnavailableError
from surgewatch.harness.torture import Load, torture
from tests import kafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def test_kills_a_rebalance_and_a_broker_restart_lose_and_double_nobody():
    try:
        result = torture(Load(30_000), ["kill", "kill", "restart_broker", "rebalance"], report=print)
    except BrokerUnavailableError as error:
        kafka.absent(str(error))
    assert result.exact, result
