"""A house of workers between a real broker and a stand-in of Slack, for benchmarks of notices."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import create_topics
from surgewatch.harness.apache_kafka import ApacheKafka
from tests.integration.test_slack import ROUTES, House, Slack


@contextmanager
def slack_house(routes: str) -> Iterator[House]:
    """Yield a house with its topics, whose workers are not started; `routes` are those beside Slack's."""
    with tempfile.TemporaryDirectory(prefix="surgewatch-bench-") as name, Slack() as slack:
        broker = ApacheKafka(Path(name) / "kafka")
        broker.start()
        try:
            house = House(broker.servers, Path(name), slack, routes=ROUTES + routes)
            create_topics(broker.servers, house.prefix)
            yield house
        finally:
            broker.stop()
