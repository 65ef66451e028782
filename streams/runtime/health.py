"""`/metrics`, `/healthz` and `/readyz`, from threads of their own: answered also by a busy worker."""

import asyncio
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final

from streams.runtime.refusals import SetupError
from streams.runtime.settings import WorkerSettings
from streams.runtime.watchdog import or_end

Answer = tuple[int, str, bytes]  # status, content type, body
Pages = Mapping[str, Callable[[], Answer]]  # by path
TEXT: Final = "text/plain; charset=utf-8"
CONNECTIONS: Final = 64  # at once: a thread and a descriptor each, which the worker needs for its broker too
PAUSE: Final = 0.1  # seconds, after a client that could not be accepted
IDLE_SECONDS: Final = 10.0  # after which a client that sends or takes nothing is disconnected


class HealthServer(ThreadingHTTPServer):
    """Answers each client in a thread. Beyond CONNECTIONS the oldest one is disconnected.

    So clients that never end their request (half-open connections, a port scan) keep nobody from asking.
    """

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]  # IPv6 too
        self.pages = pages
        self._open: deque[Any] = deque()
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """Listen, without asking for the name of this host: that can take as long as the DNS does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def get_request(self) -> tuple[Any, Any]:
        """Accept a client. Where there is no descriptor for it, not at once again: that would take a core."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(PAUSE)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread."""
        self._open.append(request)
        if len(self._open) > CONNECTIONS:
            with suppress(OSError, IndexError):  # it has just ended
                self._open.popleft().shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, whose answer is sent."""
        with suppress(ValueError):  # it was the oldest
            self._open.remove(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong, unless the client broke off, which is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    timeout = IDLE_SECONDS
    server: HealthServer

    def do_GET(self) -> None:
        answer = self.server.pages.get(self.path.split("?")[0])
        status, kind, body = answer() if answer else (404, TEXT, b"not found\n")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Scrapes are no news."""


def serve(host: str, port: int, pages: Pages) -> HTTPServer:
    """Answer GET on these paths until `shutdown()`; port 0 takes any (see `server_port`).

    Raises SetupError where it cannot listen there.
    """
    with listening(host, port):
        server = HealthServer(host, port, pages)
    answer = partial(or_end, "health", server.serve_forever)
    threading.Thread(target=answer, name="health", daemon=True).start()
    return server


@asynccontextmanager
async def served(settings: WorkerSettings, pages: Pages) -> AsyncIterator[None]:
    """Serve pages on the worker's port while the block runs. Raises SetupError."""
    server = serve(settings.metrics_host, settings.metrics_port, pages)
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Turn an OSError of whoever begins to listen into a SetupError that names the settings."""
    try:
        yield
    except OSError as error:
        # Of a name that is not found the number is negative; asyncio has words of its own.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise SetupError(
            f"cannot listen on {host}:{port}: {reason}. Set SURGEWATCH_METRICS_HOST and "
            "SURGEWATCH_STREAMS_PORT or SURGEWATCH_ALERTS_PORT to an address and a port that are free"
        ) from error


def verdict(problem: str | None) -> Answer:
    """200 `ok`, or 503 with what is wrong."""
    return (200, TEXT, b"ok\n") if problem is None else (503, TEXT, problem.encode() + b"\n")
