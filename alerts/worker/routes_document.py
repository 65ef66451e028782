"""The routes document: sinks, and which alerts go to them. Secrets are named by their environment variable.

[sink.duty]
kind = "pagerduty"
routing_key = "env:PAGERDUTY_KEY"

[[route]]
name = "night"            # operators change it at run time by this name
sinks = ["duty"]
least = "critical"
border = ["northern"]
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

from alerts.lifecycle.alert import Severity
from alerts.notices.links import NOWHERE, Links
from alerts.notices.routing import STRICT, Route, Routing
from alerts.sinks import Sink
from alerts.sinks.apprise import AppriseSink
from alerts.sinks.mail.sink import MailSink
from alerts.sinks.pagerduty import PagerDutySink
from alerts.sinks.slack.webhook import SlackSink
from alerts.sinks.webhook import WebhookSink
from alerts.worker.apprise_client import apprise_fault
from alerts.worker.settings import Settings
from alerts.worker.sink_entries import Entry, PagerDutyEntry
from alerts.worker.sink_network import NetworkEntry, Networks, address
from streams.contract.sectors import Registry, registry
from streams.contract.toml_documents import load
from streams.runtime.public_addresses import is_http, is_private, is_private_host

# Sinks that settings alone set up, and by which; each has a route of its own name.
WEBHOOK, SLACK = "webhook", "slack"
SINKS_OF_SETTINGS: Final = {WEBHOOK: "SURGEWATCH_WEBHOOK_URL", SLACK: "SURGEWATCH_SLACK_URL"}
PRIVATE: Final = "is a private address; allow_private = true allows it"


class RoutesError(ValueError):
    """Routes cannot be used; the message names every reason."""


class Routes(BaseModel):
    """All sinks and routes."""

    model_config = STRICT

    sink: dict[Annotated[str, Field(pattern="^[^/]+$")], Entry] = {}
    route: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _known_sinks(self) -> Self:
        unknown = sorted({name for route in self.route for name in route.sinks} - self.sink.keys())
        if unknown:
            raise ValueError(f"routes name unknown sinks: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = Counter(route.name for route in self.route if route.name)
        if twice := [name for name, number in names.items() if number > 1]:
            raise ValueError(f"routes of the same name: {', '.join(twice)}")
        return self

    def least(self) -> dict[str, Severity]:
        """Return the severity below which a sink takes nothing."""
        return {name: entry.least for name, entry in self.sink.items() if isinstance(entry, PagerDutyEntry)}

    def sinks(self, links: Links = NOWHERE, environment: Mapping[str, str] = os.environ) -> list[Sink]:
        """Return every sink, with its secrets; raises RoutesError naming all that cannot work, and why."""
        faults: list[str] = []
        made = []
        for name, entry in self.sink.items():
            secrets = _Secrets(name, environment)
            try:
                sink = entry.sink(name, links, secrets)
            except ValueError as error:  # a signing secret that is none
                secrets.faults.append(f"sink {name}: {error}")
            else:
                made.append(sink)
                secrets.faults += [*_address_faults(sink), *_network_faults(sink, entry, secrets)]
            faults += secrets.faults
        if faults:
            raise RoutesError("; ".join(faults))
        return made

    def networks(self, environment: Mapping[str, str] = os.environ) -> Networks:
        """Return how each sink is reached. Raises what `sinks` raises, which is called before."""
        return {
            name: entry.network(_Secrets(name, environment))
            for name, entry in self.sink.items()
            if isinstance(entry, NetworkEntry)
        }


class _Secrets:
    """Values of one sink that stand in the environment, and those that are missing there."""

    def __init__(self, sink: str, environment: Mapping[str, str]) -> None:
        self._sink, self._environment = sink, environment
        self.faults: list[str] = []

    def __call__(self, text: str, placeholder: str) -> SecretStr:
        if not text.startswith("env:"):
            return SecretStr(text)
        name = text.removeprefix("env:")
        value = self._environment.get(name, "").strip("\r\n")  # as it comes out of a file
        if not value:
            self.faults.append(f"sink {self._sink}: the environment variable {name} is not set")
        return SecretStr(value or placeholder)


def _address_faults(sink: Sink) -> list[str]:
    """Return why the address of a sink cannot work. The address may be a secret: it is not repeated."""
    if isinstance(sink, MailSink):
        is_refused = not sink.private and is_private_host(sink.server.host)
        return [f"sink {sink.name}: its server {PRIVATE}"] if is_refused else []
    if isinstance(sink, AppriseSink):
        fault = apprise_fault(sink)
        return [f"sink {sink.name}: {fault}"] if fault else []
    names = ("url", "api_url") if isinstance(sink, PagerDutySink) and sink.api_token else ("url",)
    return [fault for name in names for fault in _url_faults(sink, name)]


def _url_faults(sink: Sink, name: str) -> list[str]:
    text = address(sink, name)
    if not is_http(text):
        return [f"sink {sink.name}: its {name} is no http(s) address"]
    if not sink.private and is_private(text):
        return [f"sink {sink.name}: its {name} {PRIVATE}"]
    return []


def _network_faults(sink: Sink, entry: object, secrets: "_Secrets") -> list[str]:
    if not isinstance(entry, NetworkEntry):
        return []
    try:
        network = entry.network(secrets)
    except ValueError as error:
        return [f"sink {sink.name}: {error}"]
    is_checked = network.proxy is not None and not (sink.private or network.proxy_resolves)
    if is_checked and urlsplit(address(sink)).scheme == "http":
        return [
            f"sink {sink.name}: through a proxy its url has to be https; proxy_resolves = true allows http"
        ]
    return []


def routes(path: Path) -> Routes:
    """Read routes; raises DocumentError naming every fault with file and line."""
    return load(path, Routes)


class Configured(NamedTuple):
    """Every sink, the routes to them, and how each sink of the routes is reached (others: directly)."""

    sinks: list[Sink]
    routing: Routing
    networks: Networks


def configured(settings: Settings) -> Configured:
    """Return what the settings and their document of routes set up; raises RoutesError or DocumentError."""
    document = routes(settings.routes) if settings.routes is not None else Routes()
    links = Links(settings.console_url, settings.grafana_url.rstrip("/"))
    found = document.sinks(links)
    own = list(_environment_sinks(settings, links))
    faults = [fault for sink in own for fault in _address_faults(sink)]
    if taken := sorted({sink.name for sink in own} & document.sink.keys()):
        faults.append(f"the environment and the routes both have a sink named {', '.join(taken)}")
    if settings.routes is not None and not (found or own):
        faults.append(f"{settings.routes} has no sinks, so nobody would be notified")
    faults += _place_faults(document, registry(settings.registry))
    if faults:
        raise RoutesError("; ".join(faults))
    everything = (Route(name=sink.name, sinks=(sink.name,)) for sink in own)
    routing = Routing([*document.route, *everything], document.least())
    return Configured(found + own, routing, document.networks())


def _place_faults(document: Routes, sectors: Registry) -> list[str]:
    """Return which routes are limited to places that are not there."""
    return [
        f"route {route.name or number}: {fault}"
        for number, route in enumerate(document.route, 1)
        for fault in route.unknown(sectors.border_of)
    ]


def _environment_sinks(settings: Settings, links: Links) -> Iterator[Sink]:
    if settings.webhook_url:
        if settings.webhook_secret is None:
            raise RoutesError("SURGEWATCH_WEBHOOK_URL needs SURGEWATCH_WEBHOOK_SECRET")
        url, secret = SecretStr(settings.webhook_url), settings.webhook_secret
        try:
            yield WebhookSink(WEBHOOK, url, secret, private=settings.allow_private)
        except ValueError as error:
            raise RoutesError(f"SURGEWATCH_WEBHOOK_SECRET cannot be used: {error}") from error
    if settings.slack_url is not None:
        yield SlackSink(SLACK, settings.slack_url, links, private=settings.allow_private)
