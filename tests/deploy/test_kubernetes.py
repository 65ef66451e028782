"""The Kubernetes manifests fit the API's schema and hold to what the workers need."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.prometheus import DEPLOY

FOLDER = DEPLOY / "kubernetes"
FILES = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
OBJECTS: list[dict[str, Any]] = [
    found for name in FILES for found in yaml.safe_load_all((FOLDER / name).read_text())
]
WORKERS = [found for found in OBJECTS if found["kind"] == "StatefulSet"]
each_worker = pytest.mark.parametrize("worker", WORKERS, ids=lambda worker: worker["metadata"]["name"])


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in OBJECTS if found["kind"] == kind}


@pytest.mark.parametrize("found", OBJECTS, ids=lambda found: f"{found['kind']} {found['metadata']['name']}")
def test_every_object_fits_the_schema(found: dict[str, Any]) -> None:
    kubernetes_validate.validate(found, "1.33", strict=True)


def test_the_kustomization_names_every_manifest() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*FILES, "kustomization.yaml"}


def test_both_workers_are_there() -> None:
    assert {worker["metadata"]["name"] for worker in WORKERS} == {"surgewatch-streams", "surgewatch-alerts"}


@each_worker
def test_a_worker_keeps_its_name_and_its_state(worker: dict[str, Any]) -> None:
    [container] = worker["spec"]["template"]["spec"]["containers"]
    [name] = [var for var in container["env"] if var["name"] == "SURGEWATCH_INSTANCE"]
    assert name["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    [claim] = worker["spec"]["volumeClaimTemplates"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts[claim["metadata"]["name"]] == of("ConfigMap")["surgewatch"]["data"]["SURGEWATCH_STATE_DIR"]


@each_worker
def test_a_worker_has_its_service_and_its_budget(worker: dict[str, Any]) -> None:
    name, labels = worker["metadata"]["name"], worker["spec"]["template"]["metadata"]["labels"]
    assert of("Service")[worker["spec"]["serviceName"]]["spec"]["selector"] == labels
    assert of("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"] == labels
    assert worker["spec"]["selector"]["matchLabels"] == labels


@each_worker
def test_a_worker_is_probed_and_bounded(worker: dict[str, Any]) -> None:
    [container] = worker["spec"]["template"]["spec"]["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_nothing_runs_as_root_or_may_write_to_its_image() -> None:
    for found in (*WORKERS, *of("Job").values()):
        pod = found["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
