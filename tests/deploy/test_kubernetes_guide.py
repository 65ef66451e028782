"""What docs/kubernetes.md and docs/deployment.md apply is accepted by helm and fits the API's schema."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.chart import CHART, KUBERNETES, helm
from tests.prometheus import DEPLOY

pytestmark = pytest.mark.helm

GUIDE = "".join((DEPLOY.parent / "docs" / page).read_text() for page in ("kubernetes.md", "deployment.md"))
BLOCKS: list[list[dict[str, Any]]] = [
    list(yaml.safe_load_all(block)) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
]
VALUES = [block[0] for block in BLOCKS if "apiVersion" not in block[0]]
MANIFESTS = [
    found
    for block in BLOCKS
    for found in block
    if "k8s.io" not in found.get("apiVersion", "kustomize.k8s.io")
]


@pytest.mark.parametrize("values", VALUES, ids=lambda values: ", ".join(values))
def test_every_block_of_values_is_accepted(values: dict[str, Any]) -> None:
    done = helm("lint", "--strict", "--kube-version", KUBERNETES, str(CHART), values=values)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("found", MANIFESTS, ids=lambda found: f"{found['kind']} {found['metadata']['name']}")
def test_every_manifest_fits_the_schema(found: dict[str, Any]) -> None:
    kubernetes_validate.validate(found, KUBERNETES, strict=True)


def test_every_value_that_the_text_names_is_a_value_of_the_chart() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    heads = "|".join(values)
    named = set(re.findall(rf"`((?:{heads})\.[a-zA-Z.]+)(?:: [^`]*)?`", GUIDE))
    assert named
    for path in named - {"alerts.md", "values.yaml"}:
        found: Any = values
        for part in path.split("."):
            assert part in found, path
            found = found[part]
