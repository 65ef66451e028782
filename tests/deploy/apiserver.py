"""A real kube-apiserver with etcd, without controllers: it admits and keeps objects, and runs none.

`tests/deploy/apiserver.sh FOLDER` builds both programs from the Go module proxy.
"""

import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from surgewatch.harness.apache_kafka import free_port
from tests.deploy.chart import Manifest
from tests.waiting import until

TOKEN = "administrator"


class RefusedError(AssertionError):
    """The server refused a request; the message is the server's."""


@dataclass(frozen=True)
class ApiServer:
    """Requests to a server, as an administrator."""

    url: str
    kubeconfig: Path

    def request(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The JSON response; raises RefusedError with the server's message, OSError where nobody answers."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=_unverified(), timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise RefusedError(f"{method} {path}: {error.read().decode()}") from error

    def path(self, found: Manifest, namespace: str) -> str:
        """Where objects of this kind are kept, by the server's discovery."""
        version = found["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for resource in self.request("GET", root)["resources"]:
            if resource["kind"] == found["kind"] and "/" not in resource["name"]:
                inside = f"/namespaces/{namespace}" if resource["namespaced"] else ""
                return f"{root}{inside}/{resource['name']}"
        raise RefusedError(f"the server knows no {version} {found['kind']}")

    def apply(self, found: Manifest, namespace: str = "surgewatch") -> None:
        """Apply an object on the server's side; unknown and duplicate fields are refused."""
        name = found["metadata"]["name"]
        query = "fieldManager=test&force=true&fieldValidation=Strict"
        path = f"{self.path(found, namespace)}/{name}?{query}"
        self.request("PATCH", path, found, kind="application/apply-patch+yaml")

    def admits(self, found: Manifest, namespace: str = "surgewatch") -> None:
        """Create an object as a dry run, with every admission plugin; raises RefusedError."""
        self.request("POST", f"{self.path(found, namespace)}?dryRun=All&fieldValidation=Strict", found)


@contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """A server with an empty store; a skip where its two programs are not on the PATH."""
    missing = [name for name in ("etcd", "kube-apiserver", "openssl") if not shutil.which(name)]
    if missing:
        pytest.skip(f"not on the PATH: {', '.join(missing)}")
    store, peers, port = free_port(), free_port(), free_port()
    commands = [_etcd(folder, store, peers), _server(folder, store, port)]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.log").open("wb") as log:
                processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))
        server = ApiServer(f"https://127.0.0.1:{port}", _kubeconfig(folder, port))
        until(lambda: _ready(server), f"kube-apiserver ready (logs in {folder})", seconds=60)
        yield server
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=60)


def _ready(server: ApiServer) -> bool:
    try:
        return bool(server.request("GET", "/api/v1/namespaces/default")["metadata"])
    except (RefusedError, OSError):
        return False


def _etcd(folder: Path, port: int, peers: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
    return [
        "etcd",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]


def _server(folder: Path, store: int, port: int) -> list[str]:
    key, tokens = folder / "account.pem", folder / "tokens.csv"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens.write_text(f"{TOKEN},{TOKEN},{TOKEN},system:masters\n")
    return [
        "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{store}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={folder / 'certificates'}",
        f"--token-auth-file={tokens}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",  # accounts are made by a controller, and there is none
    ]


def _kubeconfig(folder: Path, port: int) -> Path:
    path = folder / "kubeconfig"
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path.write_text(json.dumps(config))
    return path


def _unverified() -> ssl.SSLContext:
    """The server's certificate is its own, made a moment ago."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
