"""Keep the tasks of the worker running, whatever becomes of one of them."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def supervised(name: str, task: Callable[[], Awaitable[None]]) -> None:
    """Run a task and start it again where it fails, until it is cancelled."""
    restarts = 0
    while True:
        try:
            await task()
        except Exception as error:  # whatever it is, deliveries have to go on
            restarts += 1
            log.warning("task failed, restarting", task=name, error=repr(error), restarts=restarts)
        await asyncio.sleep(1)
