"""A real Kafka for tests: SURGEWATCH_KAFKA where given, else one started here; else skipped, saying so."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from surgewatch.harness.apache_kafka import ApacheKafka, BrokerUnavailableError


def absent(reason: str) -> None:
    """Skip, or fail where SURGEWATCH_REQUIRE_KAFKA=1 requires Kafka."""
    if os.environ.get("SURGEWATCH_REQUIRE_KAFKA") == "1":
        pytest.fail(f"SURGEWATCH_REQUIRE_KAFKA=1, but {reason}")
    pytest.skip(reason)


def given() -> str | None:
    """Bootstrap servers of a Kafka that runs already."""
    return os.environ.get("SURGEWATCH_KAFKA") or None


def own_broker(folder: Path) -> Iterator[ApacheKafka]:
    """A broker that the test may stop and kill."""
    try:
        broker = ApacheKafka(folder)
        broker.start()
    except BrokerUnavailableError as error:
        absent(str(error))
    else:
        try:
            yield broker
        finally:
            broker.kill()
