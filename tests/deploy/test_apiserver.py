"""A real kube-apiserver takes what the chart renders, and upgrades it in place."""

import os
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.deploy import crds
from tests.deploy.apiserver import ApiServer, RefusedError, running
from tests.deploy.chart import (
    AUTOSCALED,
    CHART,
    CUSTOM,
    MONITORED,
    SECURED,
    SETS,
    Values,
    helm,
    of,
    pods,
    render,
)
from tests.prometheus import DEPLOY
from tests.waiting import until

pytestmark = pytest.mark.helm
KINDS = [
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("keda.sh", "ScaledObject"),
    ("keda.sh", "TriggerAuthentication"),
    ("monitoring.coreos.com", "PrometheusRule"),
    ("monitoring.coreos.com", "ServiceMonitor"),
]
PRIORITY = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": CUSTOM["streams"]["priorityClassName"]},
    "value": 1000,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A server with the namespace of the manifests and the custom resources of the chart."""
    with running(tmp_path_factory.mktemp("apiserver")) as found:
        found.apply(yaml.safe_load((DEPLOY / "kubernetes" / "namespace.yaml").read_text()))
        found.apply(PRIORITY)
        for group, kind in KINDS:
            definition = crds.definition(group, kind)
            found.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        for group, kind in KINDS:
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.lower()}s.{group}"
            until(lambda path=path: established(found, path), f"{kind} is served")
        yield found


def established(server: ApiServer, path: str) -> bool:
    conditions = server.request("GET", path).get("status", {}).get("conditions", ())
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_server_accepts_every_object(server: ApiServer, values: Values) -> None:
    for found in render(values):
        server.admits(found)


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_the_namespace_that_enforces_the_restricted_profile_admits_every_pod(
    server: ApiServer, values: Values
) -> None:
    for name, spec in pods(render(values)).items():
        mounts = {mount["name"] for each in spec["containers"] for mount in each.get("volumeMounts", ())}
        volumes = spec.get("volumes", [])
        claimed = mounts - {volume["name"] for volume in volumes}
        volumes = volumes + [
            {"name": each, "persistentVolumeClaim": {"claimName": each}} for each in sorted(claimed)
        ]
        metadata = {"name": name.split()[1]}
        server.admits(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, "volumes": volumes}}
        )


def test_the_namespace_refuses_a_pod_without_the_restricted_profile(server: ApiServer) -> None:
    spec = {"containers": [{"name": "root", "image": "root"}]}
    with pytest.raises(RefusedError, match="violates PodSecurity"):
        server.admits({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": spec})


def test_a_release_is_upgraded_in_place_and_removed(server: ApiServer) -> None:
    """No set of values changes a field that the API keeps fixed. Hooks wait for pods and are left out."""
    release(server, "install", {})
    for values in (SECURED, AUTOSCALED, MONITORED, {}):
        release(server, "upgrade", values)
        for kind in ("StatefulSet", "ConfigMap", "ScaledObject", "PrometheusRule"):
            expected = of(render(values), kind)
            assert expected.keys() <= kept(server, kind), kind
    command = ["helm", "uninstall", "surgewatch", "--namespace", "surgewatch", "--no-hooks"]
    subprocess.run(command, env=environment(server), check=True, capture_output=True, timeout=60)
    assert not kept(server, "StatefulSet")


def release(server: ApiServer, verb: str, values: Values) -> None:
    done = helm(
        verb,
        "surgewatch",
        str(CHART),
        "--namespace=surgewatch",
        "--no-hooks",
        f"--kubeconfig={server.kubeconfig}",
        values=values,
    )
    assert done.returncode == 0, done.stderr


def kept(server: ApiServer, kind: str) -> set[str]:
    """The names of the objects of this kind that the server holds."""
    versions = {found["kind"]: found for values in SETS.values() for found in render(values)}
    listed = server.request("GET", server.path(versions[kind], "surgewatch"))
    return {found["metadata"]["name"] for found in listed["items"]}


def environment(server: ApiServer) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
