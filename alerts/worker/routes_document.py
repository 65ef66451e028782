"""Routes: which notices go to which sinks. Data; secrets are named by their environment variable.

[sink.duty]
kind = "pagerduty"
routing_key = "env:PAGERDUTY_KEY"

[[route]]
name = "night"            # by which it can be changed at run time
sinks = ["duty"]
least = "critical"
border = ["northern"]
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from alerts.lifecycle.alert import Severity
from alerts.notices.links import NOWHERE, Links
from alerts.notices.routing import STRICT, Route, Routing
from alerts.sinks import Sink
from alerts.sinks.alertmanager import AlertmanagerSink
from alerts.sinks.pagerduty import URL, PagerDutySink
from alerts.sinks.slack import SlackSink
from alerts.sinks.webhook import WebhookSink
from alerts.worker.settings import Settings
from streams.contract.toml_documents import load


class RoutesError(ValueError):
    """Routes that cannot be used; the message says what to do."""


class _Strict(BaseModel):
    model_config = STRICT


class WebhookEntry(_Strict):
    """A signed webhook."""

    kind: Literal["webhook"]
    url: str
    secret: Annotated[str, Field(pattern="^env:")]
    allow_private: bool = False


class SlackEntry(_Strict):
    """A Slack channel, by its incoming webhook."""

    kind: Literal["slack"]
    url: Annotated[str, Field(pattern="^env:")]
    allow_private: bool = False


class PagerDutyEntry(_Strict):
    """A PagerDuty service."""

    kind: Literal["pagerduty"]
    routing_key: Annotated[str, Field(pattern="^env:")]
    least: Severity = Severity.WARNING
    url: str = URL
    allow_private: bool = False


class AlertmanagerEntry(_Strict):
    """An Alertmanager."""

    kind: Literal["alertmanager"]
    url: str
    every_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0  # what stands is said again


Entry = Annotated[WebhookEntry | SlackEntry | PagerDutyEntry | AlertmanagerEntry, Field(discriminator="kind")]


class Routes(_Strict):
    """All sinks and routes."""

    sink: dict[str, Entry] = {}
    route: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _known_sinks(self) -> Self:
        unknown = sorted({name for route in self.route for name in route.sinks} - self.sink.keys())
        if unknown:
            raise ValueError(f"routes name sinks that there are not: {', '.join(unknown)}")
        return self

    def sinks(self, links: Links = NOWHERE, environment: Mapping[str, str] = os.environ) -> list[Sink]:
        """Every sink, with its secrets; raises RoutesError naming all variables that are missing."""
        missing: list[str] = []

        def secret(text: str) -> SecretStr:
            if not text.startswith("env:"):
                return SecretStr(text)
            name = text.removeprefix("env:")
            if not environment.get(name):
                missing.append(name)
            return SecretStr(environment.get(name) or "whsec_AAAA")

        made = [_sink(name, entry, links, secret) for name, entry in self.sink.items()]
        if missing:
            raise RoutesError(f"routes need the environment variables {', '.join(sorted(set(missing)))}")
        return made


def _sink(name: str, entry: Entry, links: Links, secret: Callable[[str], SecretStr]) -> Sink:
    match entry:
        case WebhookEntry():
            return WebhookSink(name, secret(entry.url), secret(entry.secret), private=entry.allow_private)
        case SlackEntry():
            return SlackSink(name, secret(entry.url), links, private=entry.allow_private)
        case PagerDutyEntry():
            key = secret(entry.routing_key)
            return PagerDutySink(name, key, entry.least, entry.url, links, private=entry.allow_private)
        case AlertmanagerEntry():
            return AlertmanagerSink(name, entry.url, links, entry.every_seconds)


def routes(path: Path) -> Routes:
    """Read routes; raises DocumentError naming every fault with file and line."""
    return load(path, Routes)


def sinks(settings: Settings) -> tuple[list[Sink], Routing]:
    """Every sink, and what goes to it; raises RoutesError."""
    way = routes(settings.routes) if settings.routes is not None else Routes()
    links = Links(settings.console_url, settings.grafana_url.rstrip("/"))
    found = way.sinks(links)
    if settings.webhook_url:
        if settings.webhook_secret is None:
            raise RoutesError("SURGEWATCH_WEBHOOK_URL needs SURGEWATCH_WEBHOOK_SECRET")
        url, secret = SecretStr(settings.webhook_url), settings.webhook_secret
        found.append(WebhookSink("webhook", url, secret, private=settings.allow_private))
    if settings.slack_url is not None:
        url = settings.slack_url
        found.append(SlackSink("slack", url, links, private=settings.allow_private))
    own = [sink.name for sink in found[len(way.sink) :]]
    if taken := sorted(set(own) & way.sink.keys()):
        raise RoutesError(f"the environment and the routes both have a sink named {', '.join(taken)}")
    return found, Routing([*way.route, *(Route(name=name, sinks=(name,)) for name in own)])
