"""Keep the tasks of the worker running, whatever becomes of one of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import structlog

log = structlog.get_logger()

PAUSE: Final = 1.0  # seconds before a task that failed is started again
MEMORY: Final = 15.0  # seconds without another failure after which a task counts as running, and
LONGEST: Final = 60.0  # twice the time that it ran before the last one, but of no more than this


class Failure(NamedTuple):
    """The last failure of a task."""

    error: str
    at: float  # seconds of the steady clock
    restarts: int  # in a row
    memory: float  # seconds after which it counts for nothing


class Supervisor:
    """Runs tasks, starts those again that fail, and names those that keep failing."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._failures: dict[str, Failure] = {}  # by task

    async def run(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        """Run a task and start it again where it fails, until this is cancelled."""
        while True:
            began = self._steady()
            try:
                await task()
            except Exception as error:  # whatever it is, deliveries have to go on
                self._fail(name, repr(error), self._steady() - began)
            else:
                self._fail(name, "it ended by itself", self._steady() - began)
            await asyncio.sleep(PAUSE)

    def _fail(self, name: str, error: str, ran: float) -> None:
        """Record a failure. A task that waits between its rounds fails again after a round, and no sooner."""
        restarts = sum(one.restarts for one in self._recent(name)) + 1
        self._failures[name] = Failure(error, self._steady(), restarts, MEMORY + 2 * min(ran, LONGEST))
        log.warning("task failed, restarting", task=name, error=error, restarts=restarts)

    def _recent(self, name: str) -> list[Failure]:
        found = self._failures.get(name)
        return [found] if found is not None and self._steady() - found.at < found.memory else []

    def problem(self) -> str | None:
        """Return which tasks have failed more than once just now, and why."""
        failing = [(name, one) for name in sorted(self._failures) for one in self._recent(name)]
        return "; ".join(f"{name}: {one.error}" for name, one in failing if one.restarts > 1) or None
