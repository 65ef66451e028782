"""How the requests of one sink leave this network: an egress proxy, a private CA, a client certificate.

Private addresses stay out of reach through a proxy too. The sink's name is looked up and checked here, and
the proxy is asked for the address that was checked; TLS and the Host header still have the name. Only where
the routes have `proxy_resolves = true` the proxy is asked for the name, and has to guard its own network.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, Field, SecretStr
from yarl import URL

from alerts.languages.language import Code
from alerts.notices.routing import STRICT
from alerts.sinks import Request, Sink
from streams.runtime.kafka_tls import ReloadingContext, unusable_files
from streams.runtime.public_addresses import PublicResolver, is_http

PLACEHOLDER: Final = "http://not-set.invalid:3128"
IPV4_FIRST: Final = (socket.AF_INET, socket.AF_INET6)  # many proxies have no IPv6


class Sending(NamedTuple):
    """A request, and what aiohttp has to know to send it."""

    request: Request
    options: dict[str, Any]


@dataclass(frozen=True)
class Network:
    """The way to one sink. `tls` None: the system's authorities, no client certificate."""

    proxy: SecretStr | None = None
    proxy_resolves: bool = False
    tls: ssl.SSLContext | None = None

    async def prepare(self, request: Request, *, private: bool) -> Sending:
        """Return how to send a request; `private`: private addresses are allowed.

        Raises PrivateAddressError, or OSError where the name cannot be looked up.
        """
        options: dict[str, Any] = {"ssl": self.tls} if self.tls else {}
        if self.proxy is None:
            return Sending(request, options)
        options["proxy"] = self.proxy.get_secret_value()
        if private or self.proxy_resolves:
            return Sending(request, options)
        url = URL(request.url)
        options["server_hostname"] = url.host
        headers = {**request.headers, "host": url.host_port_subcomponent or ""}
        at = url.with_host(await _public_address(url))
        return Sending(request._replace(url=str(at), headers=headers), options)

    def names(self, host: str, *, private: bool) -> frozenset[str]:
        """Return the names that have to be looked up here to reach a host."""
        if self.proxy is None:
            return frozenset({host})
        through = URL(self.proxy.get_secret_value()).host or ""
        return frozenset({through} if private or self.proxy_resolves else {through, host})


def address(sink: Sink, name: str = "url") -> str:
    """Return the URL of a sink as text, also where it is a secret; empty where it has none."""
    url = getattr(sink, name, "")
    return url.get_secret_value() if isinstance(url, SecretStr) else str(url)


DIRECT: Final = Network()
Networks = Mapping[str, Network]  # by sink; those that are not in it are reached directly


async def _public_address(url: URL) -> str:
    found = await PublicResolver().resolve(url.host or "", url.port or 443, socket.AF_UNSPEC)
    return min(found, key=lambda one: IPV4_FIRST.index(one["family"]))["host"]


FromEnvironment = Annotated[str, Field(pattern="^env:")]
# Looks up a secret that an entry names. The placeholder stands for one that is not set, which is a fault.
Secrets = Callable[[str, str], SecretStr]


class SinkEntry(BaseModel):
    """What every entry of the routes document may have beside the sink's own fields."""

    model_config = STRICT

    language: Code = "en"


class NetworkEntry(SinkEntry):
    """What an entry of a sink that speaks HTTP may have."""

    proxy: str | None = None
    proxy_resolves: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def network(self, secret: Secrets) -> Network:
        """Return the network; raises ValueError with what cannot work."""
        proxy = secret(self.proxy, PLACEHOLDER) if self.proxy is not None else None
        if proxy is not None and not is_http(proxy.get_secret_value()):
            raise ValueError("its proxy is no http(s) address")
        if proxy is None and self.proxy_resolves:
            raise ValueError("proxy_resolves needs a proxy")
        return Network(proxy, self.proxy_resolves, self._tls())

    def _tls(self) -> ssl.SSLContext | None:
        files = (self.ca_file, self.certificate_file, self.key_file)
        if not any(files):
            return None
        if faults := [*unusable_files(*files, password=None)]:
            raise ValueError("; ".join(faults))
        return ReloadingContext.of(*files, password=None)
