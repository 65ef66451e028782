"""Full disks, under a worker's local copy of the state and under the broker."""

import random
import time
from typing import Final

from surgewatch.harness.torture.site import Site, pause

COPY_MB: Final = 64  # the size of the disk
LOGS_MB: Final = 512
WAIT: Final = 20.0  # seconds in which a broker may notice


def full_disk(site: Site) -> None:
    """Fill the disk under a worker's local copy, SIGKILL the worker, and let it start on the full disk."""
    worker = random.choice([one for one in site.workers if one.instance])  # noqa: S311 - any will do
    worker.kill()
    disk = site.disk(worker.state, COPY_MB)
    worker.start()
    pause(4, 6)
    disk.fill()
    pause(4, 8)
    worker.kill()
    worker.start()
    pause(6, 10)
    disk.free()


def full_disk_of_broker(site: Site) -> None:
    """Fill the disk under the broker until it ends; make room, and start it again."""
    site.broker.stop()
    disk = site.disk(site.broker.data, LOGS_MB)
    site.broker.start()
    pause(3, 5)
    disk.fill()
    deadline = time.monotonic() + WAIT
    while site.broker.is_running and time.monotonic() < deadline:
        time.sleep(0.1)
    site.report(f"the broker {'goes on' if site.broker.is_running else 'has ended'} on a full disk")
    disk.free()
    site.broker.kill()
    site.broker.start()
