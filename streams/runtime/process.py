"""Run a worker as a process, and end it with an exit status of `refusals.Exit`."""

import asyncio
import faulthandler
import gc
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from pydantic import ValidationError

from streams.runtime.batch_fetcher import in_whole_batches
from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.log_lines import start_logging
from streams.runtime.refusals import Exit, Refusal, WorkerCrashedError, faults
from streams.runtime.unanswered import close_unanswered
from streams.runtime.watchdog import end_without_memory
from streams.runtime.worker import Worker

log = structlog.get_logger()

THREADS = 64  # for names and files: a DNS that hangs would hold the six that a small machine has by default
YOUNG = 100_000  # objects; at Python's 700 a fifth of the time goes into looking for cycles in fetches


def run(
    start: Callable[[], AbstractAsyncContextManager[Worker]],
    unusable: tuple[type[Exception], ...],
    *,
    check: bool = False,
) -> int:
    """Run the worker that `start` makes; the exit status. `unusable`: errors of a wrong set-up.

    `check`: only make the worker, which reads all settings and documents and needs no broker.
    """
    faulthandler.enable()  # a crash inside a C library leaves a trace too
    start_logging()
    in_whole_batches()  # before there is any consumer
    close_unanswered()
    gc.freeze()  # what was imported stays
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    refusals: tuple[type[Exception], ...] = (*unusable, OSError, Refusal)

    async def work() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        asyncio.get_running_loop().set_exception_handler(unless_without_memory)
        async with start() as worker:
            await (worker.close() if check else worker.run())

    try:
        asyncio.run(work())
    except refusals as error:
        print(f"surgewatch: {_sentence(error)}", file=sys.stderr)
        return Exit.REFUSED
    except WorkerCrashedError as error:
        log.critical("worker crashed", reason=str(error))
        return Exit.CRASHED
    return Exit.STOPPED


def _sentence(error: Exception) -> str:
    """Return in one line why the worker cannot run, settings by the names of their variables."""
    if not isinstance(error, ValidationError):
        return str(error)
    of_kafka = error.title == KafkaSecurity.__name__
    return f"{'SURGEWATCH_KAFKA_*' if of_kafka else 'SURGEWATCH_*'}: {faults(error)}"


def unless_without_memory(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log a task's or connection's failure; without memory they would go on failing, so the process ends."""
    if not isinstance(context.get("exception"), MemoryError):
        loop.default_exception_handler(context)
        return
    end_without_memory()
