"""A real HTTP CONNECT proxy on a free port, with what it was asked for."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """Tunnels to where `routes` leads instead of a host and port, as a name server would.

    `password` None: it asks for none. `refuses`: hosts that it answers with 403.
    """

    routes: dict[str, tuple[str, int]] = field(default_factory=dict)
    password: str | None = None
    refuses: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split()
        self.asked.append(f"{method} {target}")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        status = self._status(target, headers.get("proxy-authorization", ""))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        if status.startswith("200"):
            await self._tunnel(target, reader, writer)
        writer.close()

    def _status(self, target: str, credentials: str) -> str:
        if self.password is not None:
            wanted = f"basic {base64.b64encode(self.password.encode()).decode()}"
            if credentials != wanted.lower():
                return "407 Proxy Authentication Required"
        return "403 Forbidden" if target.rpartition(":")[0] in self.refuses else "200 Connection established"

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        there = await asyncio.open_connection(*self.routes.get(target, (host.strip("[]"), int(port))))
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxying(proxy: ConnectProxy) -> AsyncIterator[ConnectProxy]:
    """Run a proxy for as long as the block runs."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
