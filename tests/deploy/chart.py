"""The Helm chart as the real `helm` renders it, with the sets of values that the tests share."""

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from tests.prometheus import DEPLOY

CHART = DEPLOY / "helm" / "surgewatch"
Manifest = dict[str, Any]
Values = Mapping[str, Any]
KUBERNETES = "1.33"

DEFAULTS: Values = {}
SECURED: Values = {
    "kafka": {
        "brokers": "kafka-0.example.org:9094,kafka-1.example.org:9095",
        "topicPrefix": "eu.",
        "securityProtocol": "SASL_SSL",
        "ca": {"existingSecret": "kafka-cluster-ca-cert"},
        "certificate": {"existingSecret": "kafka-client"},
        "sasl": {"mechanism": "SCRAM-SHA-512", "existingSecret": "kafka-user"},
    },
    "alerts": {"kafka": {"sasl": {"existingSecret": "kafka-user-alerts"}}, "existingSecret": "surgewatch"},
}
AUTOSCALED: Values = {
    **SECURED,
    "streams": {"autoscaling": {"enabled": True}},
    "alerts": {"autoscaling": {"enabled": True, "maxReplicas": 2}},
}
MONITORED: Values = {
    "grafanaUrl": "https://grafana.example.org/",
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboards": {"enabled": True, "annotations": {"grafana_folder": "Surgewatch"}},
    },
}
CUSTOM: Values = {
    "fullnameOverride": "watch",
    "image": {"repository": "registry.example.org/surgewatch", "digest": f"sha256:{'0' * 64}"},
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccount": {"create": False, "name": "kafka-reader"},
    "runAsUser": None,
    "settings": {"SURGEWATCH_SESSION_SECONDS": 20, "SURGEWATCH_BATCH_EVENTS": 1_000_000},
    "documents": {
        name: f"{name} = 1\n"
        for name in ("registry", "calendar", "peerPriors", "policies", "routes", "consoleAccess")
    },
    "topics": {
        "partitions": 12,
        "replication": 3,
        "extraEnv": [{"name": "AWS_REGION", "value": "us-east-1"}],
    },
    "streams": {
        "settings": {"SURGEWATCH_LATENESS_SECONDS": 900, "SURGEWATCH_SESSION_SECONDS": 30},
        "extraVolumes": [{"name": "more", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
        "podAnnotations": {"example.org/team": "watch"},
        "podLabels": {"team": "watch"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "critical",
        "persistence": {"enabled": False},
    },
    "alerts": {"persistence": {"storageClassName": "fast"}},
    "networkPolicy": {"kafka": {"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [9093]}},
}
OPEN: Values = {
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "watch.example.org",
        "tlsSecret": "watch-tls",
        "annotations": {"cert-manager.io/cluster-issuer": "internal"},
    },
    "networkPolicy": {
        "console": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]
    },
}
ROUTED: Values = {
    "httpRoute": {
        "enabled": True,
        "host": "watch.example.org",
        "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
        "annotations": {"example.org/team": "watch"},
    },
    "caBundle": {"existingConfigMap": "company-ca", "key": "bundle.pem"},
    "networkPolicy": OPEN["networkPolicy"],
}
BARE: Values = {"topics": {"enabled": False}, "networkPolicy": {"enabled": False}}
SETS = {
    "defaults": DEFAULTS,
    "TLS and SASL": SECURED,
    "autoscaled": AUTOSCALED,
    "monitored": MONITORED,
    "custom": CUSTOM,
    "open to people": OPEN,
    "open by a gateway": ROUTED,
    "bare": BARE,
}


def together(*parts: Values) -> dict[str, Any]:
    """Values of all; where they differ, of the last one."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            before = found.get(name)
            both = isinstance(before, Mapping) and isinstance(value, Mapping)
            found[name] = together(before, value) if both else value
    return found


def tool() -> str:
    """The path of helm; a skip or a failure where it is missing."""
    return shutil.which("helm") or missing("no helm here (go install helm.sh/helm/v4/cmd/helm@v4.3.1)")


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where SURGEWATCH_REQUIRE_HELM=1."""
    if os.environ.get("SURGEWATCH_REQUIRE_HELM") == "1":
        pytest.fail(f"SURGEWATCH_REQUIRE_HELM=1, but {reason}")
    pytest.skip(reason)


def helm(*arguments: str, values: Values = DEFAULTS) -> subprocess.CompletedProcess[str]:
    """Run helm with these values; the caller judges the exit status."""
    return subprocess.run(
        [tool(), *arguments, *(["--values", "-"] if values else ())],
        input=json.dumps(values) if values else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def render(values: Values = DEFAULTS, chart: Path = CHART) -> list[Manifest]:
    """Every object of the release `surgewatch`, hooks and tests too; a failure shows helm's message."""
    return _render(json.dumps(values), chart)


@functools.cache
def _render(values: str, chart: Path) -> list[Manifest]:
    done = template(json.loads(values), chart)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def template(values: Values, chart: Path) -> subprocess.CompletedProcess[str]:
    """Render for a stated Kubernetes: a helm built from source assumes a version of its own."""
    where = ("--namespace", "surgewatch", "--kube-version", KUBERNETES)
    return helm("template", "surgewatch", str(chart), *where, values=values)


def refusal(values: Values) -> str:
    """Helm's message on values that it must refuse."""
    done = template(values, CHART)
    assert done.returncode != 0, f"accepted: {values}"
    return done.stderr


def of(objects: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The objects of a kind, by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def pods(objects: list[Manifest]) -> dict[str, Manifest]:
    """The spec of every pod that the objects start, by kind and name."""
    return {
        f"{found['kind']} {found['metadata']['name']}": (
            found["spec"] if found["kind"] == "Pod" else found["spec"]["template"]["spec"]
        )
        for found in objects
        if found["kind"] in {"StatefulSet", "Job", "Pod"}
    }


def environment(pod: Manifest) -> dict[str, Any]:
    """The variables of a pod's first container: values, or the reference that they come from."""
    return {
        variable["name"]: variable.get("value", variable.get("valueFrom"))
        for variable in pod["containers"][0].get("env", ())
    }
