"""Who may read and write: the Host rule, the bearer token, and the headers of every answer."""

import hmac
import json
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PROBES: Final = ("/healthz", "/readyz")  # of orchestrators, which use any name
READING: Final = ("GET", "HEAD")


@web.middleware
async def faults_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the faults that aiohttp finds itself (404, 405, 413) the shape and the headers of ours."""
    try:
        return await handler(request)
    except web.HTTPError as error:
        if error.content_type != "application/json":
            error.text = json.dumps({"error": error.reason})
            error.content_type = "application/json"
            error.headers.update(HEADERS)
        raise


def known_hosts(names: Collection[str]) -> Middleware:
    """Refuse requests under a host name that is not ours (421), but for probes.

    A foreign page whose name is made to resolve to this machine could read everything (DNS rebinding). An
    address in place of a name cannot be rebound, so addresses are ours.
    """
    known = {"localhost", *(name.lower() for name in names)}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in PROBES and not _is_ours(request.headers.get("Host", ""), known):
            raise refusal(web.HTTPMisdirectedRequest, "unknown host: set SURGEWATCH_CONSOLE_HOSTS")
        return await handler(request)

    return guard


def _is_ours(host: str, known: Collection[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in known or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def writers(token: SecretStr | None, signed: Collection[str] = ()) -> Middleware:
    """Refuse whatever is more than reading without the token (401); always, where none is set (403).

    The token travels in a header that no foreign form can set, so there is nothing for CSRF to use. Requests
    to the `signed` paths carry a signature instead, which their handlers check.
    """
    expected = f"Bearer {token.get_secret_value()}".encode() if token else None

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in READING or request.path in signed:
            return await handler(request)
        if expected is None:
            raise refusal(web.HTTPForbidden, "writing is off: SURGEWATCH_CONSOLE_TOKEN is not set")
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, expected):
            raise refusal(web.HTTPUnauthorized, "wrong token")
        is_routed = request.match_info.http_exception is None  # else it is 404 or 405, whatever the body is
        if is_routed and request.content_type != "application/json":
            raise refusal(web.HTTPUnsupportedMediaType, "send JSON (Content-Type: application/json)")
        return await handler(request)

    return guard


def refusal(kind: type[web.HTTPError], text: str) -> web.HTTPError:
    """Return the HTTP error to raise, with its reason as JSON."""
    return kind(text=json.dumps({"error": text}), content_type="application/json", headers=HEADERS)
