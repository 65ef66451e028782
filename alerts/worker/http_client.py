"""Posting: requests of sinks over HTTP. No redirects, bounded time, no private addresses unasked."""

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from alerts.sinks import Outcome, Refused, Request, Retry, Sink

TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)
ANSWER: Final = 4_096  # bytes of an answer that are read


class PrivateAddressError(OSError):
    """A sink's host is at a private address, and it was not allowed to be."""


class PublicResolver(AbstractResolver):
    """Resolves to public addresses only; what was looked up is what is connected to."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a host; raises PrivateAddressError where one is not public."""
        found = await self._resolver.resolve(host, port, family)
        if any(not ipaddress.ip_address(one["host"]).is_global for one in found):
            raise PrivateAddressError("the address is private")
        return found

    async def close(self) -> None:
        """Nothing to close."""


class Post:
    """Makes requests: no redirects, bounded time, and no private addresses where that was not allowed."""

    def __init__(self) -> None:
        self._inside = aiohttp.ClientSession(timeout=TIMEOUT)
        self._outside = aiohttp.ClientSession(
            timeout=TIMEOUT, connector=aiohttp.TCPConnector(resolver=PublicResolver())
        )

    async def __call__(self, sink: Sink, request: Request) -> Outcome:
        """Send a request; what came of it."""
        if not sink.private and _is_private(request.url):
            return Refused("private_address")
        session = self._inside if sink.private else self._outside
        try:
            async with session.request(
                request.method, request.url, data=request.body, headers=request.headers, allow_redirects=False
            ) as answer:
                body = await answer.content.read(ANSWER)
                return sink.outcome(answer.status, dict(answer.headers), body)
        except PrivateAddressError:
            return Refused("private_address")
        except TimeoutError:
            return Retry("timeout")
        except aiohttp.InvalidURL:
            return Refused("invalid_url")
        except aiohttp.ClientConnectorError as error:
            private = isinstance(error.os_error, PrivateAddressError)
            return Refused("private_address") if private else Retry("no_connection")
        except aiohttp.ClientError as error:
            return Retry(type(error).__name__)

    async def close(self) -> None:
        """Close all connections."""
        await self._inside.close()
        await self._outside.close()


def _is_private(url: str) -> bool:
    """Is the host a literal address that is not public? (Names are looked at when they are resolved.)"""
    try:
        return not ipaddress.ip_address(urlsplit(url).hostname or "").is_global
    except ValueError:
        return urlsplit(url).hostname == "localhost"
