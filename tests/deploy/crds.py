"""Schemas of the custom resources that the chart makes, from the modules of their operators."""

import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from tests.deploy.chart import KUBERNETES, Manifest, missing

# Pinned; the Go module cache keeps them. Each holds its definitions as YAML, one file a kind.
MODULES = {
    "monitoring.coreos.com": (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "example/prometheus-operator-crd",
    ),
    "gateway.networking.k8s.io": ("sigs.k8s.io/gateway-api@v1.6.3", "config/crd/standard"),
    "keda.sh": ("github.com/kedacore/keda/v2@v2.20.0", "config/crd/bases"),
}


@functools.cache
def folder(group: str) -> Path:
    """Where the definitions of an API group lie; a skip or a failure without Go or its proxy."""
    module, inside = MODULES[group]
    if not shutil.which("go"):
        missing("no Go here to fetch the definitions of custom resources with")
    done = subprocess.run(
        ["go", "mod", "download", "-json", module], capture_output=True, text=True, timeout=200, check=False
    )
    if done.returncode:
        missing(f"{module} cannot be fetched: {done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"]) / inside


def definition(group: str, kind: str) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    found = yaml.safe_load((folder(group) / f"{group}_{kind.lower()}s.yaml").read_text())
    assert found["spec"]["names"]["kind"] == kind
    return dict(found)


def schema(group: str, version: str, kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind; fields that it does not know are refused."""
    versions = {found["name"]: found for found in definition(group, kind)["spec"]["versions"]}
    return dict(_strict(versions[version]["schema"]["openAPIV3Schema"], top=True))


def fits_the_api(found: Manifest, *versions: str) -> None:
    """Hold an object to its schema, in these versions of Kubernetes (default: the one it is rendered for)."""
    group, _, version = found["apiVersion"].partition("/")
    if group in MODULES:
        jsonschema.validate(found, schema(group, version, found["kind"]))
        return
    for api in versions or (KUBERNETES,):
        kubernetes_validate.validate(found, api, strict=True)


def _strict(node: Any, top: bool = False) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {key: _strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        if top:
            inner["properties"]["metadata"] = {"type": "object"}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            inner.setdefault("additionalProperties", False)
    if isinstance(node.get("pattern"), str):
        inner["pattern"] = node["pattern"].replace("^(?i)", "(?i)^")  # Go takes flags anywhere, Python first
    return inner
