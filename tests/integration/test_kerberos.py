"""Behind Kerberos: a realm by MIT's server, and Apache Kafka that takes its tickets over TLS."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from surgewatch.harness.apache_kafka import Listeners, free_port
from surgewatch.harness.secured_kafka import USER
from surgewatch.harness.worker_process import Worker, running, total
from tests.kerberos import Realm, kerberos_realm
from tests.secured_kafka import own_secured_broker, surgewatch
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
PROPERTIES = """listener.name.kerberos.sasl.enabled.mechanisms=GSSAPI
listener.name.kerberos.gssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required \\
  useKeyTab=true storeKey=true keyTab="{keytab}" principal="{broker}";
sasl.kerberos.service.name=kafka
"""
BROKER = "kafka/127.0.0.1"
EVENT = (
    '{"event_id": "e1", "occurred_at": "2023-01-01T10:00:00Z", "sector": "swanton", '
    '"crossing_type": "between_ports", "demographic": "unknown", "count": 3}\n'
)


@dataclass(frozen=True)
class Site:
    """A broker that takes tickets, and the settings of its clients."""

    realm: Realm
    settings: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("kerberos"), free_port()
    with kerberos_realm(folder / "realm") as realm:
        listeners = Listeners(
            ports={"KERBEROS": (port, "SASL_SSL")},
            properties=PROPERTIES.format(keytab=realm.keytab(BROKER), broker=BROKER),
            java_options=(f"-Djava.security.krb5.conf={realm.environment['KRB5_CONFIG']}",),
        )
        realm.sign_in(USER, realm.keytab(USER))
        for secured in own_secured_broker(folder / "broker", more=listeners):
            servers = {"SURGEWATCH_BROKERS": f"127.0.0.1:{port}"}
            yield Site(realm, secured.sasl("GSSAPI") | servers | realm.environment)


def test_both_workers_and_the_commands_sign_in_by_a_ticket(site: Site, tmp_path: Path) -> None:
    made = surgewatch(site.settings, "topics")
    assert made.returncode == 0, made.stderr
    ports = {name: str(free_port()) for name in ("streams", "alerts")}
    workers = [
        Worker(
            package,
            int(port),
            {
                **site.settings,
                "SURGEWATCH_CLOCK": "event",
                f"SURGEWATCH_{package.upper()}_PORT": port,
                "SURGEWATCH_STATE_DIR": str(tmp_path / package),
            },
            tmp_path / f"{package}.log",
        )
        for package, port in ports.items()
    ]
    with running(*workers) as (streams, _):
        (tmp_path / "events.ndjson").write_text(EVENT)
        sent = surgewatch(site.settings, "ingest", str(tmp_path / "events.ndjson"))
        assert sent.returncode == 0, sent.stderr
        until(lambda: total(streams.samples(), "surgewatch_people", sector="swanton") == 3, streams.tail)


def test_without_a_ticket_the_reason_is_one_line(site: Site) -> None:
    checked = surgewatch(
        site.settings | {"KRB5CCNAME": f"FILE:{site.realm.folder}/none"}, "topics", "--check"
    )
    assert checked.returncode == 2
    (only,) = checked.stderr.strip().splitlines()
    assert "klist" in only
