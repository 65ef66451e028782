"""Sessions of people who signed in: signed cookies that hold who they are and until when, and nothing else.

Nothing is kept on the server. With one key for all workers, a session holds on each of them.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

ALGORITHM: Final = "HS256"
LOGIN, SESSION = "login", "session"  # purposes: on the way to the provider and back; signed in


class Sessions:
    """Writes and reads the cookies.

    `key` None: a key of this process, whose sessions end with it. `secure`: the console is reached by https.
    """

    def __init__(
        self, key: SecretStr | None = None, *, secure: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        secret = key.get_secret_value().encode() if key else secrets.token_bytes(32)
        self._key = OctKey.import_key(hashlib.sha256(secret).digest())
        self._secure, self._clock = secure, clock

    def write(
        self, response: web.StreamResponse, purpose: str, content: dict[str, Any], seconds: float
    ) -> None:
        """Set a cookie that holds for some seconds."""
        claims = {**content, "aud": purpose, "exp": int(self._clock() + seconds)}
        response.set_cookie(
            self._name(purpose),
            jwt.encode({"alg": ALGORITHM}, claims, self._key),
            max_age=int(seconds),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",  # the provider leads back from its own site
        )

    def read(self, request: web.Request, purpose: str) -> dict[str, Any] | None:
        """Return what the cookie holds; None where there is none, or it is not ours, or over."""
        text = request.cookies.get(self._name(purpose), "")
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            aud={"essential": True, "value": purpose},
            exp={"essential": True},
        )
        try:
            claims = jwt.decode(text, self._key, algorithms=[ALGORITHM]).claims
            registry.validate(claims)
        except (JoseError, ValueError):
            return None
        return dict(claims)

    def end(self, response: web.StreamResponse, purpose: str) -> None:
        """Remove the cookie."""
        response.del_cookie(self._name(purpose), path="/", secure=self._secure, httponly=True, samesite="Lax")

    def _name(self, purpose: str) -> str:
        """Return the cookie's name. No other host can set one with the prefix `__Host-`."""
        return f"__Host-surgewatch-{purpose}" if self._secure else f"surgewatch-{purpose}"
