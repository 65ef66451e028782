"""An ACL that is taken away while a worker runs is named: by the line with which it ends, or by /readyz."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Literal

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from alerts.lifecycle.alert import Reason
from streams.contract.access import LEAST, Access
from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, reconcile
from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.secured_kafka import SecuredKafka
from surgewatch.harness.webhook_receiver import Receiver, receiving
from surgewatch.harness.worker_process import Worker, running
from surgewatch.options.access import allow
from tests.alerts.made import verdict
from tests.secured_kafka import own_secured_broker
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
Package = Literal["streams", "alerts"]
SEEN = 60.0  # seconds in which whatever is not being done is seen
TOKEN = "correct-horse-battery"
SINK = {
    "SURGEWATCH_CONSOLE_TOKEN": TOKEN,
    "SURGEWATCH_WEBHOOK_URL": "https://127.0.0.1:9/hook",  # nobody is there
    "SURGEWATCH_WEBHOOK_SECRET": "whsec_" + "A" * 32,
    "SURGEWATCH_ALLOW_PRIVATE": "true",
}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    yield from own_secured_broker(tmp_path_factory.mktemp("secured"))


def a_worker(secured: SecuredKafka, package: Package, name: str, folder: Path, **more: str) -> Worker:
    """A worker with topics, and a principal, of its own that may do the least."""
    prefix, port, broker = f"{name}-", free_port(), Broker(secured.broker.servers)
    reconcile(broker, topics(prefix))
    allow(broker, f"User:{name}", [one._replace(name=prefix + one.name) for one in LEAST[package]])
    settings = {
        "SURGEWATCH_TOPIC_PREFIX": prefix,
        f"SURGEWATCH_{package.upper()}_PORT": str(port),
        "SURGEWATCH_STATE_DIR": str(folder),
        "SURGEWATCH_SESSION_SECONDS": "6",
    }
    return Worker(
        package,
        port,
        secured.mtls(name) | settings | (SINK | more if package == "alerts" else {}),
        folder / "log",
    )


def take_away(secured: SecuredKafka, principal: str, access: Access) -> None:
    """Delete the ACL of an access with one operation."""
    (operation,) = access.operations
    wanted = AclBindingFilter(
        ResourceType[access.resource.upper()],
        access.name,
        ResourcePatternType.LITERAL,
        f"User:{principal}",
        None,
        AclOperation[operation],
        AclPermissionType.ANY,
    )
    admin = AdminClient(Broker(secured.broker.servers).kafka.librdkafka)
    for taken in admin.delete_acls([wanted]).values():
        assert taken.result()


def send(secured: SecuredKafka, topic: str, value: bytes = b"junk") -> None:
    """Give a worker something to do; junk is an event that becomes a dead letter."""
    producer = Producer({"bootstrap.servers": secured.broker.servers})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def not_ready(worker: Worker) -> str:
    """The reasons of /readyz; empty where the worker is ready."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/readyz", timeout=5).close()
    except urllib.error.HTTPError as error:
        with error:
            return str(error.read().decode())
    return ""


@pytest.mark.parametrize(
    ("package", "access", "line"),
    [
        ("streams", Access("topic", "encounters", ("READ",)), "topic {}encounters"),
        ("streams", Access("topic", "encounters.dead", ("WRITE",)), "topic {}encounters.dead"),
        ("streams", Access("group", "surgewatch-streams", ("READ",)), "consumer group {}surgewatch-streams"),
        ("alerts", Access("topic", "controls", ("READ",)), "topic {}controls"),
        ("alerts", Access("topic", "alerts", ("WRITE",)), "topic {}alerts"),
    ],
    ids=lambda one: f"{one.name} {one.operations[0]}" if isinstance(one, Access) else "",
)
def test_a_worker_whose_acl_is_taken_away_ends_with_one_line_that_names_it(
    package: Package, access: Access, line: str, secured: SecuredKafka, tmp_path: Path
) -> None:
    name = f"{access.name}-{access.operations[0]}".lower()
    worker, prefix = a_worker(secured, package, name, tmp_path), f"{name}-"
    with running(worker):
        assert worker.process is not None
        take_away(secured, name, access._replace(name=prefix + access.name))
        source = {"streams": "encounters", "alerts": "verdicts"}[package]
        for _ in range(10):
            send(secured, prefix + source)
        assert worker.process.wait(SEEN) == 2, worker.tail(60)
    last = worker.tail(1)
    assert last.startswith(f"surgewatch: an ACL is missing on {line.format(prefix)}: `surgewatch topics --as")
    assert "Traceback" not in worker.log.read_text()


@pytest.mark.parametrize("topic", ["alerts.current", "notices.dead"])
def test_a_task_that_lost_an_acl_is_named_with_it_and_goes_on_when_it_is_back(
    topic: str, secured: SecuredKafka, tmp_path: Path
) -> None:
    name = f"reads-{topic}"
    worker, access = (
        a_worker(secured, "alerts", name, tmp_path),
        Access("topic", f"{name}-{topic}", ("READ",)),
    )
    with running(worker):
        take_away(secured, name, access)
        named = f"AuthorizationFailedError('{name}-{topic}')"
        until(lambda: named in not_ready(worker), worker.tail)
        allow(Broker(secured.broker.servers), f"User:{name}", [access])
        until(lambda: not not_ready(worker), worker.tail)
    assert worker.log.read_text().count("\n") < 100


def test_a_click_that_the_broker_refuses_is_answered_and_ends_no_worker(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    worker = a_worker(secured, "alerts", "clicked", tmp_path)
    body = b'{"kind": "silence", "sector": "swanton", "hours": 1, "by": "ana", "reason": "drill"}'
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(f"http://127.0.0.1:{worker.port}/api/controls", body, headers)
    with running(worker):
        take_away(secured, "clicked", Access("topic", "clicked-controls", ("WRITE",)))
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=30)
            assert refused.value.code == 503
            refused.value.close()
            sleep(5)  # several commits
            assert worker.process is not None
            assert worker.process.poll() is None, worker.tail()
            assert not not_ready(worker)


def test_a_notice_that_cannot_be_recorded_is_not_sent_is_named_and_is_sent_once_when_it_can(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    """What a sink is about to get is in the ledger first: else nobody would know of it after a crash."""
    access = Access("topic", "unwritten-deliveries", ("WRITE",))
    with receiving(Receiver()) as receiver:
        hook = {"SURGEWATCH_WEBHOOK_URL": receiver.url, "SURGEWATCH_WEBHOOK_SECRET": receiver.secret}
        worker = a_worker(secured, "alerts", "unwritten", tmp_path, **hook, SURGEWATCH_CLOCK="event")
        with running(worker):
            take_away(secured, "unwritten", access)
            send(secured, "unwritten-verdicts", verdict(0, breach=True).model_dump_json().encode())
            until(lambda: "AuthorizationFailedError" in not_ready(worker), worker.tail)
            assert receiver.received == []
            allow(Broker(secured.broker.servers), "User:unwritten", [access])
            until(lambda: not not_ready(worker) and receiver.received, worker.tail)
            sleep(3)
    assert [one.notice.reason for one in receiver.received] == [Reason.FIRST]
