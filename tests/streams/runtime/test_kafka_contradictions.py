"""A setting of a secured Kafka that nobody would heed is refused: it must not pass for security."""

import datetime as dt
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.refusals import SetupError, faults

PLAIN = {"sasl_mechanism": "PLAIN", "sasl_username": "u", "sasl_password": "p"}
OAUTH = {
    "sasl_mechanism": "OAUTHBEARER",
    "oauth_token_url": "https://id.example/token",
    "oauth_client_id": "c",
    "oauth_client_secret": "s",
}


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"sasl_username": "u"}, "sasl_username needs security_protocol SASL_PLAINTEXT or SASL_SSL"),
        ({"security_protocol": "SSL", "sasl_password": "p"}, "sasl_password needs security_protocol SASL"),
        ({"security_protocol": "SSL", "aws_region": "eu-west-1"}, "aws_region needs security_protocol SASL"),
        (PLAIN | {"security_protocol": "SASL_SSL", "oauth_scope": "k"}, "oauth_scope is not for PLAIN"),
        (OAUTH | {"security_protocol": "SASL_SSL", "sasl_username": "u"}, "sasl_username is not for OAUTHB"),
        (
            OAUTH | {"security_protocol": "SASL_SSL", "oauth_token_url": "id.example/token"},
            "oauth_token_url is no http(s) address",
        ),
        ({"security_protocol": "SSL", "key_password": "p"}, "key_password is given, but certificate_file is"),
        (
            PLAIN | {"security_protocol": "SASL_SSL", "sasl_password": "\ufeffp"},
            "sasl_password begins with a byte order mark",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, str], fault: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity.model_validate(settings)
    assert fault in faults(refused.value)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('sasl_pasword = "hunter2"', "sasl_pasword (did you mean sasl_password?)"),
        ('SECURITY_PROTOCOL = "SASL_SSL"', "SECURITY_PROTOCOL"),
        ('security.protocol = "SASL_SSL"', "security (did you mean security_protocol?)"),
        ('[kafka]\nsecurity_protocol = "SASL_SSL"', "kafka"),
    ],
)
def test_a_name_in_the_file_that_nobody_reads_is_refused(
    line: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kafka.toml"
    path.write_text(line)
    monkeypatch.setenv("SURGEWATCH_KAFKA_FILE", str(path))
    with pytest.raises(SetupError) as refused:
        KafkaSecurity()
    assert str(refused.value).endswith(f"unknown settings: {named}")


def test_a_variable_that_nobody_reads_is_refused_whoever_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command would else connect without the TLS that was meant."""
    monkeypatch.setenv("SURGEWATCH_KAFKA_SECURITY_PROTOCL", "SSL")
    with pytest.raises(SetupError, match="did you mean SURGEWATCH_KAFKA_SECURITY_PROTOCOL"):
        KafkaSecurity()


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As editors on Windows write it."""
    path = tmp_path / "kafka.toml"
    path.write_text('security_protocol = "SSL"\r\n', encoding="utf-8-sig")
    monkeypatch.setenv("SURGEWATCH_KAFKA_FILE", str(path))
    assert KafkaSecurity().uses_tls


def test_a_variable_that_is_empty_is_none_and_leaves_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose and charts pass what is not set as an empty text."""
    for name in KafkaSecurity.model_fields:
        monkeypatch.setenv(f"SURGEWATCH_KAFKA_{name.upper()}", "")
    assert KafkaSecurity() == KafkaSecurity.model_construct()
    path = tmp_path / "kafka.toml"
    path.write_text('security_protocol = "SSL"\n')
    monkeypatch.setenv("SURGEWATCH_KAFKA_FILE", str(path))
    assert KafkaSecurity().uses_tls


def test_a_file_in_a_folder_that_is_closed_to_the_user_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may look everywhere, so the folder's refusal is given here."""
    closed = tmp_path / "closed" / "ca.pem"
    stat = Path.stat

    def refuse(path: Path, **options: bool) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity(security_protocol="SSL", ca_file=closed)
    assert faults(refused.value) == f"ca_file: Permission denied: {closed}"


def test_a_damaged_certificate_among_good_ones_is_not_said_to_be_none(tmp_path: Path) -> None:
    """Two files that were put together without a line break between them."""
    bundle, good = tmp_path / "bundle.pem", trustme.CA().cert_pem.bytes()
    bundle.write_bytes(b"# the first\r\n" + good + b"# the second\n" + good)
    assert KafkaSecurity(security_protocol="SSL", ca_file=bundle).uses_tls
    bundle.write_bytes(good.rstrip() + good)
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity(security_protocol="SSL", ca_file=bundle)
    assert faults(refused.value) == f"ca_file: a certificate is damaged: {bundle}"


def test_a_chain_that_does_not_begin_with_the_clients_certificate_is_named(tmp_path: Path) -> None:
    ca = trustme.CA()
    client = ca.issue_cert("client.example")
    chain, key = tmp_path / "chain.pem", tmp_path / "client.key"
    chain.write_bytes(ca.cert_pem.bytes() + client.cert_chain_pems[0].bytes())
    client.private_key_pem.write_to_path(key)
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity(security_protocol="SSL", certificate_file=chain, key_file=key)
    assert f"not the key of the first certificate in {chain}" in faults(refused.value)


def test_a_key_that_is_too_short_is_not_said_to_have_a_wrong_password(tmp_path: Path) -> None:
    key, path = rsa.generate_private_key(65_537, 1_024), tmp_path / "short.pem"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.example")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    path.write_bytes(made.sign(key, SHA256()).public_bytes(Encoding.PEM) + key.private_bytes(*form))
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity(security_protocol="SSL", certificate_file=path)
    assert faults(refused.value) == f"certificate_file: OpenSSL refuses {path} (ee key too small)"
