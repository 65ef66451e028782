"""Why no broker answers is one line: listeners on the loopback that are wrong in one way each."""

import datetime as dt
import importlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
)

from streams.runtime.kafka_diagnosis import diagnose, explained, unless_it_goes_away
from streams.runtime.kafka_security import KafkaSecurity
from streams.runtime.kafka_settings import KafkaSettings
from streams.runtime.refusals import SetupError, StateError, WorkerCrashedError
from streams.runtime.sasl_handshake import NO_SASL

TIMED_OUT = TimeoutError("no broker within 5 s")
YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@contextmanager
def listening(tls: ssl.SSLContext | None = None, answer: bytes = b"") -> Iterator[int]:
    """A listener that answers each connection's first bytes so, and closes it; yields its port."""

    def serve(connection: socket.socket) -> None:
        try:
            with connection if tls is None else tls.wrap_socket(connection, server_side=True) as one:
                if one.recv(200) and answer:
                    one.sendall(answer)
        except OSError:
            connection.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # closed
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = threading.Thread(target=accept, daemon=True)
        listener.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            listener.join(10)


def of_broker(issued: trustme.LeafCert, client_ca: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        client_ca.configure_trust(context)
    return context


def offer(error: int, *mechanisms: str) -> bytes:
    """Kafka's answer to SaslHandshake."""
    names = b"".join(struct.pack(">h", len(name)) + name.encode() for name in mechanisms)
    body = struct.pack(">ihi", 1, error, len(mechanisms)) + names
    return struct.pack(">i", len(body)) + body


def line(port: int, security: KafkaSecurity, host: str = "127.0.0.1") -> str:
    found = diagnose(KafkaSettings(f"{host}:{port}", security), TIMED_OUT)
    assert "\n" not in found
    return found


def test_a_certificate_that_has_expired_is_distinguished_from_one_of_another_authority(
    ca: trustme.CA, ca_file: Path
) -> None:
    security = KafkaSecurity(security_protocol="SSL", ca_file=ca_file)
    with listening(of_broker(ca.issue_cert("127.0.0.1", not_after=YESTERDAY))) as port:
        assert "certificate has expired): renew it" in line(port, security)
    with listening(of_broker(trustme.CA().issue_cert("127.0.0.1"))) as port:
        assert "is not trusted" in line(port, security)
    with listening(of_broker(ca.issue_cert("127.0.0.1"))) as port:
        assert "is not for localhost" in line(port, security, host="localhost")


def with_certificate(issued: trustme.LeafCert, ca_file: Path) -> KafkaSecurity:
    certificate, key = ca_file.with_name("client.crt"), ca_file.with_name("client.key")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return KafkaSecurity(security_protocol="SSL", ca_file=ca_file, certificate_file=certificate, key_file=key)


def test_a_broker_that_asks_for_a_certificate_is_distinguished_from_one_that_refuses_ours(
    ca: trustme.CA, ca_file: Path
) -> None:
    without = KafkaSecurity(security_protocol="SSL", ca_file=ca_file)
    others = trustme.CA(organization_name="Others")
    foreign = with_certificate(others.issue_cert("client.example"), ca_file)
    with listening(of_broker(ca.issue_cert("127.0.0.1"), client_ca=ca)) as port:
        assert "the broker asks for a certificate" in line(port, without)
        assert "the broker refuses our certificate (" in line(port, foreign)
        assert f"trusts the CA of {foreign.certificate_file}, " in line(port, foreign)
        assert "O=Others" in line(port, foreign)


def test_a_certificate_of_ours_that_has_expired_is_told_from_one_of_another_authority(
    ca: trustme.CA, ca_file: Path
) -> None:
    expired = with_certificate(ca.issue_cert("client.example", not_after=YESTERDAY), ca_file)
    with listening(of_broker(ca.issue_cert("127.0.0.1"), client_ca=ca)) as port:
        found = line(port, expired)
    assert "the broker refuses our certificate (" in found
    assert f"{expired.certificate_file} is valid from " in found
    assert f" to {YESTERDAY:%Y-%m-%d %H:%M} UTC" in found


def test_a_certificate_in_a_form_that_openssl_alone_reads_is_in_doubt(ca: trustme.CA, ca_file: Path) -> None:
    foreign = with_certificate(trustme.CA().issue_cert("client.example"), ca_file)
    assert foreign.certificate_file is not None
    plain = foreign.certificate_file.read_bytes()
    foreign.certificate_file.write_bytes(plain.replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"))
    with listening(of_broker(ca.issue_cert("127.0.0.1"), client_ca=ca)) as port:
        found = line(port, foreign)
    assert f"see whether {foreign.certificate_file} has expired" in found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            offer(33, "SCRAM-SHA-512", "OAUTHBEARER"),
            "this listener offers OAUTHBEARER, SCRAM-SHA-512, not PLAIN",
        ),
        (offer(NO_SASL), "this listener takes no SASL"),
        (offer(0, "PLAIN"), "PLAIN sign-in fails: the broker refuses user or password"),
        (b"", "no broker answers in SASL_PLAINTEXT"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "no broker answers in SASL_PLAINTEXT"),  # an alert of TLS
    ],
    ids=["another mechanism", "no SASL", "credentials", "closed", "TLS"],
)
def test_what_is_wrong_with_sasl_is_named(answer: bytes, expected: str) -> None:
    security = KafkaSecurity(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username="u", sasl_password="hunter2"
    )
    with listening(answer=answer) as port:
        assert expected in line(port, security)
        assert "hunter2" not in line(port, security)


