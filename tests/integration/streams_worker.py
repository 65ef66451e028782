"""A streams worker on a real Kafka, with topics of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, reconcile
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.worker_process import Worker, running


@contextmanager
def streams_worker(servers: str, folder: Path, name: str, **settings: str) -> Iterator[Worker]:
    """Run a worker under a fresh prefix that begins with `name`; `settings` of its environment."""
    prefix, port = f"{name}-{uuid4().hex[:8]}-", free_port()
    reconcile(Broker(servers), topics(prefix))
    environment = {
        "SURGEWATCH_BROKERS": servers,
        "SURGEWATCH_TOPIC_PREFIX": prefix,
        "SURGEWATCH_CLOCK": "event",
        "SURGEWATCH_STATE_DIR": str(folder),
        "SURGEWATCH_STREAMS_PORT": str(port),
        **settings,
    }
    with running(Worker("streams", port, environment, folder / "streams.log")) as (worker,):
        yield worker
