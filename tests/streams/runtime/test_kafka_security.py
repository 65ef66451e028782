"""Security settings are checked at once, secrets stay out of sight, and tokens rotate."""

import base64
import os
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import trustme
from authlib.integrations.base_client.errors import OAuthError
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.kafka_tokens import Token, TokenError, Tokens, msk_iam
from streams.runtime.refusals import SetupError, faults


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
        (
            {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "PLAIN",
                "sasl_username": "u",
                "sasl_password": "p\n",
            },
            "sasl_password ends with a line break",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_with_what_is_missing(
    settings: dict[str, str], fault: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity.model_validate(settings)
    assert fault in str(refused.value)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good certificate, keys that do not fit it, and a file that is none of these."""
    folder = tmp_path_factory.mktemp("files")
    trustme.CA().issue_cert("other.example").private_key_pem.write_to_path(folder / "other.key")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    rsa = ca.issue_cert("rsa.example", key_type=trustme.KeyType.RSA)
    rsa.private_key_pem.write_to_path(folder / "rsa.key")
    _, key = write(folder, ca)
    locked = load_pem_private_key(key.read_bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2")
    )
    (folder / "locked.key").write_bytes(locked)
    (folder / "notes.txt").write_text("no certificate")
    return folder


@pytest.mark.parametrize(
    ("named", "fault"),
    [
        ({"ca": "notes.txt"}, "ca_file: no certificate in PEM: notes.txt"),
        (
            {"certificate": "notes.txt", "key": "client.key"},
            "certificate_file: no certificate in PEM: notes.txt",
        ),
        ({"certificate": "client.crt"}, "key_file is missing: there is no key in client.crt"),
        (
            {"certificate": "client.crt", "key": "other.key"},
            "key_file: other.key is not the key of client.crt",
        ),
        ({"certificate": "client.crt", "key": "rsa.key"}, "key_file: rsa.key is not the key of client.crt"),
        ({"certificate": "client.crt", "key": "notes.txt"}, "key_file: notes.txt is no key in PEM, or"),
        ({"certificate": "client.crt", "key": "locked.key"}, "key_password is missing or wrong"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_at_once(
    named: dict[str, str], fault: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity.model_validate(
            {"security_protocol": "SSL"} | {f"{name}_file": path for name, path in named.items()}
        )
    assert fault in faults(refused.value)
    assert "\n" not in faults(refused.value)


def test_a_key_with_its_password_is_taken(files: Path) -> None:
    certificate, key = files / "client.crt", files / "locked.key"
    found = KafkaSecurity(
        security_protocol="SSL", certificate_file=certificate, key_file=key, key_password="hunter2"
    )
    assert found.tls is not None


def test_certificate_and_key_may_be_in_one_file_for_every_library(files: Path) -> None:
    both = files / "both.pem"
    both.write_bytes((files / "client.crt").read_bytes() + (files / "client.key").read_bytes())
    found = KafkaSettings("a:1", KafkaSecurity(security_protocol="SSL", certificate_file=both))
    assert found.security.tls is not None
    assert found.librdkafka["ssl.key.location"] == str(both)


@pytest.mark.parametrize(
    ("mechanism", "more", "extra"),
    [("GSSAPI", {}, "kerberos"), ("AWS_MSK_IAM", {"aws_region": "eu-west-1"}, "msk")],
)
def test_a_mechanism_without_its_extra_is_refused(
    mechanism: str, more: dict[str, str], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.runtime.kafka_security.find_spec", lambda _: None)
    with pytest.raises(ValidationError) as refused:
        KafkaSecurity.model_validate({"security_protocol": "SASL_SSL", "sasl_mechanism": mechanism} | more)
    assert f"needs the extra {extra}" in faults(refused.value)


def test_a_client_that_cannot_sign_in_by_kerberos_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.runtime.kafka_security.find_spec", lambda _: object())
    settings = KafkaSettings("a:1", KafkaSecurity(security_protocol="SASL_SSL", sasl_mechanism="GSSAPI"))
    assert settings.aiokafka["sasl_mechanism"] == settings.kafka_python["sasl_mechanism"] == "GSSAPI"
    with pytest.raises(SetupError, match="librdkafka has no Kerberos"):
        _ = settings.librdkafka_producer


@pytest.mark.parametrize("text", [None, "security_protocol: SSL"])
def test_a_settings_file_that_cannot_be_read_is_named(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kafka.toml"
    if text:
        path.write_text(text)
    monkeypatch.setenv("SURGEWATCH_KAFKA_FILE", str(path))
    with pytest.raises(SetupError, match=rf"SURGEWATCH_KAFKA_FILE: .*{path.name}"):
        KafkaSecurity()


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


def test_a_user_name_for_scram_is_escaped_once_whatever_the_library() -> None:
    """kafka-python sends it as it is given; a comma would end it."""
    security = KafkaSecurity(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="SCRAM-SHA-512",
        sasl_username="a,b=c", sasl_password="p",
    )  # fmt: skip
    found = KafkaSettings("a:1 , b:2", security)
    assert found.kafka_python["sasl_plain_username"] == "a=2Cb=3Dc"
    assert found.aiokafka["sasl_plain_username"] == found.librdkafka["sasl.username"] == "a,b=c"
    assert found.librdkafka["bootstrap.servers"] == "a:1,b:2"


def test_every_client_is_given_the_same_credentials() -> None:
    security = KafkaSecurity(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="u", sasl_password="p"
    )
    found = KafkaSettings("a:1,b:2", security)
    assert found.aiokafka["sasl_mechanism"] == found.librdkafka["sasl.mechanism"] == "SCRAM-SHA-512"
    assert found.aiokafka["ssl_context"] is found.kafka_python["ssl_context"]
    assert found.librdkafka["security.protocol"] == "sasl_ssl"


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


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OAuthError("invalid_client"), "it refuses the client (invalid_client)"),
        (requests.exceptions.SSLError("verify failed"), "name its CA in REQUESTS_CA_BUNDLE"),
        (requests.ConnectTimeout("10 s"), "it does not answer in time"),
        (requests.ConnectionError("refused"), "nothing answers there"),
        (KeyError("access_token"), "access_token"),
    ],
)
def test_why_there_is_no_token_is_one_line_that_clients_take_for_a_lost_connection(
    error: Exception, reason: str
) -> None:
    def fetch() -> Token:
        raise error

    with pytest.raises(OSError, match=r"no token from https://id\.test: ") as refused:
        Tokens(fetch, provider="https://id.test").current()
    assert reason in str(refused.value)


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which the AWS SDK finds nothing."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.mark.usefixtures("no_aws")
def test_a_token_for_msk_is_signed_with_the_credentials_that_the_sdk_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    token = msk_iam("eu-west-1")()
    signed = urlsplit(base64.urlsafe_b64decode(token.value + "==").decode())
    query = parse_qs(signed.query)
    assert signed.netloc == "kafka.eu-west-1.amazonaws.com"
    assert query["Action"] == ["kafka-cluster:Connect"]
    assert query["X-Amz-Credential"][0].startswith("AKIDEXAMPLE/")
    assert 800 < token.expires - time.time() < 1000


@pytest.mark.usefixtures("no_aws")
def test_without_credentials_of_aws_the_error_says_so() -> None:
    tokens = Tokens(msk_iam("eu-west-1"), provider="AWS")
    with pytest.raises(TokenError, match="no token from AWS: the AWS SDK finds no credentials"):
        tokens.current()
