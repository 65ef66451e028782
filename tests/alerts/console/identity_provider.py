"""An OpenID Connect provider: discovery, keys, codes bound to PKCE, and ID tokens that are really signed."""

import base64
import hashlib
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from tests.http_site import http_site

CLIENT, SECRET = "https://watch.example", "50% of a+secret"


def fresh_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})


@dataclass
class IdentityProvider:
    """Signs in one person. `overrides` change the claims of the next tokens; `header` their header."""

    person: dict[str, Any]
    redirect_uri: str = ""
    key: RSAKey = field(default_factory=fresh_key)
    overrides: dict[str, Any] = field(default_factory=dict)
    signer: Any = None  # the key that signs, where it is not the published one
    header: dict[str, Any] = field(default_factory=dict)
    further_keys: list[dict[str, Any]] = field(default_factory=list)  # that it publishes
    user_info: dict[str, Any] = field(default_factory=dict)  # what it says of the person there alone
    takes: str = "client_secret_basic"
    url: str = ""
    key_requests: int = 0
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    async def discovery(self, _: web.Request) -> web.Response:
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        if self.user_info:
            paths["userinfo_endpoint"] = "userinfo"
        found = {name: f"{self.url}/{path}" for name, path in paths.items()}
        ways = {"token_endpoint_auth_methods_supported": [self.takes]}
        return web.json_response({"issuer": self.url, **found, **ways})

    async def keys(self, _: web.Request) -> web.Response:
        self.key_requests += 1
        own = KeySet([self.key]).as_dict(private=False)["keys"]
        return web.json_response({"keys": [*self.further_keys, *own]})

    async def userinfo(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer for-user-info":
            return web.Response(status=401)
        return web.json_response({"sub": "1", **self.user_info})

    async def authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        is_good = asked["client_id"] == CLIENT and asked["redirect_uri"] == self.redirect_uri
        is_good &= asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        if not (is_good and "openid" in asked["scope"].split()):
            return web.Response(status=400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        raise web.HTTPFound(f"{self.redirect_uri}?code={code}&state={asked['state']}")

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self._codes.pop(str(form.get("code")), None)  # a code is good once
        given = form.get("client_secret")
        if self.takes == "client_secret_basic":  # each part is encoded as in a form: RFC 6749, 2.3.1
            login = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic "))
            given = unquote_plus(login.decode().removeprefix(f"{quote_plus(CLIENT)}:"))
        digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or given != SECRET:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if asked["code_challenge"] != challenge or form.get("redirect_uri") != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self._token(asked["nonce"])
        return web.json_response({"token_type": "Bearer", "id_token": token, "access_token": "for-user-info"})

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        claims |= self.person | self.overrides
        named = {"kid": self.key.kid} if self.key.kid else {}
        header = {"alg": "RS256", **named, **self.header}
        own = {name: HeaderParameter("the provider's own", "str") for name in self.header if "." in name}
        registry = JWSRegistry(own, ["RS256", "HS256", "none"])
        return jwt.encode(header, claims, self.signer or self.key, registry=registry)


@asynccontextmanager
async def providing(
    provider: IdentityProvider, tls: ssl.SSLContext | None = None
) -> AsyncIterator[IdentityProvider]:
    """Run a provider for as long as the block runs, with TLS at localhost."""
    routes = [
        web.get("/.well-known/openid-configuration", provider.discovery),
        web.get("/keys", provider.keys),
        web.get("/authorize", provider.authorize),
        web.post("/token", provider.token),
        web.get("/userinfo", provider.userinfo),
    ]
    async with http_site(routes, tls=tls) as port:
        provider.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        yield provider
