"""Who sends a request: known by the authenticating proxy, a token, or the session of who signed in."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from aiohttp import web
from pydantic import SecretStr, TypeAdapter, ValidationError

from alerts.console.access import refusal
from alerts.console.access_document import Access
from alerts.console.roles import Grant, Principal, Role
from alerts.console.sessions import SESSION, Sessions
from streams.contract.controls import Person

PERSON: Final[TypeAdapter[str]] = TypeAdapter(Person)
EVERYTHING: Final = (Grant(role=Role.ADMINISTER),)
READING: Final = (Grant(role=Role.READ),)


class Identity:
    """Identifies who sends a request.

    `token`: the shared token, which may do everything and has no name. `access`: the access document; None:
    everybody may read. `sessions`: of people who signed in; None: nobody can.
    """

    def __init__(
        self,
        token: SecretStr | None = None,
        access: Callable[[], Access] | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self._shared = token.get_secret_value().encode() if token else None
        self._access, self._sessions = access, sessions

    @property
    def can_write(self) -> bool:
        """Whether there is anything by which somebody could be allowed to write."""
        return self._shared is not None or self._access is not None

    def identify(self, request: web.Request) -> Principal:
        """Return who sends a request; raises HTTPUnauthorized: the token or the proxy's name is wrong."""
        access = self._access() if self._access else Access(anonymous=Role.READ)
        if person := _person(request, access):
            return person
        scheme, _, token = _only(request, "Authorization").partition(" ")
        if scheme.lower() == "bearer":
            return self._client(token.strip().encode(errors="surrogateescape"), access)
        session = self._sessions.read(request, SESSION) if self._sessions and access.oidc else None
        if session is not None:
            granted = tuple(access.grants(session["name"], session["groups"]))
            return Principal(session["name"], granted, ambient=True)
        return Principal(grants=READING if access.anonymous else ())

    def _client(self, token: bytes, access: Access) -> Principal:
        if self._shared is not None and hmac.compare_digest(token, self._shared):
            return Principal(grants=EVERYTHING)
        found = access.clients.get(hashlib.sha256(token).hexdigest())
        if found is None:
            raise unknown("wrong token")
        name, grant = found
        return Principal(name, (grant,))


def _person(request: web.Request, access: Access) -> Principal | None:
    """Return whom the proxy names; None where there is none, or it names nobody."""
    proxy = access.proxy
    if proxy is None or not proxy.is_at(request.remote or ""):
        return None
    name = _only(request, proxy.name_header)
    if not name:
        return None
    try:
        name = PERSON.validate_python(name)
    except ValidationError as error:
        raise unknown("the proxy's name cannot be used") from error
    groups = _only(request, proxy.groups_header).split(",") if proxy.groups_header else []
    return Principal(name, tuple(access.grants(name, {group.strip() for group in groups})), ambient=True)


def _only(request: web.Request, header: str) -> str:
    """Return the value of a header that may be there once: of two, one may be the client's own."""
    values = request.headers.getall(header, [])
    if len(values) > 1:
        raise unknown("{header} is there twice", header=header)
    return values[0] if values else ""


def unknown(message: str, /, **values: object) -> web.HTTPError:
    """Return the 401 to raise."""
    error = refusal(web.HTTPUnauthorized, message, **values)
    error.headers["WWW-Authenticate"] = "Bearer"
    return error
