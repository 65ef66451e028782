"""`/metrics`, `/healthz` and `/readyz`, from a thread of their own: answered also by a busy worker."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streams.runtime.refusals import SetupError

Answer = tuple[int, str, bytes]  # status, content type, body
TEXT = "text/plain; charset=utf-8"


def serve(host: str, port: int, routes: dict[str, Callable[[], Answer]]) -> ThreadingHTTPServer:
    """Answer GET on these paths until `shutdown()`; port 0 takes any (see `server_port`).

    Raises SetupError where it cannot listen there.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = routes.get(self.path.split("?")[0])
            status, kind, body = answer() if answer else (404, TEXT, b"not found\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # who asked gave up waiting
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Scrapes are no news."""

    with listening(host, port):
        server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


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
