"""What holds for every request: the Host rule, the shape of faults, and the headers of every answer."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.typedefs import Handler, Middleware

from alerts.console.faults import translated
from alerts.languages.language import Language, gettext_noop
from streams.contract.sentences import Sentence, sentence

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CONTINUE: Final = "100-continue"
VERSIONS: Final = (HttpVersion10, HttpVersion11)
AUTHORITY: Final = re.compile(r"(?P<name>[\w.-]+|\[[\da-f:.]+\])(:\d*)?", re.ASCII | re.IGNORECASE)
BY_AIOHTTP: Final = {
    404: gettext_noop("Not Found"),
    405: gettext_noop("Method Not Allowed"),
    413: gettext_noop("Request Entity Too Large"),
}
SENTENCES: Final = web.ResponseKey("sentences", tuple[Sentence, ...])
PLAIN: Final = "identity"
PROBES: Final = ("/healthz", "/readyz", "/readyz/worker")  # of orchestrators, which use any name


def faults_as_json(language: Language) -> Middleware:
    """Put faults into a language, and give those that aiohttp finds itself the shape and headers of ours."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPError as error:
            found = error.get(SENTENCES) or (sentence(BY_AIOHTTP.get(error.status, error.reason)),)
            error.text = _as_json(translated(one, language) for one in found)
            error.content_type = "application/json"
            error.headers.update(HEADERS)
            raise

    return answer


def known_protocol(handler: Handler) -> Handler:
    """Refuse versions other than 1.0 and 1.1 (400), and an `Expect` other than 100-continue (417).

    aiohttp answers the former as if it spoke them. Its own answer to the latter repeats what was expected,
    and is a 500 where that is no text.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.version not in VERSIONS:
            raise refusal(web.HTTPBadRequest, "send HTTP/1.1")
        if request.headers.get("Expect", CONTINUE).lower() != CONTINUE:
            raise refusal(web.HTTPExpectationFailed, "nothing but 100-continue can be expected")
        return await handler(request)

    return answer


@web.middleware
async def plain_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse compressed bodies (415): they may be small and become large, or be no such thing at all."""
    if request.headers.get("Content-Encoding", PLAIN).lower() != PLAIN:
        raise refusal(web.HTTPUnsupportedMediaType, "send the body as it is, without Content-Encoding")
    return await handler(request)


def known_hosts(names: Collection[str]) -> Middleware:
    """Refuse requests under a host name that is not ours (421), but for probes.

    A foreign page whose name is made to resolve to this machine could read everything (DNS rebinding). An
    address in place of a name cannot be rebound, so addresses are ours.
    """
    known = {"localhost", *(name.lower() for name in names)}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in PROBES and not all(_is_ours(host, known) for host in _hosts(request)):
            raise refusal(web.HTTPMisdirectedRequest, "unknown host: set SURGEWATCH_CONSOLE_HOSTS")
        return await handler(request)

    return guard


def _hosts(request: web.Request) -> Iterator[str]:
    """Yield the hosts that a request names: in its header, and in its target where that is a whole URL."""
    yield request.headers.get("Host", "")
    if not request.raw_path.startswith("/"):
        _, is_whole, rest = request.raw_path.partition("://")
        if is_whole:
            yield re.split("[/?#]", rest)[0]


def _is_ours(host: str, known: Collection[str]) -> bool:
    """Return whether a host, with its port, is ours; one with anything else in it is not."""
    found = AUTHORITY.fullmatch(host)
    name = found["name"].lower() if found else ""
    return name in known or _is_address(name.strip("[]"))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def refusal(kind: type[web.HTTPError], message: str, /, **values: object) -> web.HTTPError:
    """Return the HTTP error to raise, with its reason."""
    return refused(kind, sentence(message, **values))


def refused(kind: type[web.HTTPError], *reasons: Sentence) -> web.HTTPError:
    """Return the HTTP error to raise, with several reasons. Where no language is known it is English."""
    error = kind(text=_as_json(map(str, reasons)), content_type="application/json", headers=HEADERS)
    error[SENTENCES] = reasons
    return error


def _as_json(reasons: Iterable[str]) -> str:
    return json.dumps({"error": "; ".join(reasons)})


def answer_json(value: object, status: int = 200) -> web.Response:
    """Return a value as the JSON body of an answer."""
    body = json.dumps(value).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=HEADERS)
