"""Behind TLS and SASL: every mechanism carries a whole worker, and a wrong set-up is one line of error."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
import trustme
from kafka.admin import ConfigResource, ConfigResourceType

from streams.contract.access import LEAST, Access
from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, administering
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.secured_kafka import IdentityProvider, SecuredKafka
from surgewatch.harness.worker_process import Worker, running, total
from surgewatch.options.access import allow
from tests.secured_kafka import own_secured_broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
LIFE = 6.0  # seconds that a token lives here: several times renewed in one test


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    yield from own_secured_broker(tmp_path_factory.mktemp("secured"))


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider(life=LIFE).serving() as found:
        yield found


def surgewatch(settings: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "surgewatch", *words]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60)


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
    assert "correct-horse" not in only + checked.stdout


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


def allowed(secured: SecuredKafka, name: str, role: str) -> None:
    """Grant a principal the least that its role needs, and nothing else."""
    done = surgewatch(secured.mtls(), "acls", role, f"User:{name}")
    assert done.returncode == 0, done.stderr


def test_the_role_topics_is_enough_to_create_and_to_check_topics(secured: SecuredKafka) -> None:
    allowed(secured, "setup", "topics")
    for _ in range(2):
        done = surgewatch(secured.mtls("setup"), "topics")
        assert done.returncode == 0, done.stderr
    assert done.stdout == "all topics are as they should be\n"


def test_who_may_only_see_topics_learns_which_acl_is_missing(
    secured: SecuredKafka,
) -> None:
    """Without DESCRIBE_CONFIGS settings look empty; without ALTER_CONFIGS the broker changes nothing."""
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    names, broker = [topic.name for topic in topics()], Broker(secured.broker.servers)
    allow(broker, "User:viewer", [Access("topic", name, ("DESCRIBE",)) for name in names])
    checked = surgewatch(secured.mtls("viewer"), "topics", "--check")
    assert checked.returncode == 2
    assert "an ACL is missing: DESCRIBE_CONFIGS on topic alerts, " in checked.stderr
    allow(broker, "User:viewer", [Access("topic", name, ("DESCRIBE_CONFIGS",)) for name in names])
    with administering(broker) as admin:
        shorter = ConfigResource(ConfigResourceType.TOPIC, "encounters", {"retention.ms": "100000000"})
        admin.alter_configs([shorter], incremental=True)
    changed = surgewatch(secured.mtls("viewer"), "topics")
    assert changed.returncode == 2
    assert "is ALTER_CONFIGS allowed?" in changed.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("acls", "streams", "User:stranger"),
            "ACLs cannot be changed: an ACL is missing: ALTER on the cluster",
        ),
        (("topics", "--check"), "an ACL is missing: DESCRIBE on topic alerts, alerts.current, borders, "),
        (("topics", "--accept-loss"), "an ACL is missing on the cluster"),
        (("controls",), "an ACL is missing: DESCRIBE on topic controls"),
        (("shadow", "begin", "shadow."), "an ACL is missing: DESCRIBE on topic encounters"),
        (("simulate", "del-rio-2021", "--client", "fast"), "an ACL is missing: DESCRIBE on topic encounters"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_who_may_do_nothing_learns_what_is_missing(
    words: tuple[str, ...], line: str, secured: SecuredKafka
) -> None:
    """Topics that a principal may not see look as if they were not there."""
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    done = surgewatch(secured.mtls("stranger"), *words)
    assert done.returncode in (1, 2)
    assert line in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_what_a_principal_lacks_is_named_by_operation_and_topic(secured: SecuredKafka) -> None:
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    checked = surgewatch(secured.mtls("stranger"), "topics", "--as", "streams")
    assert checked.returncode == 1
    assert "an ACL is missing: READ, DESCRIBE, DESCRIBE_CONFIGS on topic encounters" in checked.stderr
    assert "an ACL is missing: READ, DESCRIBE on group surgewatch-streams" in checked.stderr


@pytest.mark.parametrize(
    ("lacking", "line"),
    [
        ("surgewatch-streams", "an ACL is missing: READ, DESCRIBE on group surgewatch-streams"),
        ("verdicts", "an ACL is missing: DESCRIBE on topic verdicts"),
    ],
)
def test_a_worker_that_lacks_one_acl_ends_and_names_it(
    lacking: str, line: str, secured: SecuredKafka, tmp_path: Path
) -> None:
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    name = f"without-{lacking}"
    allow(
        Broker(secured.broker.servers),
        f"User:{name}",
        [access for access in LEAST["streams"] if access.name != lacking],
    )
    settings = secured.mtls(name) | {"SURGEWATCH_STATE_DIR": str(tmp_path), "SURGEWATCH_STREAMS_PORT": "0"}
    command = [sys.executable, "-m", "streams"]
    ended = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2, ended.stderr
    assert line in ended.stderr.splitlines()[-1]


def test_a_worker_that_may_not_see_settings_of_topics_works_and_names_what_it_cannot_check(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    fewer = [
        access._replace(operations=tuple({*access.operations} - {"DESCRIBE_CONFIGS"}))
        for access in LEAST["streams"]
    ]
    allow(Broker(secured.broker.servers), "User:unseeing", fewer)
    port = free_port()
    settings = {**secured.mtls("unseeing"), "SURGEWATCH_STREAMS_PORT": str(port)}
    worker = Worker("streams", port, {**settings, "SURGEWATCH_STATE_DIR": str(tmp_path)}, tmp_path / "log")
    with running(worker):
        assert "an ACL is missing: DESCRIBE_CONFIGS" in worker.log.read_text()


def test_only_operators_may_write_controls_beside_the_alerts_worker(secured: SecuredKafka) -> None:
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    silence = ("silence", "swanton", "--by", "ana", "--reason", "drill")
    for role, may in {"producer": False, "streams": False, "operator": True}.items():
        allowed(secured, f"only-{role}", role)
        done = surgewatch(secured.mtls(f"only-{role}"), *silence)
        assert (done.returncode == 0) is may, (role, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("role", ["streams", "alerts"])
def test_the_least_acls_are_enough_for_each_worker(
    role: Literal["streams", "alerts"], secured: SecuredKafka, tmp_path: Path
) -> None:
    assert surgewatch(secured.mtls(), "topics").returncode == 0
    allowed(secured, role, role)
    settings = secured.mtls(role)
    assert surgewatch(settings, "topics", "--as", role).returncode == 0
    port = free_port()
    ports = {"SURGEWATCH_STREAMS_PORT": str(port), "SURGEWATCH_ALERTS_PORT": str(port)}
    sink = {
        "SURGEWATCH_WEBHOOK_URL": "https://127.0.0.1:9/hook",  # nobody is there, and nothing is sent
        "SURGEWATCH_ALLOW_PRIVATE": "true",
        "SURGEWATCH_WEBHOOK_SECRET": "whsec_" + "A" * 32,
    }
    worker = Worker(
        role, port, {**settings, **ports, **sink, "SURGEWATCH_STATE_DIR": str(tmp_path)}, tmp_path / "log"
    )
    with running(worker):
        time.sleep(3)
        assert worker.get("/readyz") is not None, worker.tail()
    assert "uthorization" not in worker.log.read_text()
