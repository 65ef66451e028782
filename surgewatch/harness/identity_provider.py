"""An identity provider on the loopback: OAuth 2.0 client credentials for Kafka, signed tokens (RFC 9068).

Kafka verifies them by the public keys, as it does those of a real provider: signature, audience, expiry.
For tests, torture and benchmarks.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

SUBJECT = "surgewatch"  # the principal of every token


@cache
def _key() -> RSAKey:
    """The key of all providers of this process, so that a broker knows it before there is a provider."""
    return RSAKey.generate_key(2048, {"kid": "of-this-process", "alg": "RS256", "use": "sig"})


def public_keys() -> str:
    """Return the keys by which tokens are verified (RFC 7517)."""
    return json.dumps(KeySet([_key()]).as_dict(private=False))


@dataclass
class IdentityProvider:
    """Issues tokens to one client, for the audience that it asks for (as Auth0 does)."""

    client: str = "surgewatch"
    secret: str = "correct-battery"  # noqa: S105 - of nobody
    life: float = 60.0  # seconds
    issued: int = 0
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator["IdentityProvider"]:
        """Listen on a free port of the loopback."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, body = provider.answer(self.headers.get("Authorization", ""), form)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                """Requests are counted, not printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/token"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, authorization: str, form: Mapping[str, list[str]]) -> tuple[int, dict[str, object]]:
        """Return the status and body for a request (RFC 6749, sections 4.4 and 5)."""
        expected = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        self.issued += 1
        now = time.time()
        claims = {
            "iss": self.url,
            "sub": SUBJECT,
            "aud": form.get("audience", ["account"]),
            "iat": int(now),
            "exp": now + self.life,
            "scope": "kafka",
        }
        token = jwt.encode({"alg": "RS256", "kid": _key().kid}, claims, _key())
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
