"""The Prometheus rules are sound, explained and tested."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.contract.verdicts import Question
from streams.runtime.readiness import NotReady
from tests.prometheus import DEPLOY, run, tool

RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
CASES = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
RUNBOOKS = DEPLOY.parent / "docs" / "runbooks"
GROUPS = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
each_alert = pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])


def runbook(rule: dict[str, Any]) -> str:
    """A surge's is named as its question is, any other as its alert is."""
    if question := re.search(r'question="(\w+)"', rule["expr"]):
        return question[1]
    return re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"].removeprefix("Surgewatch")).lower()


@pytest.mark.prometheus
def test_promtool_accepts_the_rules() -> None:
    assert "FAILED" not in run(tool("promtool"), "check", "rules", "--lint-fatal", *map(str, RULES))


@pytest.mark.prometheus
def test_promtool_accepts_the_configuration(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY / "prometheus", tmp_path / "prometheus")
    run(tool("promtool"), "check", "config", str(tmp_path / "prometheus" / "prometheus.yml"))


@pytest.mark.prometheus
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_rules_pass_their_cases(case: Path) -> None:
    run(tool("promtool"), "test", "rules", str(case))


@each_alert
def test_every_alert_has_a_summary_a_runbook_and_a_dashboard(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert {"summary", "description", "runbook_url", "dashboard_url"} <= notes.keys()
    assert notes["summary"][0].isupper() or notes["summary"].startswith("{{")
    assert not notes["summary"].endswith(".")
    assert (RUNBOOKS / f"{runbook(rule)}.md").is_file()


@each_alert
def test_links_lead_to_a_dashboard_that_is_shipped(rule: dict[str, Any]) -> None:
    for kind in ("runbook_url", "dashboard_url"):
        link = rule["annotations"][kind]
        link = link.replace("{{ $labels.question }}", runbook(rule))
        uid = re.fullmatch(r"\{\{ \$externalLabels\.grafana \}\}/d/([a-z_-]+)(\?.*)?", link)
        assert uid, link
        assert (DEPLOY / "grafana" / "dashboards" / f"{uid[1]}.json").is_file()


@each_alert
def test_every_alert_is_in_a_unit_test(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    for case in yaml.safe_load_all("\n---\n".join(path.read_text() for path in CASES)):
        for test in case["tests"]:
            named = {check["alertname"] for check in test.get("alert_rule_test", ()) if check["exp_alerts"]}
            named |= {
                found
                for check in test.get("promql_expr_test", ())
                for sample in check["exp_samples"]
                for found in re.findall(r'alertname="(\w+)"', f"{sample['labels']} {check['expr']}")
            }
            if name in named:
                return
    pytest.fail(f"no unit test expects {name} to fire")


def test_every_question_has_its_rule() -> None:
    asked = {match[1] for rule in ALERTS if (match := re.search(r'question="(\w+)"', rule["expr"]))}
    assert asked == {question.value for question in Question}


def test_every_runbook_belongs_to_a_rule() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {runbook(rule) for rule in ALERTS}


def test_every_reason_that_calls_somebody_is_explained_and_seen_within_a_minute() -> None:
    """But `joining`, which has a rule and a runbook of its own."""
    reasons = set(NotReady) - {NotReady.JOINING}
    rows = re.findall(r"(?m)^\| `(\w+)` \|", (RUNBOOKS / "not-ready.md").read_text())
    assert set(rows) == reasons
    (case,) = yaml.safe_load((DEPLOY / "prometheus" / "tests" / "unseen.test.yml").read_text())["tests"]
    series = " ".join(one["series"] for one in case["input_series"])
    assert set(re.findall(r'reason="(\w+)"', series)) == reasons
