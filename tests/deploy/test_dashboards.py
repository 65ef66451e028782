"""The dashboards: current, complete, and asking only for what there is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.contract.verdicts import Question
from tests.prometheus import DEPLOY

GRAFANA = DEPLOY / "grafana"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}
PANELS = [
    pytest.param(panel, id=f"{uid} {panel['title']}")
    for uid, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "text"
]
each_panel = pytest.mark.parametrize("panel", PANELS)


def test_the_committed_dashboards_are_what_the_code_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(GRAFANA / "dashboards.py"), str(tmp_path)], check=True, timeout=60)
    made = {path.name: path.read_text() for path in tmp_path.glob("*.json")}
    committed = {path.name: path.read_text() for path in (GRAFANA / "dashboards").glob("*.json")}
    assert made == committed, "run `make docs` and commit what it writes"


@each_panel
def test_every_panel_has_a_unit_limits_a_source_and_a_description(panel: dict[str, Any]) -> None:
    assert panel["description"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["expr"]
        assert target["legendFormat"]


def test_every_link_leads_to_a_dashboard_that_is_shipped() -> None:
    for board in BOARDS.values():
        text = json.dumps(board).replace("runbook-${__data.fields.question}", "runbook-surge")
        for uid in re.findall(r'"url": "/d/([^?"]+)', text):
            assert uid in BOARDS


def test_a_row_of_alerts_leads_to_its_sector_and_to_what_to_do() -> None:
    [panel] = [
        panel for panel in BOARDS["surgewatch-situation"]["panels"] if panel["title"] == "Standing alerts"
    ]
    links = [link["url"] for link in panel["fieldConfig"]["defaults"]["links"]]
    assert any("/d/surgewatch-sector?var-sector=${__data.fields.sector}" in link for link in links)
    assert any("/d/runbook-${__data.fields.question}" in link for link in links)
    assert all(f"runbook-{question}" in BOARDS for question in Question)


def test_no_two_panels_lie_on_each_other() -> None:
    for board in BOARDS.values():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert max(x for x, _ in cells) < 24
            assert not cells & taken, panel["title"]
            taken |= cells


def test_uids_fit_into_grafana() -> None:
    assert all(board["uid"] == uid and len(uid) <= 40 for uid, board in BOARDS.items())


def test_states_have_a_name_as_well_as_a_colour() -> None:
    for name in ("Sectors by state", "Course of states"):
        [panel] = [panel for panel in BOARDS["surgewatch-situation"]["panels"] if panel["title"] == name]
        [mapping] = panel["fieldConfig"]["defaults"]["mappings"]
        words = [state["text"] for state in mapping["options"].values()]
        assert words == ["calm", "info", "warning", "critical"]


def test_the_sources_that_dashboards_name_are_provisioned() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())
    assert {source["uid"] for source in sources["datasources"]} >= {"prometheus", "alertmanager"}
