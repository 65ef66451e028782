"""Keep outgoing requests away from private addresses, whatever a URL or a name server leads to."""

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# The last 32 bits are an IPv4 address: NAT64 (RFC 6052), IPv4-compatible (RFC 4291).
EMBEDDING: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


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
        if not all(is_public(one["host"]) for one in found):
            raise PrivateAddressError("the address is private")
        return found

    async def close(self) -> None:
        """Nothing to close."""


def is_public(text: str) -> bool:
    """Return whether an address is public, and so is an IPv4 address that it stands for (NAT64, 6to4).

    Raises ValueError where it is no address.
    """
    address = ipaddress.ip_address(text)
    inner = _translated(address) if isinstance(address, ipaddress.IPv6Address) else None
    return address.is_global and (inner is None or inner.is_global)


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if any(address in network for network in EMBEDDING):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def is_private(url: str) -> bool:
    """Return whether the host of a URL is a literal address that is not public.

    Names are checked when they are resolved.
    """
    return is_private_host(urlsplit(url).hostname or "")


def is_private_host(host: str) -> bool:
    """Return whether a host is a literal address that is not public."""
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def known_url(url: str) -> str:
    """Return an http(s) address, or what is empty; raises ValueError for anything else."""
    if url and not is_http(url):
        raise ValueError("is no http(s) address")
    return url


def is_http(url: str) -> bool:
    """Return whether a text is an http(s) address that can be requested."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return (
        is_usable
        and can_be_looked_up(parts.hostname or "")
        and not any(character.isspace() for character in url)
    )


def can_be_looked_up(host: str) -> bool:
    """Return whether a host name can be one: with an empty or too long part, a look-up raises."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True
