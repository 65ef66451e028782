"""Options of the chart in pairs: what is right alone is right together."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.deploy import crds
from tests.deploy.chart import KUBERNETES, SETS, Values, pods, render

pytestmark = pytest.mark.helm

OPTIONS: Mapping[str, Values] = {
    **{name: values for name, values in SETS.items() if values},
    "IPv6": {"kafka": {"brokers": "[2001:db8::1]:9094,[fd00::2]:9095"}},
    "one replica": {"streams": {"replicas": 1}, "alerts": {"replicas": 1}},
    "no disks": {
        "streams": {"persistence": {"enabled": False}},
        "alerts": {"persistence": {"enabled": False}},
    },
    "long name": {"fullnameOverride": "n" * 63},
}


def together(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Values of both; where they differ, of the other."""
    found = dict(one)
    for name, value in other.items():
        before = found.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        found[name] = together(before, value) if both else value
    return found


@pytest.mark.parametrize(("one", "other"), list(combinations(OPTIONS, 2)))
def test_two_options_together_fit_the_api(one: str, other: str) -> None:
    objects = render(together(OPTIONS[one], OPTIONS[other]))
    for found in objects:
        group, _, version = found["apiVersion"].partition("/")
        if group in crds.MODULES:
            jsonschema.validate(found, crds.schema(group, version, found["kind"]))
        else:
            kubernetes_validate.validate(found, KUBERNETES, strict=True)
    names = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(set(names)) == len(names)
    for pod in pods(objects).values():
        volumes = [volume["name"] for volume in pod["volumes"]] if "volumes" in pod else []
        assert len(set(volumes)) == len(volumes)
        for container in pod["containers"]:
            variables = [variable["name"] for variable in container.get("env", ())]
            assert len(set(variables)) == len(variables)
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
