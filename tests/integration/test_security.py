"""Behind TLS and SASL: every mechanism carries a whole worker, and a wrong set-up is one line of error."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from aiokafka.errors import KafkaError

from streams.producers.kafka_client import Broker, BrokerError, administering
from streams.runtime.broker_monitor import partitions_of
from streams.runtime.kafka_security import KafkaSecurity
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.identity_provider import IdentityProvider
from surgewatch.harness.secured_kafka import SecuredKafka
from surgewatch.harness.worker_process import Worker, running, total
from tests.secured_kafka import own_secured_broker, surgewatch

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
LIFE = 6.0  # seconds that a token lives here: several times renewed in one test


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    yield from own_secured_broker(tmp_path_factory.mktemp("secured"))


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider(life=LIFE).serving() as found:
        yield found


def settings_of(mechanism: str, secured: SecuredKafka, provider: IdentityProvider) -> dict[str, str]:
    if mechanism == "mTLS":
        return secured.mtls()
    if mechanism == "OAUTHBEARER":
        return secured.oauth(provider)
    return secured.password(mechanism)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "mTLS"])
def test_a_worker_counts_everybody_behind_each_mechanism(
    mechanism: str, secured: SecuredKafka, provider: IdentityProvider, tmp_path: Path
) -> None:
    """Both producing clients send once before and once after tokens have expired."""
    port, prefix = free_port(), f"{mechanism.lower()}-"
    settings = settings_of(mechanism, secured, provider) | {"SURGEWATCH_TOPIC_PREFIX": prefix}
    assert surgewatch(settings, "topics").returncode == 0
    events = tmp_path / "events.ndjson"
    worker = Worker(
        "streams",
        port,
        {
            **settings,
            "SURGEWATCH_CLOCK": "event",
            "SURGEWATCH_STREAMS_PORT": str(port),
            "SURGEWATCH_STATE_DIR": str(tmp_path / "state"),
        },
        tmp_path / "streams.log",
    )
    with running(worker):
        for number, client in enumerate(("kafka", "fast")):
            events.write_text(encounter(number))
            sent = surgewatch(settings, "ingest", str(events), "--client", client)
            assert sent.returncode == 0, sent.stderr
            wait_for_people(worker, 3 * (number + 1))
            time.sleep(LIFE if mechanism == "OAUTHBEARER" else 0)
    if mechanism == "OAUTHBEARER":
        assert provider.issued > 4


def encounter(number: int) -> str:
    """One event of three people."""
    return (
        f'{{"event_id": "e{number}", "occurred_at": "2023-01-0{number + 1}T10:00:00Z", "sector": "swanton", '
        '"crossing_type": "between_ports", "demographic": "unknown", "count": 3}\n'
    )


def wait_for_people(worker: Worker, people: int) -> None:
    deadline = time.monotonic() + 40
    while total(worker.samples(), "surgewatch_people", sector="swanton") != people:
        assert time.monotonic() < deadline, worker.tail()
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("password", "SCRAM-SHA-256 sign-in fails"),
        ("mechanism", "this listener offers SCRAM-SHA-512, not PLAIN"),
        ("client secret", "it refuses the client (invalid_client)"),
        ("audience", "OAUTHBEARER sign-in fails: the broker refuses the token"),
        ("no provider", "no token from http://127.0.0.1:1/token: nothing answers there"),
        ("CA", "the broker's certificate is not trusted"),
        ("host name", "the broker's certificate is not for localhost"),
        ("name", "the name kafka.invalid is not known"),
        ("port", "nothing listens there"),
        ("no certificate", "the broker asks for a certificate"),
        ("certificate", "the broker refuses our certificate"),
        ("protocol", "no broker answers in PLAINTEXT"),
    ],
)
def test_a_wrong_set_up_is_one_line_of_error(
    fault: str, line: str, secured: SecuredKafka, provider: IdentityProvider, tmp_path: Path
) -> None:
    good, port = secured.password("SCRAM-SHA-256"), secured.sasl_port
    settings = {
        "password": secured.password("SCRAM-SHA-256", "wrong"),
        "client secret": secured.oauth(provider, "wrong"),
        "audience": secured.oauth(provider) | {"SURGEWATCH_KAFKA_OAUTH_AUDIENCE": "billing"},
        "no provider": secured.oauth(provider)
        | {"SURGEWATCH_KAFKA_OAUTH_TOKEN_URL": "http://127.0.0.1:1/token"},
        "CA": {name: value for name, value in good.items() if "CA_FILE" not in name},
        "host name": good | {"SURGEWATCH_BROKERS": f"localhost:{port}"},
        "name": good | {"SURGEWATCH_BROKERS": f"kafka.invalid:{port}"},
        "port": good | {"SURGEWATCH_BROKERS": "127.0.0.1:1"},
        "mechanism": secured.password_without_tls() | {"SURGEWATCH_KAFKA_SASL_MECHANISM": "PLAIN"},
        "no certificate": {n: v for n, v in secured.mtls().items() if "CERT" not in n and "KEY" not in n},
        "certificate": secured.mtls() | of_another_authority(tmp_path),
        "protocol": {"SURGEWATCH_BROKERS": f"127.0.0.1:{port}"},
    }[fault]
    checked = surgewatch(settings, "topics", "--check")
    assert checked.returncode == 2
    (only,) = checked.stderr.strip().splitlines()
    assert line in only
    assert "correct-" not in only + checked.stdout


def test_a_certificate_that_is_replaced_is_used_by_both_libraries_at_the_next_connection(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    given = secured.mtls("rotated")
    certificate, key = tmp_path / "client.crt", tmp_path / "client.key"
    good = [Path(given[f"SURGEWATCH_KAFKA_{name}_FILE"]).read_bytes() for name in ("CERTIFICATE", "KEY")]

    def replace_by(content: list[bytes]) -> None:
        for path, part in zip((certificate, key), content, strict=True):
            path.write_bytes(part)

    def connect() -> None:
        asyncio.run(partitions_of(broker.kafka, ()))
        with administering(broker):
            pass

    replace_by(good)
    security = KafkaSecurity(
        security_protocol="SSL",
        ca_file=Path(given["SURGEWATCH_KAFKA_CA_FILE"]),
        certificate_file=certificate,
        key_file=key,
    )
    broker = Broker(given["SURGEWATCH_BROKERS"], security=security)
    connect()
    of_another_authority(tmp_path)
    with pytest.raises(KafkaError):
        asyncio.run(partitions_of(broker.kafka, ()))
    with pytest.raises(BrokerError, match="refuses our certificate"), administering(broker):
        pass
    replace_by(good)
    connect()


def of_another_authority(folder: Path) -> dict[str, str]:
    """Settings of a client certificate that the broker does not trust."""
    issued = trustme.CA().issue_cert("client.example")
    certificate, key = folder / "client.crt", folder / "client.key"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return {"SURGEWATCH_KAFKA_CERTIFICATE_FILE": str(certificate), "SURGEWATCH_KAFKA_KEY_FILE": str(key)}


def test_a_worker_logs_the_same_line_and_ends(secured: SecuredKafka, tmp_path: Path) -> None:
    settings = os.environ | secured.password("PLAIN", "wrong") | {"SURGEWATCH_STATE_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "streams"],
        env=settings | {"SURGEWATCH_STREAMS_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 2, ended.stderr
    assert "PLAIN sign-in fails" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("prefix", "words", "line"),
    [
        ("copied.", ("--replication", "3"), "factor of 3 cannot be reached because only 1 broker(s)"),
        ("no name!", (), "Topic name is invalid: 'no name!encounters'"),
    ],
)
def test_what_the_broker_refuses_is_said_in_its_own_words_and_not_taken_for_a_wrong_password(
    prefix: str, words: tuple[str, ...], line: str, secured: SecuredKafka
) -> None:
    settings = secured.password("SCRAM-SHA-512") | {"SURGEWATCH_TOPIC_PREFIX": prefix}
    done = surgewatch(settings, "topics", *words)
    assert done.returncode == 2
    (only,) = done.stderr.strip().splitlines()
    assert line in only
    assert "sign-in" not in only
