"""Send the requests of sinks over HTTP: no redirects, bounded time, no private addresses unless allowed."""

import asyncio
import ipaddress
import socket
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from alerts.sinks import HttpSink, Outcome, Refused, Request, Retry

TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
ANSWER: Final = 4_096  # bytes of an answer that are read
BODY_SECONDS: Final = 2.0  # for them


class PrivateAddressError(OSError):
    """The host of a sink is at a private address, and that was not allowed."""


class PublicResolver(AbstractResolver):
    """Resolves to public addresses only. The address that was checked is the one that is connected to."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises PrivateAddressError where one is not public."""
        found = await self._resolver.resolve(host, port, family)
        if any(not ipaddress.ip_address(one["host"]).is_global for one in found):
            raise PrivateAddressError("the address is private")
        return found

    async def close(self) -> None:
        """Nothing to close."""


class HttpClient:
    """Sends requests."""

    def __init__(self, timeout: aiohttp.ClientTimeout = TIMEOUT) -> None:
        self._private = aiohttp.ClientSession(timeout=timeout, auto_decompress=False)
        self._public = aiohttp.ClientSession(
            timeout=timeout,
            auto_decompress=False,
            connector=aiohttp.TCPConnector(resolver=PublicResolver()),
        )

    async def send(self, sink: HttpSink, request: Request) -> Outcome:
        """Send a request and return what came of it. Whatever goes wrong is an outcome."""
        if not sink.private and is_private(request.url):
            return Refused("private_address")
        try:
            return await self._send(sink, request)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return failed(error)

    async def _send(self, sink: HttpSink, request: Request) -> Outcome:
        session = self._private if sink.private else self._public
        async with session.request(
            request.method, request.url, data=request.body, headers=request.headers, allow_redirects=False
        ) as answer:
            body = b""
            # The status is the answer, whatever becomes of the body.
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(BODY_SECONDS):
                    body = await answer.content.read(ANSWER)
            return sink.outcome(answer.status, dict(answer.headers), body)

    async def close(self) -> None:
        """Close all connections."""
        await self._private.close()
        await self._public.close()


def failed(error: aiohttp.ClientError | TimeoutError | ValueError) -> Outcome:
    """Return what an error of aiohttp means for the request."""
    match error:
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


def _unconnected(error: aiohttp.ClientConnectorError) -> Outcome:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Retry("bad_certificate")
        case aiohttp.ClientConnectorSSLError():
            return Retry("tls_failed")
        case aiohttp.ClientConnectorDNSError():
            is_private = isinstance(error.os_error, PrivateAddressError)
            return Refused("private_address") if is_private else Retry("unknown_host")
    return (
        Refused("private_address")
        if isinstance(error.os_error, PrivateAddressError)
        else Retry("no_connection")
    )


def is_loopback(url: str) -> bool:
    """Return whether an http address is on this machine itself."""
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Return whether the host is a literal address that is not public. (Names are checked when resolved.)"""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
