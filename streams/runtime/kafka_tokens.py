"""Tokens for SASL OAUTHBEARER: fetched when first needed, kept, and fetched anew before they expire."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import requests
from aiokafka.abc import AbstractTokenProvider
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from kafka.net.sasl.oauth import AbstractTokenProvider as BlockingTokenProvider
from requests.adapters import HTTPAdapter

from streams.runtime.kafka_tls import client_context

RENEW_AT = 0.75  # of a token's life; the rest is for an identity provider that is away for a moment
TIMEOUT = 10.0  # seconds to wait for the identity provider


class Token(NamedTuple):
    """A bearer token and when it expires (epoch seconds)."""

    value: str
    expires: float


class TokenError(ConnectionError):
    """No token can be had. Clients take it for a lost connection, and try again."""


class Tokens:
    """One source of tokens for every client of a process; safe to ask from several threads.

    `provider` is how an error names where tokens come from. The age of a token is the greater one of what the
    clock on the wall and the steady one show: the first may be put back, the second stops while a machine
    sleeps.
    """

    def __init__(
        self,
        fetch: Callable[[], Token],
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        *,
        provider: str = "the identity provider",
    ) -> None:
        self._fetch, self._provider = fetch, provider
        self._clock, self._steady = clock, steady
        self._lock = threading.Lock()
        self._held: Token | None = None
        self._fetched = 0.0, 0.0  # when, by both clocks

    def current(self) -> Token:
        """Return a token that is valid now; raises TokenError where none can be had."""
        with self._lock:
            if self._held is None or self._age() >= RENEW_AT:
                now = self._clock(), self._steady()
                try:
                    self._held, self._fetched = self._fetch(), now
                except Exception as error:  # whatever the libraries on the way to it come up with
                    if self._held is None or self._age() >= 1:
                        raise TokenError(f"no token from {self._provider}: {_reason(error)}") from error
            return self._held

    def _age(self) -> float:
        """Return which part of its life the token has had; it is over at 1."""
        wall, steady = self._fetched
        life = self._held.expires - wall if self._held else 0.0
        return max(self._clock() - wall, self._steady() - steady) / life if life > 0 else 1.0

    @property
    def for_aiokafka(self) -> AbstractTokenProvider:
        """As aiokafka takes it."""
        return _Asynchronous(self)

    @property
    def for_kafka_python(self) -> BlockingTokenProvider:
        """As kafka-python takes it."""
        return _Blocking(self)

    def for_librdkafka(self, _: str) -> tuple[str, float]:
        """As librdkafka takes it (`oauth_cb`)."""
        return self.current()


def _reason(error: Exception) -> str:
    match error:
        case OAuthError():
            return f"it refuses the client ({error.error})"
        case requests.HTTPError() if error.response is not None:
            return f"it answers with status {error.response.status_code}"
        case requests.exceptions.SSLError():
            return "its certificate is not trusted: name its CA in REQUESTS_CA_BUNDLE"
        case requests.exceptions.ProxyError():
            return "the proxy does not let us through: check HTTPS_PROXY"
        case requests.Timeout():
            return "it does not answer in time"
        case requests.ConnectionError():
            return "nothing answers there: check host, port and firewall"
    return str(error).partition("\n")[0][:200] or type(error).__name__


class _Asynchronous(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is not typed
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return (await asyncio.to_thread(self._tokens.current)).value


class _Blocking(BlockingTokenProvider):  # type: ignore[misc]  # kafka-python is not typed
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def token(self) -> str:
        return self._tokens.current().value


class _Trusting(HTTPAdapter):
    """Trusts what requests trusts, and checks it no more strictly than Kafka clients do: see `kafka_tls`."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=client_context())

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        return super().proxy_manager_for(*arguments, **options, ssl_context=client_context())


def client_credentials(
    *, url: str, client_id: str, secret: str, scope: str = "", audience: str = ""
) -> Callable[[], Token]:
    """Return a fetch by OAuth 2.0 client credentials (RFC 6749, section 4.4).

    `audience` is asked for where the provider wants that, as Auth0 does.
    """
    wanted = {"audience": audience} if audience else {}

    def fetch() -> Token:
        with OAuth2Session(client_id, secret, scope=scope or None) as session:
            session.mount("https://", _Trusting())
            found = session.fetch_token(url, grant_type="client_credentials", timeout=TIMEOUT, **wanted)
        expires = found.get("expires_at") or time.time() + float(found.get("expires_in", 300))
        return Token(str(found["access_token"]), float(expires))

    return fetch


def msk_iam(region: str) -> Callable[[], Token]:
    """Return a fetch of tokens signed for Amazon MSK, by the credentials that the AWS SDK finds.

    Needs the extra `msk`; raises ImportError, saying so, where it is not installed.
    """
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    except ImportError as error:
        raise ImportError("AWS_MSK_IAM needs the extra: install surgewatch with [msk]") from error

    def fetch() -> Token:
        try:
            value, expires_ms = MSKAuthTokenProvider.generate_auth_token(region)
        except AttributeError as error:  # what comes of the signer where there is nothing to sign with
            raise LookupError("the AWS SDK finds no credentials") from error
        return Token(value, expires_ms / 1000)

    return fetch
