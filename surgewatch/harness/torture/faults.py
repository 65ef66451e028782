"""What can happen to workers and broker. Each fault is a function of the site; it returns when it is over."""

import random
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from surgewatch.harness.torture.disk_faults import full_disk, full_disk_of_broker
from surgewatch.harness.torture.fleet import PODS, TWO, Fleet
from surgewatch.harness.torture.network_faults import half_open, stalled_network
from surgewatch.harness.torture.site import PACKAGES, Site, pause
from surgewatch.harness.torture.upgrades import rolling_upgrade, scale_down
from surgewatch.harness.worker_process import Worker

AGGRESSIVE: Final = {
    "min.cleanable.dirty.ratio": "0.001",
    "segment.ms": "1000",
    "segment.bytes": "1048576",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "100",
}
REFUSED: Final = 2  # exit status of a worker that refuses to go on
WAIT: Final = 60.0  # seconds in which a worker has to name what is wrong
SLOW: Final = 1.5  # seconds that a slow receiver takes to answer
DELIVERIES: Final = 3  # that are interrupted


def _any_worker(site: Site) -> Worker:
    return random.choice(site.workers)  # noqa: S311


def kill(site: Site) -> None:
    """SIGKILL a worker, and start it again within a second."""
    worker = _any_worker(site)
    worker.kill()
    pause(0, 1)
    worker.start()


def kill_in_recovery(site: Site) -> None:
    """SIGKILL a worker, and SIGKILL it again while it reads back its state."""
    worker = _any_worker(site)
    worker.kill()
    for _ in range(2):
        worker.start()
        pause(0.8, 3)
        worker.kill()
    worker.start()


def kill_in_delivery(site: Site) -> None:
    """SIGKILL the alerts workers while a slow receiver has notices that it did not answer yet."""
    alerts = [worker for worker in site.workers if worker.package == "alerts"]
    site.receiver.delay = SLOW
    for _ in range(DELIVERIES):
        deadline = time.monotonic() + WAIT
        while not site.receiver.unanswered and time.monotonic() < deadline:
            time.sleep(0.01)
        pause(0, SLOW)
        site.interrupted += site.receiver.unanswered
        for worker in alerts:
            worker.kill()
        for worker in alerts:
            worker.start()
        pause(SLOW, SLOW)  # until the receiver has answered into the void
    site.receiver.delay = 0.0


def freeze(site: Site) -> None:
    """SIGSTOP a worker for longer than its session: it wakes as one whose partitions are another's by now."""
    worker = _any_worker(site)
    if worker.process is None or worker.process.poll() is not None:
        return
    worker.process.send_signal(signal.SIGSTOP)
    pause(site.fleet.session_seconds * 1.5, site.fleet.session_seconds * 2.5)
    worker.process.send_signal(signal.SIGCONT)


def _added(site: Site, worker: Worker, *seconds: float) -> None:
    """Run one more worker for a random time between two numbers of seconds."""
    site.workers.append(worker)
    worker.start()
    pause(*seconds)
    site.workers.remove(worker)
    worker.stop()


def rebalance(site: Site) -> None:
    """Add a worker, and remove it after some seconds."""
    _added(site, site.worker(random.choice(PACKAGES), ""), 2, 6)  # noqa: S311


def same_name(site: Site) -> None:
    """Start a second worker under the instance name of the first, for some seconds."""
    package = random.choice(PACKAGES)  # noqa: S311
    twin = site.worker(package, "one")
    twin.environment = {**twin.environment, "SURGEWATCH_STATE_DIR": str(site.folder / f"{package}-twin")}
    _added(site, twin, 4, 8)


def restart_broker(site: Site) -> None:
    """Stop the broker in good order, and start it again."""
    site.broker.stop()
    pause(0, 2)
    site.broker.start()


def kill_broker(site: Site) -> None:
    """SIGKILL the broker, and start it again."""
    site.broker.kill()
    pause(0, 2)
    site.broker.start()


def compaction(site: Site) -> None:
    """Roll and compact the changelogs every second from now on."""
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            topic.name,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in AGGRESSIVE.items()
            ],
        )
        for topic in site.topics
        if topic.source
    ]
    for done in site.admin.incremental_alter_configs(resources).values():
        done.result(30)


def retention(site: Site) -> None:
    """Stop the streams workers, and delete events that none of them has read."""
    streams = [worker for worker in site.workers if worker.package == "streams"]
    for worker in streams:
        worker.kill()
    pause(2, 4)
    wanted = []
    for partition, (committed, end) in enumerate(site.ends("surgewatch-streams", "encounters")):
        site.deleted[partition] = committed + (end - committed) // 2
        wanted.append(TopicPartition("encounters", partition, site.deleted[partition]))
    for done in site.admin.delete_records(wanted).values():
        done.result(30)
    for worker in streams:
        worker.start()


def topic_anew(site: Site) -> None:
    """Delete `encounters` and make it again: workers have to refuse, with a reason."""
    admin = site.admin
    for done in admin.delete_topics(["encounters"]).values():
        done.result(30)
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        try:
            site.create(tuple(topic for topic in site.topics if topic.name == "encounters"))
            break
        except KafkaException:  # it is still being deleted
            time.sleep(0.5)
    streams = [worker for worker in site.workers if worker.package == "streams"]
    while time.monotonic() < deadline and not all(_has_ended(worker) for worker in streams):
        time.sleep(0.5)


def _has_ended(worker: Worker) -> bool:
    return worker.process is not None and worker.process.poll() is not None


# After these, every person is counted once.
EXACT: Final[Mapping[str, Callable[[Site], None]]] = {
    "kill": kill,
    "kill_in_recovery": kill_in_recovery,
    "kill_in_delivery": kill_in_delivery,
    "freeze": freeze,
    "rebalance": rebalance,
    "same_name": same_name,
    "restart_broker": restart_broker,
    "kill_broker": kill_broker,
    "compaction": compaction,
    "stalled_network": stalled_network,
    "half_open": half_open,
    "full_disk": full_disk,
    "full_disk_of_broker": full_disk_of_broker,
    "rolling_upgrade": rolling_upgrade,
    "scale_down": scale_down,
}
# After these, the broker itself has lost records: the workers have to announce it.
ANNOUNCED: Final[Mapping[str, Callable[[Site], None]]] = {
    "retention": retention,
    "topic_anew": topic_anew,
}
FAULTS: Final = {**EXACT, **ANNOUNCED}
# Seconds for which events come, where a fault takes longer than the others.
LASTING: Final[Mapping[str, float]] = {
    "kill_in_delivery": 20,
    "stalled_network": 25,
    "half_open": 25,
    "full_disk": 20,
    "full_disk_of_broker": 15,
    "rolling_upgrade": 60,
    "scale_down": 20,
}


def fleet_for(faults: Iterable[str]) -> Fleet:
    """Return the workers that these faults happen to."""
    return PODS if {"rolling_upgrade", "scale_down"}.intersection(faults) else TWO
