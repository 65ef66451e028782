"""Sinks of every kind but Slack as an app, on loopback: all of them answer, or all are dead.

A real SMTP server, and a real Alertmanager behind a gate; the others are stand-ins for the services.
"""

import asyncio
import json
import logging
import os
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from surgewatch.harness.webhook_receiver import SECRET
from tests.alerts.worker.smtp_server import PASSWORD, USER, Mailbox, Served, serving
from tests.prometheus import alertmanager, receiver

DUTY: Final = "duty"
MANAGER: Final = "manager"
BY_SECTOR: Final = ("hook", "chat", "teams", "list", "push")  # the sector is in what they are sent
ROUTES: Final = """
[sink]
duty = { kind = "pagerduty", routing_key = "env:DUTY", url = "SITE/duty", allow_private = true }
hook = { kind = "webhook", url = "SITE/hook", secret = "env:HOOK", allow_private = true }
chat = { kind = "slack", url = "env:CHAT", allow_private = true }
teams = { kind = "teams", url = "env:TEAMS", allow_private = true }
push = { kind = "apprise", url = "env:PUSH", allow_private = true }
manager = { kind = "alertmanager", url = "SITE/manager" }

[sink.list]
kind = "email"
server = "localhost"
port = PORT
ca_file = "CA_FILE"
username = "env:MAIL_USER"
password = "env:MAIL_PASSWORD"
sender = "surgewatch@example.org"
to = ["shift@example.org"]
allow_private = true

[[route]]
name = "others"
sinks = ["duty", "hook", "chat", "teams", "push", "manager", "list"]
"""


class Site(ThreadingHTTPServer):
    """The services that speak HTTP, each under a path of its name; and what all sinks have taken."""

    def __init__(self, manager: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.manager, self.is_dead = manager, False
        self.refused = Counter[str]()
        self.taken: list[tuple[float, str, str]] = []  # when, which sink, what

    def take(self, sink: str, text: str) -> bool:
        """Take what a sink was sent; return whether it is alive."""
        if self.is_dead:
            self.refused[sink] += 1
        else:
            self.taken.append((time.monotonic(), sink, text))
        return not self.is_dead

    def standing(self) -> list[str]:
        """Return the sectors of what stands in Alertmanager, one for each alert."""
        with urllib.request.urlopen(f"http://{self.manager}/api/v2/alerts", timeout=5) as answer:
            return sorted(alert["labels"]["sector"] for alert in json.load(answer))


class Answer(BaseHTTPRequestHandler):
    server: Site

    def do_POST(self) -> None:
        body, sink = self.rfile.read(int(self.headers["content-length"])), self.path.split("/")[1]
        is_alive = self.server.take(sink, body.decode())
        if is_alive and sink == MANAGER:
            address = f"http://{self.server.manager}/api/v2/alerts"
            headers = {"content-type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=5).close()
        self.send_response(200 if is_alive else 500)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


class Mails(Mailbox):
    """A mail server that takes mails while the site is alive."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        text = message.get_body(("plain",))
        return "250 OK" if text and self.site.take("list", text.get_content()) else "451 Try again later"


@contextmanager
def mail_server(site: Site, folder: Path) -> Iterator[Served]:
    """Serve mails in a loop of its own."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of each login
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    server = serving(Mails(site), folder)
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)


@contextmanager
def sinks_that_die() -> Iterator[tuple[Site, str]]:
    """Yield the site and the routes to all of its sinks; their secrets are put into the environment."""
    with (
        tempfile.TemporaryDirectory(prefix="surgewatch-sinks-") as name,
        receiver() as hook,
        alertmanager(Path(name), hook.url) as manager,
        Site(manager) as site,
        mail_server(site, Path(name)) as mails,
    ):
        threading.Thread(target=site.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{site.server_port}"
        os.environ.update(HOOK=SECRET, CHAT=f"http://{host}/chat", TEAMS=f"http://{host}/teams")
        os.environ.update(PUSH=f"gotify://{host}/push/token", MAIL_USER=USER, MAIL_PASSWORD=PASSWORD)
        routes = ROUTES.replace("SITE", f"http://{host}").replace("PORT", str(mails.port))
        try:
            yield site, routes.replace("CA_FILE", str(mails.ca_file))
        finally:
            site.shutdown()
