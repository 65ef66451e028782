"""A webhook receiver for the demo, the torture and tests. It rejects requests without a valid signature."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from alerts.lifecycle.alert import Notice

SECRET = "whsec_c3VyZ2V3YXRjaC1kZW1vLXNlY3JldC0wMDAx"  # noqa: S105 - protects nothing but a demo


@dataclass(frozen=True)
class Received:
    """A received webhook."""

    webhook_id: str
    at: float  # epoch seconds
    notice: Notice


@dataclass
class Receiver:
    """Receive webhooks on a loopback port and keep them; `status` is the answer, after `delay` seconds."""

    secret: str = SECRET
    status: int = 200
    delay: float = 0.0
    unanswered: int = 0  # requests that wait for their answer
    received: list[Received] = field(default_factory=list)
    unsigned: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        """Return the address to post to."""
        return f"http://127.0.0.1:{self.port}/notices"

    @property
    def repeated(self) -> int:
        """Return how many webhooks came again under an id that had been accepted."""
        return len(self.received) - len({one.webhook_id for one in self.received})

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        at = time.time()
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.unsigned += 1
            return web.Response(status=401)
        if self.status < 300:
            notice = Notice.model_validate_json(body)
            self.received.append(Received(request.headers["webhook-id"], at, notice))
        self.unanswered += 1
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.unanswered -= 1
        return web.Response(status=self.status)

    def _site(self) -> web.Application:
        site = web.Application(client_max_size=1 << 20)
        site.router.add_post("/notices", self._take)
        return site


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Serve from a thread while the block runs."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> web.AppRunner:
        runner = web.AppRunner(receiver._site(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", receiver.port)
        await site.start()
        receiver.port = runner.addresses[0][1]
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(serve())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, name="receiver", daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
