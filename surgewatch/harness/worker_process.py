"""The two workers as child processes: for the demo, the torture and the tests."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from prometheus_client.parser import text_string_to_metric_families

Package = Literal["streams", "alerts"]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class WorkerError(RuntimeError):
    """A worker did not start or ended early; the message holds the end of its log."""


@dataclass
class Worker:
    """One worker process, its settings and its log; it can be killed and started again."""

    package: Package
    port: int
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def instance(self) -> str:
        """Its instance name; empty where it has none."""
        return self.environment.get("SURGEWATCH_INSTANCE", "")

    @property
    def state(self) -> Path:
        """The folder of its local copy of the state."""
        return Path(self.environment["SURGEWATCH_STATE_DIR"])

    def start(self) -> None:
        """Start the process; its log is appended to."""
        sink: IO[bytes]
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(  # noqa: S603 - our own package, by our own interpreter
                [sys.executable, "-m", self.package],
                env={**os.environ, **self.environment},
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self, seconds: float = 120) -> None:
        """Wait until the worker is ready; raises WorkerError where it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if self.get("/readyz") is not None:
                return
            time.sleep(0.1)
        raise WorkerError(f"the {self.package} worker did not come up:\n{self.tail()}")

    def get(self, path: str) -> str | None:
        """Return the body that the worker serves under `path`; None without a good answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return None

    def samples(self) -> Samples:
        """Every sample of the worker's metrics, by name and sorted labels (empty while it is away)."""
        text = self.get("/metrics") or ""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def kill(self) -> None:
        """SIGKILL the process, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def terminate(self) -> None:
        """SIGTERM the process, which then has some time to end."""
        if self.process is not None:
            self.process.terminate()

    def stop(self, seconds: float = 20) -> None:
        """SIGTERM, and SIGKILL where it does not end in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


@contextmanager
def running(*workers: Worker, seconds: float = 120) -> Iterator[tuple[Worker, ...]]:
    """Start workers, wait until each is ready, and stop them at the end."""
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait_ready(seconds)
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum of all samples of that name whose labels hold the given ones."""
    wanted = labels.items()
    return sum(
        value for (found, at), value in samples.items() if found == name and wanted <= dict(at).items()
    )
