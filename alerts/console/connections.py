"""Limits on connections: how many at once, and how long one may be without a request.

aiohttp has no limit on either: a socket that is opened and left alone, or that sends its header a byte a
minute, would stay for ever. Here each connection is wrapped. It is closed where no whole request header has
come in time. Where too many are open, in all or from its address, a new one takes the place of the one that
has been without a request for longest, so sockets that are left alone keep no probe out. Where all have a
request, it is refused with 503.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from alerts.console.access import known_protocol

BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """How many connections may be open, and for how many seconds one may be without a request."""

    most: int = 512
    most_by_address: int = 256
    header_seconds: float = 10.0  # from the opening to the end of the first header
    idle_seconds: float = 30.0  # from one answer to the end of the next header


class Connections:
    """The open connections. `wrap` makes the protocol of each; `middleware` marks when one has a request."""

    def __init__(self, limits: ConnectionLimits | None = None) -> None:
        self.limits = limits or ConnectionLimits()
        self._open: Counter[str] = Counter()  # by address
        self._by_handler: dict[asyncio.BaseProtocol, Connection] = {}

    def wrap(self, server: Callable[[], asyncio.Protocol]) -> "Connection":
        """Return the protocol of a new connection, around the one that `server` makes."""
        return Connection(self, server())

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Stop the connection's clock while a request is answered."""
        connection = self._by_handler.get(cast("asyncio.BaseProtocol", request.protocol))
        if connection is None:
            return await handler(request)
        connection.stop_clock()
        try:
            return await handler(request)
        finally:
            connection.start_clock(self.limits.idle_seconds)

    @asynccontextmanager
    async def server(self, runner: web.AppRunner, host: str, port: int) -> AsyncIterator[int]:
        """Listen for a site while the block runs, and yield the port. Raises OSError."""
        handlers: Any = runner.server
        handlers.request_handler = known_protocol(handlers.request_handler)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self.wrap(handlers), host, port, backlog=1024)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    def admit(self, connection: "Connection", handler: asyncio.Protocol, address: str) -> bool:
        """Count a connection; return whether it may stay. It may take the place of an idle one."""
        if self._open[address] >= self.limits.most_by_address:
            if not self._end_idle(address):
                return False
        elif self._open.total() >= self.limits.most and not self._end_idle():
            return False
        self._open[address] += 1
        self._by_handler[handler] = connection
        return True

    def _end_idle(self, address: str = "") -> bool:
        """End the connection (from an address) that is without a request for longest, if there is one."""
        ends = {
            one: one.ends_at
            for one in self._by_handler.values()
            if one.ends_at is not None and address in ("", one.address)
        }
        if not ends:
            return False
        min(ends, key=ends.__getitem__).end()
        return True

    def release(self, handler: asyncio.Protocol, address: str) -> None:
        """Count a connection no longer."""
        del self._by_handler[handler]
        self._open[address] -= 1
        self._open += Counter()  # addresses without connections are forgotten


class Connection(asyncio.Protocol):
    """One connection: passes everything on to aiohttp's handler once it was admitted."""

    def __init__(self, connections: Connections, handler: asyncio.Protocol) -> None:
        self._connections, self._handler = connections, handler
        self.address = ""
        self._is_admitted = self._is_counted = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit or refuse."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._is_admitted = self._is_counted = self._connections.admit(self, self._handler, self.address)
        if not self._is_admitted:
            self._transport.write(BUSY)
            self._transport.close()
            return
        self.start_clock(self._connections.limits.header_seconds)
        self._handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass on."""
        if self._is_admitted:
            self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on."""
        return self._handler.eof_received() if self._is_admitted else None

    def pause_writing(self) -> None:
        """Pass on."""
        if self._is_admitted:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        if self._is_admitted:
            self._handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on, and free the place."""
        self.stop_clock()
        self._free()
        if self._is_admitted:
            self._handler.connection_lost(exc)

    def end(self) -> None:
        """Close it, and free its place at once."""
        self.stop_clock()
        self._free()
        if self._transport is not None:
            self._transport.abort()

    @property
    def ends_at(self) -> float | None:
        """When it is closed unless a request comes, by the loop's clock; None where it has one."""
        return self._timer.when() if self._timer is not None else None

    def _free(self) -> None:
        if self._is_counted:
            self._is_counted = False
            self._connections.release(self._handler, self.address)

    def start_clock(self, seconds: float) -> None:
        """Close the connection where no request comes for so long."""
        self.stop_clock()
        if self._transport is not None and not self._transport.is_closing():
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def stop_clock(self) -> None:
        """Leave the connection open, however long it takes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
