"""The access document: API clients, the authenticating proxy, and roles. It is read again when it changes.

anonymous = "read"                  # role of who is not signed in; without it there is none

[client.dispatch]
token_sha256 = "9f86d0…"            # from `surgewatch token dispatch`
role = "operate"
borders = ["northern"]              # without it: all

[proxy]
addresses = ["10.0.3.0/24", "::1"]  # whose headers are trusted
name_header = "X-Forwarded-User"
groups_header = "X-Forwarded-Groups"

[oidc]                              # OpenID Connect, in place of the proxy
issuer = "https://id.example.org/realms/ops"
client_id = "surgewatch"
client_secret = "env:OIDC_CLIENT_SECRET"

[[grant]]
groups = ["border-ops"]             # or people = ["j.okafor@example.org"]
role = "operate"
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from alerts.console.roles import Grant, Role
from streams.contract.controls import Person, missing
from streams.contract.toml_documents import DocumentError, load, version
from streams.runtime.kafka_tls import unusable_files

log = structlog.get_logger()

Group = Annotated[str, Field(pattern=r"\S")]  # who is in no group may be in the group of no name
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Client(Grant):
    """A program, known by its token. The document holds only the token's SHA-256."""

    token_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Proxy(_Strict):
    """A proxy that signs people in. Its headers are trusted from these addresses alone."""

    addresses: Annotated[tuple[IPv4Network | IPv6Network, ...], Field(min_length=1)]
    name_header: HeaderName = "X-Forwarded-User"
    groups_header: HeaderName | None = None

    def is_at(self, address: str) -> bool:
        """Return whether a connection from this address is the proxy's."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped  # of a socket that listens on both
        return any(found in network for network in self.addresses)


def _usable(ca_file: Path | None) -> Path | None:
    """Return a file of authorities; raises ValueError where it cannot be used."""
    if faults := [*unusable_files(ca_file, None, None, None)]:
        raise ValueError("; ".join(faults).removeprefix("ca_file: "))
    return ca_file


class Oidc(_Strict):
    """A provider of OpenID Connect that signs people in."""

    issuer: Annotated[str, Field(pattern="^https?://")]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[str, Field(pattern="^env:")] | None = None  # None: a public client
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    name_claim: str = "email"
    groups_claim: str = "groups"
    session_hours: Annotated[float, Field(gt=0, le=24 * 7)] = 8.0
    ca_file: Annotated[Path | None, AfterValidator(_usable)] = None

    def secret(self, environment: Mapping[str, str]) -> str:
        """Return the client's secret; empty where it has none. Raises ValueError where it is not set."""
        if self.client_secret is None:
            return ""
        name = self.client_secret.removeprefix("env:")
        secret = environment.get(name, "").strip("\r\n")  # as it comes out of a file
        if not secret:
            raise ValueError(f"oidc: the environment variable {name} is not set")
        return secret


class PeopleGrant(Grant):
    """A role for people by name, or for groups."""

    people: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _for_somebody(self) -> Self:
        if not self.people and not self.groups:
            raise ValueError("a grant needs people or groups")
        return self


class Access(_Strict):
    """Who has which role."""

    anonymous: Literal[Role.READ] | None = None
    client: dict[Person, Client] = {}
    proxy: Proxy | None = None
    oidc: Oidc | None = None
    grant: tuple[PeopleGrant, ...] = ()

    @model_validator(mode="after")
    def _tokens_differ(self) -> Self:
        if len(self.clients) < len(self.client):
            raise ValueError("two clients have the same token")
        return self

    @cached_property
    def clients(self) -> dict[str, tuple[str, Grant]]:
        """The name and role of each client, by the hash of its token."""
        return {client.token_sha256: (name, client) for name, client in self.client.items()}

    @cached_property
    def groups(self) -> frozenset[str]:
        """Every group that has a role."""
        return frozenset(group for grant in self.grant for group in grant.groups)

    def grants(self, name: str, groups: Collection[str]) -> Iterator[Grant]:
        """Yield the roles of a person."""
        for grant in self.grant:
            if name in grant.people or not set(groups).isdisjoint(grant.groups):
                yield grant


class AccessFile:
    """The document as its file has it now. A change that cannot be used leaves it as it was."""

    def __init__(self, path: Path, borders: frozenset[str] | None = None) -> None:
        """`borders` are those that roles can be limited to; None: any. Raises DocumentError."""
        self._path, self._borders, self._version = path, borders, version(path)
        self._access = self._read()

    def current(self) -> Access:
        """Return the document, read again if the file has changed."""
        found = version(self._path)
        if found != self._version:
            self._version = found
            try:
                self._access = self._read()
                log.info("access document loaded anew")
            except DocumentError as error:
                log.error("access document cannot be used, the one before is kept", error=str(error))
        return self._access

    def _read(self) -> Access:
        access = load(self._path, Access)
        limits = [border for grant in (*access.client.values(), *access.grant) for border in grant.borders]
        if unknown := missing("unknown border {name}", limits, self._borders, globs=False):
            raise DocumentError(f"{self._path}: {'; '.join(map(str, unknown))}")
        return access
