"""ACLs on a real Kafka: the least that each role needs is enough, and what is missing is named."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from streams.contract.access import LEAST, Access
from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, administering
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.secured_kafka import SecuredKafka
from surgewatch.harness.worker_process import Worker, running
from surgewatch.options.access import allow
from tests.secured_kafka import own_secured_broker, surgewatch

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    yield from own_secured_broker(tmp_path_factory.mktemp("secured"))


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


def test_topics_that_are_not_there_are_not_taken_for_allowed(secured: SecuredKafka) -> None:
    settings = secured.mtls() | {"SURGEWATCH_TOPIC_PREFIX": "absent."}
    checked = surgewatch(settings, "topics", "--as", "producer")
    assert checked.returncode == 1
    assert "topic absent.encounters is not there, so its ACLs cannot be seen" in checked.stderr


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
