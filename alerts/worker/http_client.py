"""Send the requests of sinks over HTTP: no redirects, bounded time, no private addresses unless allowed."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler

from alerts.sinks import Outcome, Refused, Request, Retry, Sink
from alerts.worker.sink_network import DIRECT, Networks, Sending
from streams.runtime.kafka_tls import of_system
from streams.runtime.public_addresses import PrivateAddressError, PublicResolver, is_private

TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
NAME_SECONDS: Final = 5.0  # until the DNS has answered where a proxy leads
ANSWER: Final = 4_096  # bytes of an answer that are read
PROXY_LOGIN: Final = 407
BODY_SECONDS: Final = 2.0  # for them
END_OF_HEAD: Final = b"\r\n\r\n"


class HttpAnswer(NamedTuple):
    """What a receiver answered; of a long body only the beginning."""

    status: int
    headers: dict[str, str]
    body: bytes


Fetched = HttpAnswer | Retry | Refused


class AnswerReader(ResponseHandler):
    """Reads the head of an answer before its body, also where both come at once.

    aiohttp loses the status where what follows it is no body: a wrong chunk, or anything after a 204.
    """

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        head, end, body = data.partition(END_OF_HEAD)
        super().data_received(head + end)
        if body:
            super().data_received(body)


class Connector(aiohttp.TCPConnector):
    """Connects without a limit for all: each queue has few requests at once, and a sink may hang."""

    def __init__(self, resolver: AbstractResolver | None) -> None:
        super().__init__(limit=0, resolver=resolver, ssl=of_system())
        reader: type[ResponseHandler] = AnswerReader
        self._factory = partial(reader, loop=asyncio.get_running_loop())


class HttpClient:
    """Sends requests, each by the network of its sink."""

    def __init__(self, timeout: aiohttp.ClientTimeout = TIMEOUT, networks: Networks | None = None) -> None:
        self._networks = networks or {}
        self._private, self._public = (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False, connector=Connector(resolver))
            for resolver in (None, PublicResolver())
        )

    async def send(self, sink: Sink, request: Request) -> Outcome:
        """Send a request and return what came of it. Whatever goes wrong is an outcome."""
        got = await self.fetch(sink, request)
        return sink.outcome(*got) if isinstance(got, HttpAnswer) else got

    async def fetch(self, sink: Sink, request: Request, most: int = ANSWER) -> Fetched:
        """Send a request and return the answer, with `most` bytes of its body; or why there is none."""
        if not sink.private and is_private(request.url):
            return Refused("private_address")
        network = self._networks.get(sink.name, DIRECT)
        try:
            async with asyncio.timeout(NAME_SECONDS):
                sending = await network.prepare(request, private=sink.private)
        except PrivateAddressError:
            return Refused("private_address")
        except OSError:  # TimeoutError is one
            return Retry("unknown_host")
        try:
            got = await self._send(sink, sending, most)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return failed(error)
        # So a proxy answers a request that it does not tunnel; the sink has got nothing.
        return Retry("proxy_407") if got.status == PROXY_LOGIN and "proxy" in sending.options else got

    async def _send(self, sink: Sink, sending: Sending, most: int) -> HttpAnswer:
        request, options = sending
        is_checked = sink.private or "proxy" in options  # the proxy itself may be at a private address
        session = self._private if is_checked else self._public
        async with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            **options,
        ) as answer:
            body = bytearray()
            # The status is the answer, whatever becomes of the body.
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(BODY_SECONDS):
                    while len(body) < most and (chunk := await answer.content.read(most - len(body))):
                        body += chunk
            return HttpAnswer(answer.status, dict(answer.headers), bytes(body))

    async def close(self) -> None:
        """Close all connections."""
        await self._private.close()
        await self._public.close()


def failed(error: aiohttp.ClientError | TimeoutError | ValueError) -> Retry | Refused:
    """Return what an error of aiohttp means for the request."""
    match error:
        case aiohttp.ClientHttpProxyError():  # the sink has got nothing
            return Retry(f"proxy_{error.status}")
        case aiohttp.ConnectionTimeoutError():
            return Retry("no_connection")
        case TimeoutError():
            return Retry("timeout", unanswered=True)
        case aiohttp.InvalidURL():
            return Refused("invalid_url")
        case aiohttp.ClientConnectorError():
            return _unconnected(error)
        case aiohttp.ClientError():
            return Retry(type(error).__name__, unanswered=True)
    return Refused("invalid_request")  # a header that cannot be sent


def _unconnected(error: aiohttp.ClientConnectorError) -> Retry | Refused:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Retry("bad_certificate")
        case aiohttp.ClientConnectorSSLError():
            return Retry("tls_failed")
        case aiohttp.ClientProxyConnectionError():
            return Retry("no_proxy")
        case aiohttp.ClientConnectorDNSError():
            is_private = isinstance(error.os_error, PrivateAddressError)
            return Refused("private_address") if is_private else Retry("unknown_host")
    return (
        Refused("private_address")
        if isinstance(error.os_error, PrivateAddressError)
        else Retry("no_connection")
    )
