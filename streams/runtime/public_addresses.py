"""Keep outgoing requests away from private addresses, whatever a URL or a name server leads to."""

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver


class PrivateAddressError(OSError):
    """A host is at a private address, and that was not allowed."""


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


def is_private(url: str) -> bool:
    """Return whether the host of a URL is a literal address that is not public.

    Names are checked when they are resolved.
    """
    return is_private_host(urlsplit(url).hostname or "")


def is_private_host(host: str) -> bool:
    """Return whether a host is a literal address that is not public."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_http(url: str) -> bool:
    """Return whether a text is an http(s) address that can be requested."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return is_usable and not any(character.isspace() for character in url)
