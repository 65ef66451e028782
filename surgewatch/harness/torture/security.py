"""How the workers of a site reach its broker (which has the listeners `more` besides), and who they are."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from surgewatch.harness.apache_kafka import ApacheKafka, Listeners
from surgewatch.harness.identity_provider import IdentityProvider
from surgewatch.harness.secured_kafka import secured_kafka

TOKEN_SECONDS: Final = 60.0


class Access(NamedTuple):
    """A broker that is not started yet, and the settings of workers that reach it in another way."""

    broker: ApacheKafka
    environment: Mapping[str, str]


@contextmanager
def plain(folder: Path, more: Listeners) -> Iterator[Access]:
    """In plain text."""
    yield Access(ApacheKafka(folder / "kafka", more), {})


@contextmanager
def mtls(folder: Path, more: Listeners) -> Iterator[Access]:
    """By a client certificate."""
    secured = secured_kafka(folder, more=more)
    yield Access(secured.broker, secured.mtls())


@contextmanager
def scram(folder: Path, more: Listeners) -> Iterator[Access]:
    """By SCRAM-SHA-512, over TLS."""
    secured = secured_kafka(folder, more=more)
    yield Access(secured.broker, secured.password("SCRAM-SHA-512"))


@contextmanager
def oauth(folder: Path, more: Listeners) -> Iterator[Access]:
    """By tokens of a minute, over TLS. The broker ends connections whose token has expired."""
    secured = secured_kafka(folder, more=more, reauth_ms=int(TOKEN_SECONDS * 1000))
    with IdentityProvider(life=TOKEN_SECONDS).serving() as provider:
        yield Access(secured.broker, secured.oauth(provider))


SECURITY: Final[Mapping[str, Callable[[Path, Listeners], AbstractContextManager[Access]]]] = {
    "plain": plain,
    "mtls": mtls,
    "scram": scram,
    "oauth": oauth,
}
