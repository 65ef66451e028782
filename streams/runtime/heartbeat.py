"""A heartbeat: a request to a URL every minute while the worker is ready.

Whoever watches that URL (a dead man's switch) raises an alarm when the requests stop. It needs no Prometheus.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import aiohttp
import structlog
from pydantic import SecretStr

from streams.runtime.kafka_tls import of_system
from streams.runtime.public_addresses import PrivateAddressError, PublicResolver, is_http, is_private
from streams.runtime.refusals import SetupError
from streams.runtime.settings import WorkerSettings

log = structlog.get_logger()

EVERY: Final = 60.0  # seconds
TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)


class Beat(StrEnum):
    """What came of one request: the bounded label of a metric."""

    SENT = "sent"
    BAD_STATUS = "bad_status"
    NO_ANSWER = "no_answer"
    PRIVATE_ADDRESS = "private_address"


class Heartbeat:
    """Requests the URL while `is_ready`. The URL is a secret: it is neither logged nor part of a metric.

    `proxy`: it looks the URL's host up, and has to guard its own network; None: the URL is reached directly.
    `count` takes the outcome of each request. Raises SetupError where the URL cannot be used.
    """

    def __init__(
        self,
        url: SecretStr,
        *,
        private: bool,
        proxy: SecretStr | None = None,
        is_ready: Callable[[], bool],
        count: Callable[[Beat], None],
        every: float = EVERY,
    ) -> None:
        if not is_http(url.get_secret_value()):
            raise SetupError("SURGEWATCH_HEARTBEAT_URL is no http(s) address")
        if not private and is_private(url.get_secret_value()):
            raise SetupError(
                "SURGEWATCH_HEARTBEAT_URL is a private address; "
                "SURGEWATCH_HEARTBEAT_ALLOW_PRIVATE=true allows it"
            )
        if proxy and not is_http(proxy.get_secret_value()):
            raise SetupError("SURGEWATCH_HEARTBEAT_PROXY is no http(s) address")
        self._url, self._private = url, private
        self._proxy = proxy.get_secret_value() if proxy else None
        self._is_ready, self._count = is_ready, count
        self._every = every

    async def run(self) -> None:
        """Send for as long as it is not cancelled. A request that fails is logged and counted."""
        resolver = None if self._private or self._proxy else PublicResolver()  # proxies are inside
        connector = aiohttp.TCPConnector(resolver=resolver, ssl=of_system())
        async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as session:
            while True:
                while not self._is_ready():
                    await asyncio.sleep(min(1.0, self._every))
                self._count(await self._send(session))
                await asyncio.sleep(self._every)

    async def _send(self, session: aiohttp.ClientSession) -> Beat:
        """Send one request. An error is logged by its type: its text may hold the URL."""
        try:
            url = self._url.get_secret_value()
            async with session.get(url, allow_redirects=False, proxy=self._proxy) as answer:
                if 200 <= answer.status < 300:
                    return Beat.SENT
                log.warning("heartbeat failed", status=answer.status)
                return Beat.BAD_STATUS
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddressError):
                log.warning("heartbeat failed", error="its host is at a private address")
                return Beat.PRIVATE_ADDRESS
            log.warning("heartbeat failed", error=type(error).__name__)
        except Exception as error:  # whatever it is, the worker goes on
            log.warning("heartbeat failed", error=type(error).__name__)
        return Beat.NO_ANSWER


def heartbeat_of(
    settings: WorkerSettings, *, is_ready: Callable[[], bool], count: Callable[[Beat], None]
) -> Heartbeat | None:
    """Return the heartbeat of a worker, where a URL is set; raises SetupError where it cannot be used."""
    if not settings.heartbeat_url:
        return None
    return Heartbeat(
        settings.heartbeat_url,
        private=settings.heartbeat_allow_private,
        proxy=settings.heartbeat_proxy,
        is_ready=is_ready,
        count=count,
    )
