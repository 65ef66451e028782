"""`/metrics`, `/healthz` and `/readyz`, from a thread of their own: answered also by a busy worker."""

import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, str, bytes]  # status, content type, body
TEXT = "text/plain; charset=utf-8"


def serve(host: str, port: int, routes: dict[str, Callable[[], Answer]]) -> ThreadingHTTPServer:
    """Answer GET on these paths until `shutdown()`; port 0 takes any (see `server_port`)."""

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

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def verdict(problem: str | None) -> Answer:
    """200 `ok`, or 503 with what is wrong."""
    return (200, TEXT, b"ok\n") if problem is None else (503, TEXT, problem.encode() + b"\n")
