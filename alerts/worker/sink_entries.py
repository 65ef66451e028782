"""Entries of the routes document, each with the sink that it makes."""

import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from alerts.languages.language import language
from alerts.lifecycle.alert import Severity
from alerts.notices.links import Links
from alerts.sinks import MailServer, Sink
from alerts.sinks.alertmanager import AlertmanagerSink
from alerts.sinks.apprise import AppriseSink
from alerts.sinks.mail.sink import MailSink
from alerts.sinks.pagerduty import URL, PagerDutySink
from alerts.sinks.pagerduty_incidents import API
from alerts.sinks.slack.webhook import SlackSink
from alerts.sinks.teams import TeamsSink
from alerts.sinks.webhook import WebhookSink
from alerts.worker.sink_network import FromEnvironment, NetworkEntry, Secrets, SinkEntry
from alerts.worker.slack_entry import SlackAppEntry
from streams.runtime.kafka_tls import unusable_files

PLACEHOLDER_URL: Final = "https://not-set.invalid"
PLACEHOLDER_KEY: Final = "whsec_AAAA"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # of a host's name
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"  # of RFC 5322
MailAddress = Annotated[
    str, Field(pattern=rf"^{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$", max_length=254)
]


def _host(text: str) -> str:
    """Return the name or address of a host, an IPv6 one without brackets; raises ValueError."""
    if ":" in text:
        return str(IPv6Address(text.removeprefix("[").removesuffix("]")))
    if not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", text):
        raise ValueError("is no name or address of a host")
    return text


Host = Annotated[str, Field(max_length=253), AfterValidator(_host)]


class WebhookEntry(NetworkEntry):
    """A signed webhook."""

    kind: Literal["webhook"]
    url: str
    secret: FromEnvironment
    allow_private: bool = False

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink; raises ValueError where the secret is none."""
        url, key = secret(self.url, PLACEHOLDER_URL), secret(self.secret, PLACEHOLDER_KEY)
        return WebhookSink(name, url, key, private=self.allow_private, language=language(self.language))


class SlackEntry(NetworkEntry):
    """A Slack channel, by its incoming webhook."""

    kind: Literal["slack"]
    url: FromEnvironment
    allow_private: bool = False

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink."""
        return SlackSink(
            name,
            secret(self.url, PLACEHOLDER_URL),
            links,
            private=self.allow_private,
            language=language(self.language),
        )


class PagerDutyEntry(NetworkEntry):
    """A PagerDuty service."""

    kind: Literal["pagerduty"]
    routing_key: FromEnvironment
    least: Severity = Severity.WARNING
    url: str = URL
    allow_private: bool = False
    webhook_secrets: tuple[FromEnvironment, ...] = ()
    api_token: FromEnvironment | None = None
    api_url: str = API

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink."""
        return PagerDutySink(
            name,
            secret(self.routing_key, PLACEHOLDER_KEY),
            self.url,
            links,
            private=self.allow_private,
            language=language(self.language),
            webhook_secrets=tuple(secret(one, PLACEHOLDER_KEY) for one in self.webhook_secrets),
            api_token=secret(self.api_token, PLACEHOLDER_KEY) if self.api_token else None,
            api_url=self.api_url,
        )


class AlertmanagerEntry(NetworkEntry):
    """An Alertmanager."""

    kind: Literal["alertmanager"]
    url: str
    every_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0  # what stands is posted again

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink."""
        return AlertmanagerSink(name, self.url, links, self.every_seconds, language=language(self.language))


class MailEntry(SinkEntry):
    """Mail addresses, by an SMTP server."""

    kind: Literal["email"]
    server: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["tls", "starttls"] = "starttls"
    username: FromEnvironment | None = None
    password: FromEnvironment | None = None
    ca_file: Path | None = None
    sender: MailAddress
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=50)]
    allow_private: bool = False

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        return self

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink; raises ValueError where the CA cannot be used."""
        if faults := [*unusable_files(self.ca_file, None, None, None)]:
            raise ValueError("; ".join(faults))
        server = MailServer(
            self.server,
            self.port,
            self.security,
            username=secret(self.username, "-") if self.username else None,
            password=secret(self.password, "-") if self.password else None,
            ca_file=self.ca_file,
        )
        return MailSink(
            name,
            server,
            self.sender,
            self.to,
            links,
            private=self.allow_private,
            language=language(self.language),
        )


class TeamsEntry(NetworkEntry):
    """A Teams channel or chat, by the webhook of a Workflow."""

    kind: Literal["teams"]
    url: FromEnvironment
    allow_private: bool = False

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink."""
        return TeamsSink(
            name,
            secret(self.url, PLACEHOLDER_URL),
            links,
            private=self.allow_private,
            language=language(self.language),
        )


class AppriseEntry(SinkEntry):
    """A service that Apprise knows, by its Apprise URL."""

    kind: Literal["apprise"]
    url: FromEnvironment
    allow_private: bool = False

    def sink(self, name: str, links: Links, secret: Secrets) -> Sink:
        """Return the sink."""
        return AppriseSink(
            name,
            secret(self.url, "ntfys://not-set.invalid/x"),
            links,
            private=self.allow_private,
            language=language(self.language),
        )


Entry = Annotated[
    WebhookEntry
    | SlackEntry
    | SlackAppEntry
    | PagerDutyEntry
    | AlertmanagerEntry
    | MailEntry
    | TeamsEntry
    | AppriseEntry,
    Field(discriminator="kind"),
]
