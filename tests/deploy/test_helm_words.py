"""Names that YAML reads as something else than text: each may be that of a Secret, its key, or a host."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.deploy.chart import AUTOSCALED, CHART, CUSTOM, MONITORED, OPEN, ROUTED, refusal, render, together
from tests.deploy.crds import fits_the_api

pytestmark = pytest.mark.helm

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
FEW_OBJECTS = {"monitoring": {"dashboards": {"enabled": False}}}
EVERYTHING = together(AUTOSCALED, MONITORED, CUSTOM, OPEN, ROUTED, FEW_OBJECTS)


def definition(part: Mapping[str, Any]) -> str:
    return str(part.get("$ref", "")).rpartition("/")[2]


def filled(part: Mapping[str, Any], word: str) -> dict[str, Any]:
    """Values in which each name and key of the schema is that word."""
    found: dict[str, Any] = {}
    part = SCHEMA["definitions"].get(definition(part), part)
    for name, inner in part.get("properties", {}).items():
        value = word if definition(inner) in ("name", "key") else filled(inner, word)
        found |= {name: value} if value else {}
    return found


@pytest.mark.parametrize("word", ["1e3", "true", "null", "2024-01-01"])
def test_a_name_is_text_whatever_yaml_would_read_it_as(word: str) -> None:
    names = filled(SCHEMA, word)
    assert len(json.dumps(names).split(f'"{word}"')) > 30
    one_of_two = {"caBundle": {"existingSecret": ""}}
    for found in render(together(EVERYTHING, names, one_of_two, {"nameOverride": word})):
        fits_the_api(found)


def test_a_release_may_be_called_by_any_word() -> None:
    for found in render(together(EVERYTHING, {"fullnameOverride": "true"})):
        fits_the_api(found)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"image": {"repository": "surgewatch # old"}}, "image/repository"),
        ({"image": {"tag": "a: b"}}, "image/tag"),
        ({"serviceAccount": {"name": "No Name"}}, "serviceAccount/name"),
        ({"streams": {"priorityClassName": "*a"}}, "priorityClassName"),
        ({"alerts": {"persistence": {"storageClassName": "{a: b}"}}}, "storageClassName"),
        ({"streams": {"persistence": {"size": "10ki"}}}, "persistence/size"),
        ({"streams": {"extraEnv": [{}]}}, "extraEnv"),
        ({"streams": {"podLabels": {"app.kubernetes.io/name": "other"}}}, "app.kubernetes.io/name"),
        ({"streams": {"podAnnotations": {"checksum/documents": "x"}}}, "checksum/documents"),
        ({"kafka": {"brokers": "kafka:0"}}, "kafka/brokers"),
        ({"kafka": {"brokers": "kafka:123456"}}, "kafka/brokers"),
        ({"ingress": {"enabled": True, "host": "a..b"}}, "ingress/host"),
        ({"grafanaUrl": 'https://grafana.example.org/"x'}, "grafanaUrl"),
    ],
    ids=str,
)
def test_what_the_api_would_refuse_is_refused_before(values: dict[str, Any], named: str) -> None:
    assert named in refusal(values)
