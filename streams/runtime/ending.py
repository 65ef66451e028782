"""Heed SIGTERM and SIGINT from the first moment of a worker, whatever it is doing."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import cast

from streams.runtime.refusals import Exit

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def end_at_once() -> None:
    """End the process at a signal: to be called before the worker is imported, which takes seconds.

    Nothing has been begun by then. The first process of a container would ignore a signal without a handler.
    """
    for name in SIGNALS:
        signal.signal(name, lambda *_: os._exit(Exit.STOPPED))


def failure_of(tasks: Iterable[asyncio.Task[None]]) -> Exception | None:
    """Return what the first task that failed has raised; None where none did, whichever have ended."""
    ended = (task.exception() for task in tasks if task.done())
    return cast("Exception | None", next((error for error in ended if error is not None), None))


async def done_before(ended: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Do some work; return False, and give it up, where `ended` is set first. Raises what the work raises."""
    working, ending = asyncio.ensure_future(work), asyncio.ensure_future(ended.wait())
    await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if working.done():
        await working
        return True
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    return False
