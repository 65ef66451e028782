"""A TCP proxy that fails as networks do: it stops for a while, or leaves connections half open."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 1 << 16  # bytes read at once

Ends = tuple[asyncio.StreamWriter, asyncio.StreamWriter]  # of a connection: to the client, to the server


class Network:
    """Connects a loopback port to a server on another one. Faults may be called from any thread."""

    def __init__(self, port: int, server_port: int) -> None:
        self.port, self.server_port = port, server_port
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[Ends] = set()
        self._dead: set[Ends] = set()  # half open: nothing comes and nothing is closed

    def stall(self) -> None:
        """Forward nothing from now on. What is sent meanwhile waits, and nothing is closed."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def resume(self) -> None:
        """Go on where it stalled."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def abandon(self) -> None:
        """Close all connections at the server alone: clients keep theirs, and never get an answer."""
        self._loop.call_soon_threadsafe(self._abandon)

    def _abandon(self) -> None:
        self._dead |= self._open
        for _, server in self._open:
            server.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            await self._flows.wait()
            answers, server = await asyncio.open_connection("127.0.0.1", self.server_port)
        except (OSError, asyncio.CancelledError):
            client.transport.abort()
            return
        ends = client, server
        self._open.add(ends)
        try:
            await asyncio.gather(self._forward(reader, server, ends), self._forward(answers, client, ends))
        finally:
            self._open.discard(ends)
            self._dead.discard(ends)
            for end in ends:
                end.close()

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, ends: Ends) -> None:
        """Forward until the source ends, then close the target."""
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await self._flows.wait()
                if ends not in self._dead:
                    target.write(data)
                    await target.drain()
        if ends in self._dead and target is ends[0]:
            return  # the client learns nothing of its server's end
        await self._flows.wait()
        target.close()

    @contextmanager
    def running(self) -> Iterator["Network"]:
        """Forward from a thread while the block runs."""
        ready, ended = threading.Event(), asyncio.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
            ready.set()
            await ended.wait()
            server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        ready.wait(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(ended.set)
            thread.join(10)
            self._loop.close()
