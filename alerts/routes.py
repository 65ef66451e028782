"""Routes: which notices go to which sinks. Data; secrets are named by their environment variable.

[sink.duty]
kind = "pagerduty"
routing_key = "env:PAGERDUTY_KEY"

[[route]]
sinks = ["duty"]
least = "critical"
border = ["northern"]
"""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from alerts.alert import RANK, Notice, Reason, Severity
from alerts.sinks import Sink
from alerts.sinks.alertmanager import AlertmanagerSink
from alerts.sinks.pagerduty import URL, PagerDutySink
from alerts.sinks.slack import SlackSink
from alerts.sinks.webhook import WebhookSink
from streams.documents import load
from streams.verdicts import Question


class RoutesError(ValueError):
    """Routes that cannot be used; the message says what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


Entry = Annotated[WebhookEntry | SlackEntry | PagerDutyEntry | AlertmanagerEntry, Field(discriminator="kind")]


class QuietHours(_Strict):
    """Times of day at which only what is critical is told."""

    start: dt.time
    end: dt.time
    time_zone: str = "UTC"

    def holds(self, now: float) -> bool:
        """Is it quiet now? (Wall clock: it is people who sleep, not events.)"""
        at = dt.datetime.fromtimestamp(now, ZoneInfo(self.time_zone)).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


class Route(_Strict):
    """Notices that match all of what is said here go to the sinks."""

    sinks: Annotated[tuple[str, ...], Field(min_length=1)]
    least: Severity = Severity.INFO
    border: tuple[str, ...] = ("*",)
    sector: tuple[str, ...] = ("*",)
    question: tuple[Question, ...] = ()
    reason: tuple[Reason, ...] = ()
    quiet: QuietHours | None = None

    def takes(self, notice: Notice, now: float) -> bool:
        """Does this notice go this way?"""
        alert = notice.alert
        return (
            RANK[alert.severity] >= RANK[self.least]
            and any(fnmatchcase(alert.border, glob) for glob in self.border)
            and any(fnmatchcase(alert.sector, glob) for glob in self.sector)
            and (not self.question or alert.question in self.question)
            and (not self.reason or notice.reason in self.reason)
            and not (self.quiet and self.quiet.holds(now) and alert.severity is not Severity.CRITICAL)
        )


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

    def takes(self, sink: str, notice: Notice, now: float) -> bool:
        """Does any route bring this notice to that sink?"""
        return any(sink in route.sinks and route.takes(notice, now) for route in self.route)

    def sinks(self, console: str = "", environment: Mapping[str, str] = os.environ) -> list[Sink]:
        """Every sink, with its secrets; raises RoutesError naming all variables that are missing."""
        missing: list[str] = []

        def secret(text: str) -> SecretStr:
            if not text.startswith("env:"):
                return SecretStr(text)
            name = text.removeprefix("env:")
            if not environment.get(name):
                missing.append(name)
            return SecretStr(environment.get(name) or "whsec_AAAA")

        made = [_sink(name, entry, console, secret) for name, entry in self.sink.items()]
        if missing:
            raise RoutesError(f"routes need the environment variables {', '.join(sorted(set(missing)))}")
        return made


def _sink(name: str, entry: Entry, console: str, secret: Callable[[str], SecretStr]) -> Sink:
    match entry:
        case WebhookEntry():
            return WebhookSink(name, secret(entry.url), secret(entry.secret), private=entry.allow_private)
        case SlackEntry():
            return SlackSink(name, secret(entry.url), console, private=entry.allow_private)
        case PagerDutyEntry():
            key = secret(entry.routing_key)
            return PagerDutySink(name, key, entry.least, entry.url, private=entry.allow_private)
        case AlertmanagerEntry():
            return AlertmanagerSink(name, entry.url, console)


def routes(path: Path) -> Routes:
    """Read routes; raises DocumentError naming every fault with file and line."""
    return load(path, Routes)
