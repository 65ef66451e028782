"""Roles, enforced before anything of a request is read: who it is from, and whether they may."""

from collections.abc import Collection
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from alerts.console.access import PROBES, refusal
from alerts.console.identity import Identity, unknown
from alerts.console.roles import Principal, Role
from alerts.languages.language import gettext_noop
from streams.contract.sentences import sentence

READING: Final = ("GET", "HEAD")
OPEN: Final = ("/", "/metrics", *PROBES)  # the page itself, and what Prometheus and orchestrators read
DEEDS: Final = {
    Role.READ: gettext_noop("read"),
    Role.OPERATE: gettext_noop("operate"),
    Role.ADMINISTER: gettext_noop("administer"),
}
FILES: Final = "/console/"
SIGN_IN: Final = "/auth/"
SAME_SITE: Final = ("same-origin", "none")  # Sec-Fetch-Site of the page's own requests, and of none
_PRINCIPAL: Final = web.RequestKey("principal", Principal)


def guarded(identity: Identity, signed: Collection[str] = ()) -> Middleware:
    """Refuse what a request may not do: 401 where it is not known who sends it, else 403.

    Tokens travel in a header that no foreign form can set. Who is known by the proxy is known to the proxy
    also when another site's page sends; browsers mark that, and it is refused. Requests to the `signed` paths
    carry a signature instead, which their handlers check.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        reads = request.method in READING
        is_open = reads and (request.path in OPEN or request.path.startswith(FILES))
        if is_open or request.path.startswith(SIGN_IN) or request.path in signed:
            return await handler(request)
        if not reads and not identity.can_write:
            raise refusal(web.HTTPForbidden, "writing is off: SURGEWATCH_CONSOLE_TOKEN is not set")
        principal = identity.identify(request)
        require(principal, Role.READ if reads else Role.OPERATE)
        if not reads:
            _refuse_foreign(request, principal)
        request[_PRINCIPAL] = principal
        return await handler(request)

    return guard


def who(request: web.Request) -> Principal:
    """Return who sends a request that was let through."""
    return request[_PRINCIPAL]


def require(principal: Principal, role: Role) -> None:
    """Raise the refusal where a role is not given in any border."""
    if not principal.may(role):
        raise denied(principal, role)


def denied(
    principal: Principal, role: Role, message: str = gettext_noop("{person} may not {deed}")
) -> web.HTTPError:
    """Return the refusal: who is not known can still sign in."""
    if not principal.name:
        return unknown("sign in, or send a token")
    return refusal(web.HTTPForbidden, message, person=principal.name, deed=sentence(DEEDS[role]))


def _refuse_foreign(request: web.Request, principal: Principal) -> None:
    site = request.headers.get("Sec-Fetch-Site", "none")
    if principal.ambient and site not in SAME_SITE:
        raise refusal(web.HTTPForbidden, "another site's page sent this")
    is_routed = request.match_info.http_exception is None  # else it is 404 or 405, whatever the body is
    if is_routed and request.content_type != "application/json":
        raise refusal(web.HTTPUnsupportedMediaType, "send JSON (Content-Type: application/json)")
