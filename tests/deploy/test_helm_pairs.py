"""Options of the chart in pairs: what is right alone is right together."""

from collections.abc import Mapping
from itertools import combinations

import pytest

from tests.deploy.chart import SETS, Values, pods, render, together
from tests.deploy.crds import fits_the_api

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


@pytest.mark.parametrize(("one", "other"), list(combinations(OPTIONS, 2)))
def test_two_options_together_fit_the_api(one: str, other: str) -> None:
    objects = render(together(OPTIONS[one], OPTIONS[other]))
    for found in objects:
        fits_the_api(found)
    names = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(set(names)) == len(names)
    for pod in pods(objects).values():
        volumes = [volume["name"] for volume in pod["volumes"]] if "volumes" in pod else []
        assert len(set(volumes)) == len(volumes)
        for container in pod["containers"]:
            variables = [variable["name"] for variable in container.get("env", ())]
            assert len(set(variables)) == len(variables)
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
