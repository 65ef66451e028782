"""The commands of docs/deployment.md that need no cluster lead to alerts, as they stand there."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from surgewatch.harness.apache_kafka import free_port
from surgewatch.harness.secured_kafka import SecuredKafka
from surgewatch.harness.webhook_receiver import SECRET, Receiver, receiving
from surgewatch.harness.worker_process import Worker, running
from tests.secured_kafka import own_secured_broker
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

GUIDE = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
*SET_UP, SIMULATE = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
EXPORTS = [line for block in SET_UP for line in block.splitlines() if line.startswith("export ")]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    yield from own_secured_broker(tmp_path_factory.mktemp("secured"), supers=("admin",))


class Desk:
    """The folder in which an engineer works, with the files that the guide asks for."""

    def __init__(self, folder: Path, secured: SecuredKafka) -> None:
        self.folder, self._port = folder, secured.mtls_port
        secured.ca.cert_pem.write_to_path(folder / "ca.crt")
        key = serialization.load_pem_private_key(secured.ca.private_key_pem.bytes(), None)
        form = serialization.PrivateFormat.TraditionalOpenSSL
        plain = serialization.NoEncryption()
        (folder / "ca.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        for name, path in secured.certificate("admin").items():
            (folder / f"admin.{'crt' if 'CERTIFICATE' in name else 'key'}").write_bytes(
                Path(path).read_bytes()
            )
        (folder / "surgewatch").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m surgewatch "$@"\n')
        (folder / "surgewatch").chmod(0o755)

    def run(self, *blocks: str) -> subprocess.CompletedProcess[str]:
        script = "\n".join(blocks).replace("kafka.example.org:9093", f"127.0.0.1:{self._port}")
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-euc", script], cwd=self.folder, env=os.environ | path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def settings(self, role: str) -> dict[str, str]:
        """Return what the chart gives to a worker by the values of the guide."""
        return {
            "SURGEWATCH_BROKERS": f"127.0.0.1:{self._port}",
            "SURGEWATCH_TOPIC_PREFIX": "trial.",
            "SURGEWATCH_CLOCK": "event",
            "SURGEWATCH_KAFKA_SECURITY_PROTOCOL": "SSL",
            "SURGEWATCH_KAFKA_CA_FILE": str(self.folder / "ca.crt"),
            "SURGEWATCH_KAFKA_CERTIFICATE_FILE": str(self.folder / f"{role}.crt"),
            "SURGEWATCH_KAFKA_KEY_FILE": str(self.folder / f"{role}.key"),
            "SURGEWATCH_STATE_DIR": str(self.folder / role),
        }


def alerts(port: int, token: str) -> list[dict[str, object]]:
    address = f"http://127.0.0.1:{port}/api/alerts"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return list(json.load(answer))


def test_who_follows_the_guide_gets_alerts(secured: SecuredKafka, tmp_path: Path) -> None:
    desk = Desk(tmp_path, secured)
    done = desk.run(*SET_UP)
    for role in ("streams", "alerts", "producer"):
        assert f"all that the role {role} needs is allowed" in done.stdout
    token = done.stderr.partition("token: ")[2].split()[0]
    streams, watch = free_port(), free_port()
    with receiving(Receiver()) as receiver:
        sink = {
            "SURGEWATCH_ALERTS_PORT": str(watch),
            "SURGEWATCH_CONSOLE_ACCESS": str(tmp_path / "access.toml"),
            "SURGEWATCH_WEBHOOK_URL": receiver.url,
            "SURGEWATCH_WEBHOOK_SECRET": SECRET,
            "SURGEWATCH_ALLOW_PRIVATE": "true",
        }
        counting = {**desk.settings("streams"), "SURGEWATCH_STREAMS_PORT": str(streams)}
        with (
            running(Worker("streams", streams, counting, tmp_path / "streams.log")),
            running(Worker("alerts", watch, desk.settings("alerts") | sink, tmp_path / "alerts.log")),
        ):
            desk.run(*EXPORTS[:5], SIMULATE)
            until(lambda: alerts(watch, token), "an alert on the console", seconds=240)
            until(lambda: receiver.received, "a notice at the sink", seconds=120)
