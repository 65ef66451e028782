"""The manifests for kustomize fit the API's schema and hold what the workers need."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.chart import KUBERNETES, Manifest, environment, of, pods
from tests.prometheus import DEPLOY

FOLDER = DEPLOY / "kubernetes"
FILES = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
OBJECTS: list[Manifest] = [
    found for name in FILES for found in yaml.safe_load_all((FOLDER / name).read_text())
]
WORKERS = list(of(OBJECTS, "StatefulSet").values())
each_worker = pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker["metadata"]["name"])


def container(worker: Manifest) -> dict[str, Any]:
    [found] = worker["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("found", OBJECTS, ids=lambda found: f"{found['kind']} {found['metadata']['name']}")
def test_every_object_fits_the_schema(found: Manifest) -> None:
    kubernetes_validate.validate(found, KUBERNETES, strict=True)


def test_the_kustomization_names_every_manifest() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*FILES, "kustomization.yaml"}


def test_both_workers_are_there() -> None:
    assert set(of(OBJECTS, "StatefulSet")) == {"surgewatch-streams", "surgewatch-alerts"}


@each_worker
def test_a_worker_keeps_its_name_and_its_state(worker: Manifest) -> None:
    variables = environment(worker["spec"]["template"]["spec"])
    assert variables["SURGEWATCH_INSTANCE"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    [claim] = worker["spec"]["volumeClaimTemplates"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container(worker)["volumeMounts"]}
    assert mounts[claim["metadata"]["name"]] == variables["SURGEWATCH_STATE_DIR"]


@each_worker
def test_a_worker_has_its_service_and_its_budget(worker: Manifest) -> None:
    name, labels = worker["metadata"]["name"], worker["spec"]["template"]["metadata"]["labels"]
    assert of(OBJECTS, "Service")[worker["spec"]["serviceName"]]["spec"]["selector"] == labels
    budget = of(OBJECTS, "PodDisruptionBudget")[name]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == labels
    assert worker["spec"]["selector"]["matchLabels"] == labels


@each_worker
def test_a_worker_is_probed_and_bounded(worker: Manifest) -> None:
    paths = {
        kind: container(worker)[f"{kind}Probe"]["httpGet"]["path"]
        for kind in ("startup", "readiness", "liveness")
    }
    assert paths == {"startup": "/healthz", "readiness": "/readyz/worker", "liveness": "/healthz"}
    assert container(worker)["resources"]["limits"]["memory"]
    assert container(worker)["resources"]["requests"].keys() == {"cpu", "memory"}


@each_worker
def test_workers_are_replaced_one_at_a_time_and_spread_over_nodes_and_zones(worker: Manifest) -> None:
    strategy = worker["spec"]["updateStrategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    spread = worker["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {rule["topologyKey"] for rule in spread} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }


def test_the_namespace_enforces_the_restricted_profile_that_every_pod_keeps_to() -> None:
    [namespace] = of(OBJECTS, "Namespace").values()
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in pods(OBJECTS).values())
