"""What several test folders share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from surgewatch.harness.apache_kafka import ApacheKafka
from tests import kafka

settings.register_profile(
    "thorough", max_examples=10_000, deadline=None
)  # pytest --hypothesis-profile=thorough


@pytest.fixture(scope="session")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """A broker of this test session that tests may stop and start."""
    yield from kafka.own_broker(tmp_path_factory.mktemp("kafka"))


@pytest.fixture(scope="session")
def kafka_servers(request: pytest.FixtureRequest) -> str:
    """Bootstrap servers of a real Kafka: those of SURGEWATCH_KAFKA, or of our own broker."""
    return kafka.given() or str(request.getfixturevalue("own_kafka").servers)
