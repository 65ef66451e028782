"""How the workers of a site reach its broker, and prove who they are."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from surgewatch.harness.apache_kafka import ApacheKafka
from surgewatch.harness.secured_kafka import IdentityProvider, SecuredKafka, secured_kafka

TOKEN_SECONDS: Final = 60.0


class Access(NamedTuple):
    """A broker that is not started yet, and the settings of its clients."""

    broker: ApacheKafka
    environment: Mapping[str, str]


@contextmanager
def plain(folder: Path) -> Iterator[Access]:
    """In plain text."""
    broker = ApacheKafka(folder / "kafka")
    yield Access(broker, {"SURGEWATCH_BROKERS": broker.servers})


@contextmanager
def mtls(folder: Path) -> Iterator[Access]:
    """By a client certificate."""
    secured = secured_kafka(folder)
    yield Access(secured.broker, secured.mtls())


@contextmanager
def scram(folder: Path) -> Iterator[Access]:
    """By SCRAM-SHA-512, over TLS."""
    secured = secured_kafka(folder)
    yield Access(secured.broker, secured.password("SCRAM-SHA-512"))


@contextmanager
def oauth(folder: Path) -> Iterator[Access]:
    """By tokens of a minute, over TLS. The broker ends connections whose token has expired."""
    secured: SecuredKafka = secured_kafka(folder, reauth_ms=int(TOKEN_SECONDS * 1000))
    with IdentityProvider(life=TOKEN_SECONDS).serving() as provider:
        yield Access(secured.broker, secured.oauth(provider))


SECURITY: Final[Mapping[str, Callable[[Path], AbstractContextManager[Access]]]] = {
    "plain": plain,
    "mtls": mtls,
    "scram": scram,
    "oauth": oauth,
}
