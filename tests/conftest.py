"""What several test folders share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from surgewatch.harness.apache_kafka import ApacheKafka
from tests import kafka

# No law is timed: a slow machine proves nothing. `pytest --hypothesis-profile=thorough` looks longer.
# CI draws the same examples each time: where it turns red, the change is to blame and not the draw.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=10_000, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """A broker of this test session that tests may stop and start."""
    yield from kafka.own_broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture(scope="session")
def kafka_servers(request: pytest.FixtureRequest) -> str:
    """Bootstrap servers of a real Kafka: those of SURGEWATCH_KAFKA, or of our own broker."""
    return kafka.given() or str(request.getfixturevalue("own_kafka").servers)
