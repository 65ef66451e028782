"""Sign people in by OpenID Connect: authorization code flow with PKCE (RFC 7636), state and nonce.

/auth/login ─▶ the provider ─▶ /auth/callback: code ─▶ token ─▶ signature, issuer, audience, nonce ─▶ session
"""

import hmac
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import structlog
from aiohttp import web
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from yarl import URL

from alerts.console.access import HEADERS, refusal, refused
from alerts.console.access_document import Access, Oidc
from alerts.console.id_tokens import (
    Json,
    SignInError,
    check_claims,
    lacks,
    person,
    signed_claims,
    signing_keys,
)
from alerts.console.sessions import LOGIN, SESSION, Sessions
from streams.runtime.http_errors import without_secrets
from streams.runtime.kafka_tls import ReloadingContext

log = structlog.get_logger()

LOGIN_SECONDS: Final = 600.0  # from leaving for the provider to coming back
TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"


class SignIn:
    """Signs people in. `access` gives the document as it is now; `url` is the console as people reach it."""

    def __init__(
        self,
        access: Callable[[], Access],
        sessions: Sessions,
        url: str,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._access, self._sessions = access, sessions
        self._callback = f"{url.rstrip('/')}/auth/callback"
        self._environment = environment
        self._keys: dict[str, KeySet] = {}  # by issuer

    def routes(self) -> Iterator[web.RouteDef]:
        """Yield the routes of signing in and out."""
        yield web.get("/auth/login", self._login, allow_head=False)
        yield web.get("/auth/callback", self._return, allow_head=False)
        yield web.post("/auth/logout", self._logout)

    def is_offered(self) -> bool:
        """Return whether there is a provider."""
        return self._access().oidc is not None

    async def _login(self, request: web.Request) -> web.StreamResponse:
        """Lead to the provider; with `prompt=login` it asks again who it is, also somebody it knows."""
        oidc = self._provider()
        with _as_answer():
            async with self._http(oidc) as http:
                endpoints = await _discover(http, oidc)
        memory = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        where = URL(endpoints["authorization_endpoint"]).update_query(
            response_type="code",
            client_id=oidc.client_id,
            redirect_uri=self._callback,
            scope=" ".join(oidc.scopes),
            state=memory["state"],
            nonce=memory["nonce"],
            code_challenge=create_s256_code_challenge(memory["verifier"]),
            code_challenge_method="S256",
            **({"prompt": "login"} if request.query.get("prompt") == "login" else {}),
        )
        response = _redirect(str(where))
        self._sessions.write(response, LOGIN, memory, LOGIN_SECONDS)
        return response

    async def _return(self, request: web.Request) -> web.StreamResponse:
        """Take back from the provider who it is."""
        oidc = self._provider()
        memory = self._sessions.read(request, LOGIN)
        state = request.query.get("state", "").encode(errors="surrogateescape")
        if memory is None or not hmac.compare_digest(state, memory["state"].encode()):
            raise refusal(web.HTTPUnauthorized, "this sign-in was not begun here, or took too long")
        if "code" not in request.query:
            raise refusal(web.HTTPUnauthorized, "the provider did not sign you in")
        with _as_answer():
            claims = await self._claims(oidc, request.query["code"], memory)
            found = person(oidc, claims, self._access().groups)
        log.info("signed in", name=found["name"])
        response = _redirect("/")
        self._sessions.end(response, LOGIN)
        self._sessions.write(response, SESSION, found, oidc.session_hours * 3600)
        return response

    async def _logout(self, _: web.Request) -> web.StreamResponse:
        response = web.Response(status=204, headers=HEADERS)
        self._sessions.end(response, SESSION)
        return response

    def _provider(self) -> Oidc:
        oidc = self._access().oidc
        if oidc is None:
            raise refusal(web.HTTPNotFound, "no OpenID Connect provider is set up")
        return oidc

    def _http(self, oidc: Oidc) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=TIMEOUT,
            connector=aiohttp.TCPConnector(ssl=ReloadingContext.of(oidc.ca_file, None, None, None)),
            trust_env=True,  # HTTPS_PROXY and NO_PROXY
        )

    async def _claims(self, oidc: Oidc, code: str, memory: Json) -> Json:
        """Exchange the code for a token; return the claims of it, verified."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "client_id": oidc.client_id,
            "code_verifier": memory["verifier"],
        }
        async with self._http(oidc) as http:
            endpoints = await _discover(http, oidc)
            more, headers = _authentication(oidc, oidc.secret(self._environment), endpoints)
            answer = await _json(http.post(endpoints["token_endpoint"], data=form | more, headers=headers))
            token = str(answer.get("id_token", ""))
            try:
                verified = await self._verify(http, token, oidc, endpoints["jwks_uri"])
                check_claims(verified, oidc, memory["nonce"])
            except SignInError:
                raise
            except (JoseError, ValueError) as error:
                raise SignInError("the provider's token is refused: {reason}", reason=str(error)) from error
            if lacks(verified, oidc, self._access().groups):
                return await _user_info(http, endpoints, answer, verified) | verified
        return verified

    async def _verify(self, http: aiohttp.ClientSession, token: str, oidc: Oidc, keys: str) -> Json:
        """Check the signature. Where the keys that are known do not fit, they are fetched again once."""
        if oidc.issuer in self._keys:
            try:
                return signed_claims(token, self._keys[oidc.issuer])
            except (JoseError, ValueError):
                log.info("fetching the provider's keys again", issuer=oidc.issuer)
        self._keys[oidc.issuer] = signing_keys(await _json(http.get(keys)))
        return signed_claims(token, self._keys[oidc.issuer])


def _authentication(oidc: Oidc, secret: str, endpoints: Json) -> tuple[Json, dict[str, str]]:
    """Return the fields and headers by which the console proves to be the client (RFC 6749, 2.3.1)."""
    if not secret:
        return {}, {}
    if POST in (ways := endpoints.get("token_endpoint_auth_methods_supported") or ()) and BASIC not in ways:
        return {"client_secret": secret}, {}
    login = aiohttp.encode_basic_auth(quote_plus(oidc.client_id), quote_plus(secret))
    return {}, {"Authorization": login}


async def _user_info(http: aiohttp.ClientSession, endpoints: Json, answer: Json, claims: Json) -> Json:
    """Return what the provider knows of the person where it puts that into no ID token (Core 5.3, 5.4)."""
    where, access = str(endpoints.get("userinfo_endpoint", "")), answer.get("access_token")
    if not access or URL(where).scheme != URL(endpoints["token_endpoint"]).scheme:
        return {}
    try:
        found = await _json(http.get(where, headers={"Authorization": f"Bearer {access}"}))
    except (SignInError, aiohttp.ClientError, TimeoutError, ValueError) as error:
        reason = str(error) if isinstance(error, SignInError) else without_secrets(error)
        log.warning("user info of the identity provider cannot be used", error=reason)
        return {}
    return found if found.get("sub") == claims["sub"] else {}  # of somebody else: Core 5.3.2


async def _discover(http: aiohttp.ClientSession, oidc: Oidc) -> Json:
    found = await _json(http.get(f"{oidc.issuer.rstrip('/')}/.well-known/openid-configuration"))
    if found.get("issuer") != oidc.issuer:
        raise SignInError("the provider names another issuer than the access document")
    scheme = URL(oidc.issuer).scheme
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if URL(str(found.get(name, ""))).scheme != scheme:
            raise SignInError("the provider has no {name} by {scheme}", name=name, scheme=scheme)
    return found


async def _json(request: Any) -> Json:
    async with request as answer:
        if answer.status != 200:
            raise SignInError("the provider answered {status}", status=answer.status)
        found = await answer.json(content_type=None)
    if not isinstance(found, dict):
        raise SignInError("the provider's answer is no JSON object")
    return found


@contextmanager
def _as_answer() -> Iterator[None]:
    """Answer 401 where nobody is signed in, 502 where the provider cannot be reached."""
    try:
        yield
    except SignInError as error:
        log.warning("sign-in failed", reason=str(error))
        raise refused(web.HTTPUnauthorized, error.sentence) from error
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        log.warning("identity provider cannot be used", error=without_secrets(error))
        raise refusal(web.HTTPBadGateway, "the identity provider does not answer: try again") from error


def _redirect(where: str) -> web.Response:
    return web.Response(status=302, headers={**HEADERS, "Location": where})
