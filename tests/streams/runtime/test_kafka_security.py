"""Security settings are checked at once, secrets stay out of sight, certificates and tokens rotate."""

import os
import ssl
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.kafka_tls import ReloadingContext
from streams.runtime.kafka_tokens import Token, Tokens


def write(folder: Path, ca: trustme.CA) -> tuple[Path, Path]:
    """A certificate of that CA and its key, as files."""
    issued = ca.issue_cert("client.example")
    certificate, key = folder / "client.crt", folder / "client.key"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"security_protocol": "SASL_SSL"}, "SASL_SSL needs sasl_mechanism"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN"}, "PLAIN needs sasl_username"),
        (
            {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"},
            "OAUTHBEARER needs oauth_token_url",
        ),
        ({"sasl_mechanism": "PLAIN"}, "sasl_mechanism needs security_protocol"),
        ({"security_protocol": "SSL", "ca_file": "/nowhere/ca.pem"}, "ca_file: no file /nowhere/ca.pem"),
        ({"security_protocol": "SSL", "key_file": __file__}, "certificate_file is not"),
        ({"ca_file": __file__}, "ca_file needs security_protocol"),
        ({"security_protocol": "TLS"}, "security_protocol"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_what_is_missing(
    settings: dict[str, str], fault: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity(**settings)  # type: ignore[arg-type]
    assert fault in str(refused.value)


def test_a_file_sets_what_the_environment_leaves_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kafka.toml"
    path.write_text(
        'security_protocol = "SASL_PLAINTEXT"\nsasl_mechanism = "PLAIN"\n'
        'sasl_username = "filed"\nsasl_password = "secret"\n'
    )
    monkeypatch.setenv("SURGEWATCH_KAFKA_FILE", str(path))
    monkeypatch.setenv("SURGEWATCH_KAFKA_SASL_USERNAME", "given")
    found = KafkaSettings("a:1", KafkaSecurity())
    assert found.aiokafka["sasl_plain_username"] == found.librdkafka["sasl.username"] == "given"
    assert found.kafka_python["sasl_plain_password"] == "secret"


def test_secrets_are_in_no_repr_and_no_error() -> None:
    good = KafkaSecurity(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username="u", sasl_password="hunter2"
    )
    assert "hunter2" not in repr(good) + repr(KafkaSettings("a:1", good))
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity(security_protocol="SASL_SSL", sasl_mechanism="PLAIN", sasl_password="hunter2")
    assert "hunter2" not in str(refused.value)


def test_every_client_is_given_the_same_credentials() -> None:
    security = KafkaSecurity(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="u", sasl_password="p"
    )
    found = KafkaSettings("a:1,b:2", security)
    assert found.aiokafka["sasl_mechanism"] == found.librdkafka["sasl.mechanism"] == "SCRAM-SHA-512"
    assert found.aiokafka["ssl_context"] is found.kafka_python["ssl_context"]
    assert found.librdkafka["security.protocol"] == "sasl_ssl"


def test_a_certificate_that_was_replaced_is_used_by_the_next_connection(tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    ca = tmp_path / "ca.pem"
    first.cert_pem.write_to_path(ca)
    certificate, key = write(tmp_path, first)
    context = ReloadingContext.of(ca, certificate, key, None)
    assert context.cert_store_stats()["x509"] == 1
    second.cert_pem.write_to_path(ca, append=True)
    write(tmp_path, second)
    os.utime(ca, ns=(1, 1))
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="broker")
    assert context.cert_store_stats()["x509"] == 2


def test_a_certificate_that_is_half_written_leaves_the_one_before(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    certificate, key = write(tmp_path, authority)
    context = ReloadingContext.of(ca, certificate, key, None)
    certificate.write_text("-----BEGIN CERT")
    os.utime(certificate, ns=(1, 1))
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="broker")
    assert context.cert_store_stats()["x509"] == 1


class Provider:
    """An identity provider on a clock of its own; `down` makes it fail."""

    def __init__(self) -> None:
        self.now, self.issued, self.down = 1000.0, 0, False

    def fetch(self) -> Token:
        if self.down:
            raise ConnectionError("the provider is away")
        self.issued += 1
        return Token(f"token-{self.issued}", self.now + 60)


def test_a_token_is_kept_and_renewed_before_it_expires() -> None:
    provider = Provider()
    tokens = Tokens(provider.fetch, lambda: provider.now)
    seen = []
    for provider.now in (1000.0, 1040.0, 1046.0, 1050.0):
        seen.append(tokens.current().value)
    assert seen == ["token-1", "token-1", "token-2", "token-2"]


def test_a_provider_that_is_away_is_waited_for_while_the_token_lives() -> None:
    provider = Provider()
    tokens = Tokens(provider.fetch, lambda: provider.now)
    tokens.current()
    provider.down, provider.now = True, 1050.0
    assert tokens.current().value == "token-1"
    provider.now = 1060.0
    with pytest.raises(ConnectionError):
        tokens.current()
