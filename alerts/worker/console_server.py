"""The console's thread: its site and the readers that fill its board run on a loop of their own.

Whatever pages and foreign clients do, the worker's loop goes on and delivers: it only writes rows to the
board and publishes what an operator asks for.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from aiohttp import web

from alerts.console.backend import Backend
from alerts.console.connections import Connections
from alerts.console.site import site
from streams.runtime.health import listening
from streams.runtime.watchdog import or_end

SHUTDOWN_SECONDS: Final = 1.0  # for answers on their way when the worker ends

T = TypeVar("T")
Reader = Callable[[], Awaitable[None]]  # fills the board for as long as it is not cancelled


@asynccontextmanager
async def console_server(
    backend: Backend, host: str, port: int, *, readers: Sequence[Reader] = ()
) -> AsyncIterator[int]:
    """Serve the console in its thread while the block runs, and yield the port. Raises SetupError."""
    thread = ConsoleThread(backend, host, port, readers=readers)
    thread.start()
    try:
        with listening(host, port):
            bound = await asyncio.wrap_future(thread.listening)
        yield bound
    finally:
        await asyncio.to_thread(thread.stop)


class ConsoleThread(threading.Thread):
    """The thread. `listening` becomes the port, or the error."""

    def __init__(
        self,
        backend: Backend,
        host: str,
        port: int,
        *,
        readers: Sequence[Reader] = (),
        end: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__(name="console", daemon=True)
        self._end = end
        self._backend, self._address, self._readers = backend, (host, port), readers
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self.listening: Future[int] = Future()

    def run(self) -> None:
        """Serve until `stop`. Where that fails the worker ends: nobody would see any more how it is."""
        or_end(self.name, self._run, self._end)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            if not self.listening.done():
                self.listening.set_exception(error)
            elif not self._ended.is_set():
                raise

    def stop(self) -> None:
        """End, and wait for it."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)
        self.join()

    async def _serve(self) -> None:
        connections = Connections()
        runner = web.AppRunner(
            site(self._backend, connections), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await runner.setup()
        try:
            async with connections.server(runner, *self._address) as port:
                tasks = [asyncio.ensure_future(read()) for read in self._readers]
                self.listening.set_result(port)
                await _until(self._ended, tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await runner.cleanup()


async def _until(ended: asyncio.Event, readers: Sequence[asyncio.Future[Any]]) -> None:
    """Wait for the end; raises what a reader raises, as its board would stand still."""
    waits = asyncio.create_task(ended.wait())
    await asyncio.wait([waits, *readers], return_when=asyncio.FIRST_COMPLETED)
    if ended.is_set():
        return
    waits.cancel()
    for reader in readers:
        if reader.done():
            await reader
    raise RuntimeError("a reader ended by itself")


def from_loop(
    loop: asyncio.AbstractEventLoop, work: Callable[..., Coroutine[Any, Any, T]]
) -> Callable[..., Awaitable[T]]:
    """Return `work`, which belongs to `loop`, as it is awaited in the console's."""

    async def call(*given: Any) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(*given), loop))

    return call
