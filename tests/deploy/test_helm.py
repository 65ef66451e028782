"""The Helm chart renders what the API accepts, and refuses values that it does not know."""

import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.chart import (
    AUTOSCALED,
    CHART,
    CUSTOM,
    KUBERNETES,
    MONITORED,
    SECURED,
    SETS,
    Manifest,
    Values,
    environment,
    helm,
    of,
    pods,
    render,
)
from tests.deploy.crds import fits_the_api
from tests.prometheus import DEPLOY

pytestmark = pytest.mark.helm

VERSIONS = (KUBERNETES, kubernetes_validate.latest_version())
WORKERS = {"surgewatch-streams", "surgewatch-alerts"}
each_set = pytest.mark.parametrize("values", SETS.values(), ids=SETS)


def identity(found: Manifest) -> tuple[str, str]:
    return found["kind"], found["metadata"]["name"]


@each_set
def test_helm_lint_finds_no_fault(values: Values) -> None:
    done = helm("lint", "--strict", "--kube-version", KUBERNETES, str(CHART), values=values)
    assert done.returncode == 0, done.stdout + done.stderr


@each_set
def test_every_object_fits_its_schema(values: Values) -> None:
    for found in render(values):
        fits_the_api(found, *VERSIONS)


@each_set
def test_a_worker_that_is_not_ready_can_still_be_reached(values: Values) -> None:
    """It serves the console, which people need most where it is not ready: a sink is away."""
    services = of(render(values), "Service")
    assert len(services) == len(WORKERS)
    assert all(found["spec"]["publishNotReadyAddresses"] for found in services.values())


@each_set
def test_no_name_is_used_twice(values: Values) -> None:
    names = [identity(found) for found in render(values)]
    assert len(names) == len(set(names))


@each_set
def test_every_pod_keeps_to_the_restricted_profile(values: Values) -> None:
    for pod in pods(render(values)).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_the_manifests_for_kustomize_are_current() -> None:
    committed = yaml.safe_load_all((DEPLOY / "kubernetes" / "surgewatch.yaml").read_text())
    rendered = [found for found in render() if found["kind"] != "Pod"]  # pods are those of `helm test`
    assert sorted(committed, key=identity) == sorted(rendered, key=identity), "run `make manifests`"


def test_the_chart_bears_the_version_of_the_project() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (project["version"], project["version"])


def test_the_package_is_complete_without_the_repository(tmp_path: Path) -> None:
    done = helm("package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    [package] = tmp_path.glob("*.tgz")
    assert render(MONITORED, package) == render(MONITORED)


def test_every_pod_that_uses_kafka_gets_the_secured_connection() -> None:
    secured = {name: pod for name, pod in pods(render(SECURED)).items() if not name.endswith("test-workers")}
    assert len(secured) == 4  # both workers, the topics Job and its test
    for name, pod in secured.items():
        user = "kafka-user-alerts" if name.endswith("-alerts") else "kafka-user"
        assert (
            environment(pod).items()
            >= {
                "SURGEWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "SURGEWATCH_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
                "SURGEWATCH_KAFKA_SASL_USERNAME": {"secretKeyRef": {"name": user, "key": "username"}},
                "SURGEWATCH_KAFKA_SASL_PASSWORD": {"secretKeyRef": {"name": user, "key": "password"}},
            }.items()
        )
        assert kafka_files(pod) == {
            "SURGEWATCH_KAFKA_CA_FILE": ("kafka-cluster-ca-cert", "ca.crt"),
            "SURGEWATCH_KAFKA_CERTIFICATE_FILE": ("kafka-client", "tls.crt"),
            "SURGEWATCH_KAFKA_KEY_FILE": ("kafka-client", "tls.key"),
        }


def kafka_files(pod: Manifest) -> dict[str, tuple[str, str]]:
    """By variable, the Secret and key behind the file that it names; no subPath, so that the files renew."""
    [volume] = [volume["projected"] for volume in pod["volumes"] if volume["name"] == "kafka"]
    [mount] = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "kafka"]
    assert "subPath" not in mount
    files = {
        f"{mount['mountPath']}/{item['path']}": (source["secret"]["name"], item["key"])
        for source in volume["sources"]
        for item in source["secret"]["items"]
    }
    return {name: files[path] for name, path in environment(pod).items() if name.endswith("_FILE")}


def test_only_the_alerts_worker_reads_the_secrets_of_sinks() -> None:
    for name, pod in pods(render(SECURED)).items():
        expected = [{"secretRef": {"name": "surgewatch"}}] if name == "StatefulSet surgewatch-alerts" else []
        assert pod["containers"][0].get("envFrom", []) == expected