def test_a_server_that_is_away_does_not_hide_what_is_wrong_with_the_others() -> None:
    security = KafkaSecurity(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username="u", sasl_password="p"
    )
    with listening(answer=offer(0, "PLAIN")) as port:
        found = diagnose(KafkaSettings(f"127.0.0.1:1,127.0.0.1:{port}", security), TIMED_OUT)
    assert "PLAIN sign-in fails" in found
    with listening(answer=offer(NO_SASL)) as port:
        found = diagnose(KafkaSettings(f"no.invalid:1,127.0.0.1:1,127.0.0.1:{port}", security), TIMED_OUT)
    assert "this listener takes no SASL" in found
    assert "127.0.0.1:1: nothing listens" in diagnose(KafkaSettings("127.0.0.1:1,[::1]:1"), TIMED_OUT)


@pytest.mark.parametrize("library", ["kafka", "aiokafka"])
def test_an_answer_of_the_broker_is_its_reason(library: str) -> None:
    errors = importlib.import_module(f"{library}.errors")
    found = diagnose(KafkaSettings("127.0.0.1:1"), errors.PolicyViolationError())
    assert found == f"the broker refuses: {errors.PolicyViolationError.description} (PolicyViolation)"


def test_a_provider_that_gives_no_token_is_named() -> None:
    security = KafkaSecurity(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        oauth_token_url="http://me:hunter2@127.0.0.1:1/token?key=hunter2",
        oauth_client_id="surgewatch",
        oauth_client_secret="hunter2",
    )
    with listening(answer=offer(0, "OAUTHBEARER")) as port:
        assert line(port, security) == (
            "no token from http://127.0.0.1:1/token: nothing answers there: check host, port and firewall"
        )


def raised_from(cause: Exception, error: Exception) -> Exception:
    """An error as it is raised where another one is the reason."""
    try:
        try:
            raise cause
        except Exception as reason:
            raise error from reason
    except Exception as found:
        return found


@pytest.mark.parametrize(
    ("error", "resource"),
    [
        (TopicAuthorizationFailedError("p-controls"), "topic p-controls"),
        (TopicAuthorizationFailedError({"p-b", "p-a"}), "topic p-a, p-b"),
        (GroupAuthorizationFailedError("surgewatch-streams"), "consumer group surgewatch-streams"),
        (ClusterAuthorizationFailedError(), "the cluster"),
        (
            raised_from(
                TopicAuthorizationFailedError("verdicts"), RuntimeError("the broker did not take it")
            ),
            "topic verdicts",
        ),
        (
            KafkaError("during coordination GroupAuthorizationFailedError('my-group')"),
            "consumer group my-group",
        ),
    ],
    ids=["topic", "topics", "group", "cluster", "cause", "text"],
)
def test_a_worker_that_lost_an_acl_is_refused_and_the_line_names_the_resource(
    error: Exception, resource: str
) -> None:
    found = explained(error)
    assert isinstance(found, SetupError)
    assert str(found).startswith(f"an ACL is missing on {resource}: `surgewatch topics --as ROLE`")


def test_another_error_of_kafka_is_one_line_and_what_is_not_kafkas_stays_as_it_is() -> None:
    lost = explained(KafkaError("the connection was lost"))
    assert isinstance(lost, WorkerCrashedError)
    assert "the connection was lost" in str(lost)
    for error in (ValueError("a bug"), StateError("state refused"), OSError("no file")):
        assert explained(error) is error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            KafkaTimeoutError("Failed to get offsets by times in 5000 ms"),
            "answered at first, but no longer does",
        ),
        (PolicyViolationError("not here"), "the broker refuses"),
    ],
)
async def test_a_broker_that_goes_away_during_a_start_is_a_refusal_that_names_it(
    error: KafkaError, line: str
) -> None:
    """Status 2 as where it was never there: nothing has been processed yet."""

    async def work() -> None:
        raise error

    with pytest.raises(SetupError, match=line) as refused:
        await unless_it_goes_away(KafkaSettings("kafka:9092"), work())
    assert "kafka:9092" in str(refused.value)


async def test_an_acl_that_is_missing_during_a_start_and_any_other_error_stay_what_they_are() -> None:
    for error in (
        TopicAuthorizationFailedError({"verdicts"}),
        StateError("state refused"),
        ValueError("a bug"),
    ):

        async def work(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            await unless_it_goes_away(KafkaSettings("kafka:9092"), work())
