"""Send messages through Apprise, an optional extra that blocks: in threads of its own.

A host that a URL names is checked before each message. Apprise resolves it again, so an egress rule of the
network has to keep names that change in between from private addresses.
"""

import asyncio
import logging
import socket
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final

import structlog

from alerts.sinks import Outcome, Push, Refused, Retry, Sink
from alerts.sinks.apprise import ALLOWED, TAKEN, AppriseSink, host, schema
from streams.runtime.public_addresses import PrivateAddressError, PublicResolver, is_private_host

log = structlog.get_logger()

SECONDS: Final = 20.0  # for one message; Apprise gives up on a connection after 4 s
THREADS: Final = 4  # of each sink


class AppriseClient:
    """Sends messages. A service that hangs takes the threads of its own sink, and no other's."""

    def __init__(self) -> None:
        self._threads = defaultdict[str, ThreadPoolExecutor](  # by sink
            lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")
        )

    async def send(self, sink: Sink, push: Push, *, seconds: float = SECONDS) -> Outcome:
        """Send a message and return what came of it. Whatever goes wrong is an outcome."""
        try:
            async with asyncio.timeout(seconds):
                if not sink.private and await _is_private(host(push.url)):
                    return Refused("private_address")
        except TimeoutError:  # of the DNS
            return Retry("unknown_host")
        try:
            async with asyncio.timeout(seconds):
                loop = asyncio.get_running_loop()
                is_taken = await loop.run_in_executor(self._threads[sink.name], _notify, push)
        except TimeoutError:
            return Retry("timeout", unanswered=True)
        except Exception as error:  # of whichever plugin
            log.error("sending failed", sink=sink.name, error=type(error).__name__)
            return Retry(type(error).__name__, unanswered=True)
        return sink.outcome(TAKEN if is_taken else 0, {}, b"")

    def close(self) -> None:
        """Begin nothing more."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)


def apprise_fault(sink: AppriseSink) -> str:
    """Return why a sink cannot work; nothing where it can. Its URL is a secret: only its schema is named."""
    if find_spec("apprise") is None:
        return "it needs the extra surgewatch[apprise]"
    if schema(sink.url) not in ALLOWED:
        return f"its url has none of the schemas {', '.join(sorted(ALLOWED))}"
    if not sink.private and is_private_host(host(sink.url)):
        return "its url is a private address; allow_private = true allows it"
    plugin = _plugin(sink.url.get_secret_value())
    if plugin is None:
        return "its url is not as Apprise needs it"
    if len(plugin) > 1:  # Apprise returns no more than that one of them failed, so all would be sent it again
        return (
            f"its url has {len(plugin)} targets, and one that fails would repeat the others: give each a sink"
        )
    return ""


def _notify(push: Push) -> bool:
    from apprise import NotifyType

    plugin = _plugin(push.url.get_secret_value())
    text = {"title": push.title, "body": push.body}
    return bool(plugin and plugin.notify(**text, notify_type=NotifyType(push.kind), body_format="text"))


def _plugin(url: str) -> Any:
    """Return Apprise's plugin for a URL, or None. It follows no redirects and keeps nothing on disk."""
    from apprise import Apprise, AppriseAsset
    from apprise.common import OverflowMode

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may hold parts of URLs
    asset = AppriseAsset(storage_mode="memory", secure_logging=True)
    with suppress(TypeError):
        if plugin := Apprise.instantiate(url, asset=asset):
            plugin.redirects = False
            plugin.overflow_mode = OverflowMode.TRUNCATE
            return plugin
    return None


async def _is_private(name: str) -> bool:
    if not name:
        return False
    if is_private_host(name):
        return True
    try:
        await PublicResolver().resolve(name, 0, socket.AF_UNSPEC)
    except PrivateAddressError:
        return True
    except OSError:
        return False  # no such host: Apprise does not reach it either
    return False
