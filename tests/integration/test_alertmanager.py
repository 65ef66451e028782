"""From a worker's metrics to a webhook: shipped rules and routes in real Prometheus and Alertmanager."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.prometheus import alertmanager, prometheus, query, receiver, serving, until

pytestmark = pytest.mark.prometheus


def standing(sector: str, question: str, severity: str, border: str = "northern") -> str:
    """One alert, as the alerts worker shows it."""
    labels = {"sector": sector, "question": question, "severity": severity, "border": border}
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f'surgewatch_alerts{{{inside},state="firing"}} 1\n'


SURGE = standing("swanton", "surge", "critical")
SCAN = standing("northern", "scan", "warning")
RISE = standing("blaine", "slow_rise", "info")
ELSEWHERE = standing("laredo", "slow_rise", "info", border="southwest")
FIGURES = """\
surgewatch_observed{sector="swanton",window="day"} 42
surgewatch_expected{sector="swanton",window="day"} 10
"""


def test_a_surge_is_paged_to_its_border_and_resolved(tmp_path: Path) -> None:
    shown = [SURGE + FIGURES]
    with (
        receiver() as hook,
        alertmanager(tmp_path, hook.url) as manager,
        serving(lambda: shown[0]) as worker,
        prometheus(tmp_path, {"surgewatch-alerts": [worker]}, manager),
    ):
        surge = {"alertname": "SurgewatchSurge", "sector": "swanton"}
        for path in ("/watch-pager", "/watch-northern"):
            alert = until(lambda path=path: hook.find(path, **surge, status="firing"), f"firing on {path}")
            assert alert["labels"]["severity"] == "critical"
            assert alert["annotations"]["description"] == "42 people on the last judged day, 10 expected."
            assert alert["annotations"]["runbook_url"] == "http://grafana.test/d/runbook-surge"
            assert "grafana" not in alert["labels"]
        shown[0] = FIGURES
        until(lambda: hook.find("/watch-northern", **surge, status="resolved"), "resolved")
        assert hook.find("/watch-southwest") is None


def test_a_border_speaks_for_its_sectors_and_for_no_other_border(tmp_path: Path) -> None:
    shown = [SCAN]
    with (
        receiver() as hook,
        alertmanager(tmp_path, hook.url, wait="3s") as manager,
        serving(lambda: shown[0]) as worker,
        prometheus(tmp_path, {"surgewatch-alerts": [worker]}, manager) as server,
    ):
        until(lambda: hook.find("/watch-northern", alertname="SurgewatchScan"), "the border's alert")
        shown[0] = SCAN + RISE + ELSEWHERE
        until(lambda: hook.find("/watch-southwest", sector="laredo"), "the other border's sector")
        until(lambda: query(server, 'ALERTS{sector="blaine",alertstate="firing"}'), "the rule for blaine")
        held = until(lambda: _alerts(manager, "blaine"), "blaine in Alertmanager")
        assert held[0]["status"]["state"] == "suppressed"
        assert hook.find("/watch-northern", sector="blaine") is None


def test_the_watchdog_reaches_the_dead_mans_switch_and_nobody_else(tmp_path: Path) -> None:
    with (
        receiver() as hook,
        alertmanager(tmp_path, hook.url) as manager,
        prometheus(tmp_path, {}, manager),
    ):
        until(lambda: hook.find("/dead-man", alertname="SurgewatchWatchdog"), "the watchdog")
        assert {path for path, _ in hook.posts} == {"/dead-man"}


def test_alerts_sent_to_the_api_take_the_same_routes(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    labels = {"alertname": "SurgewatchSurge", "component": "surge", "scope": "sector", "question": "surge"}
    alert = {
        "labels": {**labels, "sector": "laredo", "border": "southwest", "severity": "warning"},
        "annotations": {"summary": "More people than expected in laredo"},
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=5)).isoformat(),
    }
    with receiver() as hook, alertmanager(tmp_path, hook.url) as manager:
        _post(manager, alert)
        until(lambda: hook.find("/watch-southwest", sector="laredo", status="firing"), "firing")
        _post(manager, {**alert, "endsAt": datetime.now(UTC).isoformat()})
        until(lambda: hook.find("/watch-southwest", sector="laredo", status="resolved"), "resolved")


def _alerts(manager: str, sector: str) -> list[dict[str, dict[str, str]]]:
    with urllib.request.urlopen(f"http://{manager}/api/v2/alerts", timeout=5) as answer:
        return [alert for alert in json.load(answer) if alert["labels"].get("sector") == sector]


def _post(manager: str, *alerts: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"http://{manager}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200
