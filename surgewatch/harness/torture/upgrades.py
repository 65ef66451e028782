"""What Kubernetes does to the pods of two StatefulSets: a rolling upgrade, and a scale-down."""

from typing import Final

from surgewatch.harness.torture.site import Site, pause
from surgewatch.harness.worker_process import Worker

READY: Final = 120.0  # seconds that a pod may take to become ready
PLACING: Final = (1.0, 3.0)  # seconds from the end of a pod to the start of its successor
AFTERWARDS: Final = (12.0, 15.0)  # seconds: longer than a session


def rolling_upgrade(site: Site) -> None:
    """SIGTERM one pod of each package after the other, start it again, and wait until it is ready."""
    for name in reversed(site.fleet.names):
        pods = _pods(site, name)
        for pod in pods:
            pod.terminate()
        for pod in pods:
            pod.stop()
        pause(*PLACING)
        for pod in pods:
            pod.start()
        for pod in pods:
            pod.wait_ready(READY)
    pause(*AFTERWARDS)


def scale_down(site: Site) -> None:
    """SIGTERM the last pod of each package, which does not come back."""
    pods = _pods(site, site.fleet.names[-1])
    for pod in pods:
        pod.terminate()
    for pod in pods:
        pod.stop()
        site.workers.remove(pod)
    pause(*AFTERWARDS)


def _pods(site: Site, name: str) -> list[Worker]:
    return [worker for worker in site.workers if worker.instance == name]