def test_a_new_document_restarts_the_worker_that_reads_it_and_no_other() -> None:
    before, after = (of(render({"documents": {"routes": text}}), "StatefulSet") for text in ("#1", "#2"))
    changed = {name for name in WORKERS if before[name]["spec"] != after[name]["spec"]}
    assert changed == {"surgewatch-alerts"}


def test_a_new_access_document_restarts_no_worker() -> None:
    before, after = (
        of(render({"documents": {"consoleAccess": text}}), "StatefulSet") for text in ("#1", "#2")
    )
    assert before == after


def test_every_document_is_at_the_path_in_its_variable() -> None:
    objects = render(CUSTOM)
    for component, documents in (
        ("streams", {"REGISTRY": "registry", "CALENDAR": "calendar", "PEER_PRIORS": "peerPriors"}),
        (
            "alerts",
            {
                "REGISTRY": "registry",
                "POLICIES": "policies",
                "ROUTES": "routes",
                "CONSOLE_ACCESS": "consoleAccess",
            },
        ),
    ):
        data = dict(of(objects, "ConfigMap")[f"watch-{component}-documents"]["data"])
        variables = environment(pods(objects)[f"StatefulSet watch-{component}"])
        for variable, value in documents.items():
            assert data.pop(Path(variables[f"SURGEWATCH_{variable}"]).name) == f"{value} = 1\n"
        assert not data


def test_a_workers_own_setting_prevails_over_the_shared_one() -> None:
    found = pods(render(CUSTOM))
    assert environment(found["StatefulSet watch-streams"])["SURGEWATCH_SESSION_SECONDS"] == "30"
    assert environment(found["StatefulSet watch-alerts"])["SURGEWATCH_SESSION_SECONDS"] == "20"


def test_a_large_number_is_not_written_with_an_exponent() -> None:
    for component in ("streams", "alerts"):
        variables = environment(pods(render(CUSTOM))[f"StatefulSet watch-{component}"])
        assert variables["SURGEWATCH_BATCH_EVENTS"] == "1000000"


def test_an_autoscaled_worker_leaves_its_replicas_to_keda() -> None:
    objects = render(AUTOSCALED)
    for name, group, topic in (
        ("surgewatch-streams", "eu.surgewatch-streams", "eu.encounters"),
        ("surgewatch-alerts", "eu.surgewatch-alerts", "eu.verdicts"),
    ):
        assert "replicas" not in of(objects, "StatefulSet")[name]["spec"]
        scaled = of(objects, "ScaledObject")[name]["spec"]
        [trigger] = scaled["triggers"]
        assert scaled["scaleTargetRef"] == {"kind": "StatefulSet", "name": name}
        assert (trigger["metadata"]["consumerGroup"], trigger["metadata"]["topic"]) == (group, topic)
        assert trigger["authenticationRef"]["name"] in of(objects, "TriggerAuthentication")


@pytest.mark.parametrize(
    ("replicas", "asked"), [((2, 1), ["streams", "alerts"]), ((1, 0), ["streams"]), ((0, 0), [])]
)
def test_the_test_asks_only_workers_that_run(replicas: tuple[int, int], asked: list[str]) -> None:
    """A shadow has no alerts worker."""
    streams, alerts = ({"replicas": number} for number in replicas)
    test = pods(render({"streams": streams, "alerts": alerts})).get("Pod surgewatch-test-workers")
    assert [one["name"] for one in (test or {"containers": []})["containers"]] == asked


def test_the_rules_are_those_of_the_repository_with_links_to_this_grafana() -> None:
    [rules] = of(render(MONITORED), "PrometheusRule").values()
    shipped: list[Any] = []
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        text = path.read_text().replace("{{ $externalLabels.grafana }}", "https://grafana.example.org")
        shipped += yaml.safe_load(text)["groups"]
    assert rules["spec"]["groups"] == shipped


def test_prometheus_finds_both_jobs_under_the_names_that_the_rules_use() -> None:
    objects = render(MONITORED)
    services = of(objects, "Service")
    for name, monitor in of(objects, "ServiceMonitor").items():
        labels = services[name]["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert {"targetLabel": "job", "replacement": name} in monitor["spec"]["endpoints"][0]["relabelings"]
    assert set(of(objects, "ServiceMonitor")) == WORKERS


def test_every_dashboard_is_in_a_config_map_that_any_client_can_apply() -> None:
    maps = [
        found["data"]
        for found in of(render(MONITORED), "ConfigMap").values()
        if found["metadata"]["labels"].get("grafana_dashboard") == "1"
    ]
    shipped = {path.name: path.read_text() for path in (DEPLOY / "grafana" / "dashboards").glob("*.json")}
    assert {name: text for data in maps for name, text in data.items()} == shipped
    assert max(sum(map(len, data.values())) for data in maps) < 200_000  # kubectl's annotation holds 256 KiB
