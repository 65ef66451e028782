"""Dashboards and rules ask only for metrics that the workers have, by labels that these have."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import CollectorRegistry

import streams.worker.metrics
from streams.contract.sectors import registry
from tests.prometheus import DEPLOY

alerts = pytest.importorskip("alerts.worker.metrics")

RULES = [
    rule
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
FROM_PROMETHEUS = {"job", "instance", "le", "__name__"}


def asked() -> Iterator[tuple[str, str]]:
    """Where it is asked, and the PromQL."""
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("surgewatch-*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem} {panel['title']}", target["expr"]
        for variable in board["templating"].get("list", ()):
            yield f"{path.stem} ${variable['name']}", variable["query"]["query"]


def offered() -> dict[str, set[str]]:
    """Every series that a worker can show, with its labels."""
    shown: dict[str, set[str]] = {}
    for known in (streams.worker.metrics.Metrics(registry()).registry, alerts.Metrics().registry):
        assert isinstance(known, CollectorRegistry)
        for name, collector in known._names_to_collectors.items():
            shown[name] = set(getattr(collector, "_labelnames", ()))
    return shown


OFFERED = offered()
each_question = pytest.mark.parametrize(("where", "expression"), sorted(set(asked())))


@each_question
def test_every_metric_that_is_asked_for_exists(where: str, expression: str) -> None:
    for name in re.findall(r"\bsurgewatch[_:][\w:]+", expression):
        assert name in (RECORDED if ":" in name else OFFERED), f"{where} asks for {name}"


@each_question
def test_every_label_that_is_asked_for_exists(where: str, expression: str) -> None:
    for name, selector in re.findall(r"\b(surgewatch_\w+)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            assert label in OFFERED[name] | FROM_PROMETHEUS, f"{where} asks {name} for {label}"


def test_the_committed_reference_is_what_the_workers_have() -> None:
    from surgewatch.reference.metrics_page import TARGET, reference

    assert TARGET.read_text() == reference(), "run `make docs` and commit what it writes"


def test_an_alert_is_labelled_with_its_border_so_that_it_can_be_routed() -> None:
    assert {"sector", "border", "question", "severity", "state"} <= OFFERED["surgewatch_alerts"]
