"""A site in a folder of its own: broker, workers, a feed of events, and a receiver of webhooks."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.contract.sectors import SHIPPED, registry
from streams.contract.topics import Topic, topics
from streams.runtime.kafka_settings import KafkaSettings
from surgewatch.harness.apache_kafka import Listeners, free_port
from surgewatch.harness.network import Network
from surgewatch.harness.small_disk import SmallDisk
from surgewatch.harness.torture.events import Event, Load, events, places
from surgewatch.harness.torture.fleet import PARTITIONS, Fleet
from surgewatch.harness.torture.pauses import send_pulses
from surgewatch.harness.torture.security import SECURITY
from surgewatch.harness.webhook_receiver import Receiver
from surgewatch.harness.worker_process import Package, Worker

QUIET: Final = 10.0  # seconds without a notice, after which every delivery was made
GRACE: Final = 240.0  # seconds that the workers have to catch up after the last fault
PACKAGES: Final[tuple[Package, ...]] = ("streams", "alerts")
STAGES: Final = (
    ("surgewatch-streams", "encounters"),
    ("surgewatch-alerts", "verdicts"),
)


class Site:
    """Everything that runs. `report` is called with what happens, a line each.

    Workers reach the broker by `security`, a key of SECURITY; all but the plain way passes by the networks.
    """

    def __init__(
        self,
        folder: Path,
        load: Load,
        seconds: float,
        *,
        fleet: Fleet,
        receiver: Receiver,
        report: Callable[[str], None],
        security: str,
    ):
        self.folder, self.fleet, self.receiver, self.report = folder, fleet, receiver, report
        self.load = load
        self.pace = (load.events - load.history) / seconds  # events a second while faults happen
        self.registry = places(folder, load.sectors) or SHIPPED
        self.places = registry(self.registry)
        self._events = events(load, self.places)
        # One worker of each package reaches the broker over the first, the others over the second.
        self.networks = (Network(free_port(), free_port()), Network(free_port(), free_port()))
        self.topics = topics()
        self.workers: list[Worker] = []
        self.deleted: dict[int, int] = {}  # by partition of `encounters`: records before this were deleted
        self.interrupted = 0  # deliveries whose worker was killed before the answer
        self._disks: dict[Path, SmallDisk] = {}
        self._ends = ExitStack()
        self.broker, self._security = self._ends.enter_context(
            SECURITY[security](folder, listeners(self.networks))
        )
        self.kafka = KafkaSettings(self.broker.servers)
        self._is_fed = threading.Event()
        self._feed = threading.Thread(target=self._produce, daemon=True)
        self._pulses = threading.Thread(
            target=send_pulses, args=(Producer(self.kafka.librdkafka_producer), self._is_fed), daemon=True
        )

    def start(self) -> None:
        """Start the broker, the workers, and the feed."""
        for network in self.networks:
            self._ends.enter_context(network.running())
        self.broker.start()
        self.admin = AdminClient(self.kafka.librdkafka)
        self.create(self.topics)
        self.workers = [self.worker(package, name) for package in PACKAGES for name in self.fleet.names]
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.wait_ready(GRACE)
        self._send(islice(self._events, self.load.history), pace=float("inf"))
        self._wait_until_read()
        self._feed.start()
        self._pulses.start()

    def create(self, wanted: tuple[Topic, ...]) -> None:
        """Make topics."""
        new = [NewTopic(one.name, one.partitions, 1, config=one.configuration) for one in wanted]
        for done in self.admin.create_topics(new).values():
            done.result(30)

    def worker(self, package: Package, instance: str) -> Worker:
        """A worker that is not started yet; one with an instance name keeps a local copy of its state."""
        port = free_port()
        name = f"{package}-{instance or port}"
        environment = {
            "SURGEWATCH_BROKERS": f"127.0.0.1:{self.networks[0 if instance else 1].port}",
            f"SURGEWATCH_{package.upper()}_PORT": str(port),
            "SURGEWATCH_STATE_DIR": str(self.folder / name),
            "SURGEWATCH_STORE": "rocksdb" if instance else "memory",
            "SURGEWATCH_INSTANCE": instance,
            "SURGEWATCH_CLOCK": "event",
            "SURGEWATCH_REGISTRY": str(self.registry),
            **self.fleet.environment(),
            **self._security,
            **(self._webhook() if package == "alerts" else {}),
        }
        return Worker(package, port, environment, self.folder / f"{name}.log")

    def disk(self, folder: Path, megabytes: int) -> SmallDisk:
        """Return the small disk over a folder. Nobody may use the folder when this is called first."""
        if folder not in self._disks:
            self._disks[folder] = SmallDisk(folder, megabytes)
            self._ends.callback(self._disks[folder].close)
        return self._disks[folder]

    def _webhook(self) -> Mapping[str, str]:
        return {
            "SURGEWATCH_WEBHOOK_URL": self.receiver.url,
            "SURGEWATCH_WEBHOOK_SECRET": self.receiver.secret,
            "SURGEWATCH_ALLOW_PRIVATE": "true",
        }

    def _produce(self) -> None:
        """Send the events at their pace, by the clock; also while the broker is away."""
        self._send(self._events, self.pace)

    def _send(self, made: Iterable[Event], pace: float) -> None:
        producer = Producer(self.kafka.librdkafka_producer)
        began = time.monotonic()
        for serial, event in enumerate(made):
            for _ in range(event.copies):
                while True:
                    try:
                        producer.produce("encounters", key=event.sector, value=event.text)
                        break
                    except BufferError:
                        producer.poll(0.1)
            if serial % 50 == 0:
                producer.poll(0)
                time.sleep(max(0.0, began + serial / pace - time.monotonic()))
        producer.flush(GRACE)

    def catch_up(self) -> None:
        """Wait until all that was produced has been processed, judged and delivered."""
        self._feed.join()
        self._is_fed.set()
        self._pulses.join()
        self._wait_until_read()
        received = -1
        while received != len(self.receiver.received):  # deliveries have no offsets to compare
            received = len(self.receiver.received)
            time.sleep(QUIET)

    def _wait_until_read(self) -> None:
        """Wait until the workers have committed all that is on their topics; raises TimeoutError."""
        deadline = time.monotonic() + GRACE
        for group, topic in STAGES:
            while not self._is_through(group, topic):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{group} did not catch up; see {self.folder}")
                self.revive()
                time.sleep(0.5)

    def revive(self) -> None:
        """Start workers again that ended by themselves, as a supervisor does."""
        for worker in self.workers:
            if worker.process is not None and worker.process.poll() is not None:
                self.report(f"a worker had ended with {worker.process.returncode}: started again")
                worker.start()

    def ends(self, group: str, topic: str) -> list[tuple[int, int]]:
        """Committed offset and end of each partition; raises KafkaException."""
        consumer = Consumer({**self.kafka.librdkafka, "group.id": group})
        try:
            parts = [TopicPartition(topic, at) for at in range(PARTITIONS)]
            ends = [consumer.get_watermark_offsets(part, timeout=10)[1] for part in parts]
            # A partition that nothing came to may have no commit (its offset is negative).
            committed = [max(part.offset, 0) for part in consumer.committed(parts, timeout=10)]
            return list(zip(committed, ends, strict=True))
        finally:
            consumer.close()

    def _is_through(self, group: str, topic: str) -> bool:
        try:
            return all(committed == end for committed, end in self.ends(group, topic))
        except (
            KafkaException,
            TypeError,
        ):  # a broker that has just come back does not lead its partitions yet
            return False

    def stop(self) -> None:
        """Stop the workers in good order."""
        for worker in self.workers:
            worker.stop()

    def close(self) -> None:
        """End all processes."""
        self._is_fed.set()
        for worker in self.workers:
            worker.kill()
        self.broker.kill()
        self._ends.close()


def listeners(networks: Sequence[Network]) -> Listeners:
    """Return a listener of the broker behind each network."""
    return Listeners(
        ports={f"NETWORK{at}": (one.server_port, "PLAINTEXT") for at, one in enumerate(networks)},
        advertised={f"NETWORK{at}": one.port for at, one in enumerate(networks)},
    )


def pause(least: float, most: float) -> None:
    """Sleep for a random time within these seconds."""
    time.sleep(random.uniform(least, most))  # noqa: S311 - any moment will do
