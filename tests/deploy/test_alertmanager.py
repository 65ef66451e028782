"""Alertmanager's configuration: who is notified of what, and what is held back."""

import json
from pathlib import Path

import pytest
import yaml

from streams.contract.sectors import registry
from tests.prometheus import DEPLOY, run, tool

CONFIG = DEPLOY / "alertmanager" / "alertmanager.yml"
SURGE = ("component=surge", "alertname=SurgewatchSurge", "question=surge", "scope=sector")
SERVICE = ("component=service", "alertname=SurgewatchLagGrowing")

pytestmark = pytest.mark.prometheus


def test_amtool_accepts_the_configuration(tmp_path: Path) -> None:
    text = CONFIG.read_text().replace("/etc/alertmanager/templates", str(CONFIG.parent / "templates"))
    (tmp_path / "alertmanager.yml").write_text(text)
    output = run(tool("amtool"), "check-config", str(tmp_path / "alertmanager.yml"))
    assert "SUCCESS" in output
    assert "1 templates" in output


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ((*SURGE, "border=northern", "severity=critical"), "watch-pager,watch-northern"),
        ((*SURGE, "border=northern", "severity=warning"), "watch-northern"),
        ((*SURGE, "border=southwest", "severity=critical"), "watch-pager,watch-southwest"),
        ((*SURGE, "border=coastal", "severity=info"), "watch-coastal"),
        ((*SURGE, "severity=warning"), "watch"),
        ((*SERVICE, "severity=warning"), "engineers"),
        ((*SERVICE, "severity=critical"), "engineers-pager"),
        (("alertname=SurgewatchWatchdog", "component=service", "severity=none"), "dead-man"),
        (("alertname=Foreign",), "watch"),
    ],
)
def test_alerts_reach_their_receivers(labels: tuple[str, ...], receivers: str) -> None:
    run(
        tool("amtool"), "config", "routes", "test", f"--config.file={CONFIG}",
        f"--verify.receivers={receivers}", *labels,
    )  # fmt: skip


def test_every_border_of_the_registry_reaches_somebody() -> None:
    for border in {sector.border for sector in registry().sector}:
        output = run(
            tool("amtool"), "config", "routes", "test", f"--config.file={CONFIG}",
            *SURGE, f"border={border}", "severity=warning",
        )  # fmt: skip
        assert output.startswith("watch")


def rendered(name: str, count: int, folder: Path, words: str = "") -> str:
    """A template over so many alerts whose summary and description end in these words."""
    notes = {"summary": f"S{words}", "description": f"D{words}", "runbook_url": "R", "dashboard_url": "U"}
    alert = {
        "status": "firing",
        "labels": {"sector": "swanton"},
        "annotations": notes,
        "startsAt": "2023-01-01T00:00:00Z",
    }
    data = {
        "status": "firing",
        "receiver": "watch",
        "groupLabels": {"question": "surge", "border": "northern"},
        "commonLabels": {"severity": "critical"},
        "alerts": [alert] * count,
    }
    (folder / "data.json").write_text(json.dumps(data))
    return run(
        *(tool("amtool"), "template", "render"),
        f"--template.glob={CONFIG.parent}/templates/*.tmpl",
        f'--template.text={{{{ template "surgewatch.{name}" . }}}}',
        f"--template.data={folder / 'data.json'}",
    )


@pytest.mark.parametrize("name", ["title", "slack_title", "text", "colour", "severity", "link"])
@pytest.mark.parametrize("count", [1, 3])
def test_every_template_renders(name: str, count: int, tmp_path: Path) -> None:
    wanted = {
        "title": "S" if count == 1 else "3 alerts, surge, northern border",
        "slack_title": "S" if count == 1 else "3 alerts, surge, northern border",
        "text": "<R|what to do>",
        "colour": "#b71c1c",
        "severity": "critical",
        "link": "U",
    }
    assert wanted[name] in rendered(name, count, tmp_path)


@pytest.mark.parametrize(("name", "count"), [("slack_title", 1), ("text", 1), ("text", 3)])
def test_data_in_slacks_text_can_neither_mention_link_nor_format(
    name: str, count: int, tmp_path: Path
) -> None:
    shown = rendered(name, count, tmp_path, " & <!channel> <https://evil|x> *b* _i_ ~s~ `c`")
    assert "&amp; &lt;!channel&gt; &lt;https://evil|x&gt; ∗b∗ ˍiˍ ∼s∼ ˋcˋ" in shown


def test_no_secret_is_in_the_configuration() -> None:
    shipped = yaml.safe_load(CONFIG.read_text())
    for receiver in shipped["receivers"]:
        for slack in receiver.get("slack_configs", ()):
            assert "api_url" not in slack
        for pager in receiver.get("pagerduty_configs", ()):
            assert pager["routing_key_file"].startswith("/etc/alertmanager/secrets/")
