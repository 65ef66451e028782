"""From a worker's metrics to a webhook: shipped rules and routes in real Prometheus and Alertmanager."""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from alerts.sinks import Request
from alerts.sinks.alertmanager import AlertmanagerSink
from tests.alerts.sinks.test_sinks import notice
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


def test_alerts_sent_to_the_api_take_the_same_routes_also_when_they_get_worse(tmp_path: Path) -> None:
    with receiver() as hook, alertmanager(tmp_path, hook.url) as manager:
        sink = AlertmanagerSink("am", f"http://{manager}")
        surge = {"alertname": "SurgewatchSurge", "sector": "swanton"}
        worst = {**surge, "severity": "critical"}
        _send(sink.request(notice(1, observed=50), time.time()))
        until(lambda: hook.find("/watch-northern", **surge, severity="warning", status="firing"), "firing")
        assert hook.find("/watch-pager") is None
        _send(sink.request(notice(1, observed=500), time.time()))
        until(lambda: hook.find("/watch-pager", **worst, status="firing"), "the page")
        assert [one["labels"]["severity"] for one in _alerts(manager, "swanton")] == ["critical"]
        _send(sink.request(notice(4, observed=500), time.time()))
        for path in ("/watch-pager", "/watch-northern"):
            over = until(
                lambda path=path: hook.find(path, **surge, severity="critical", status="resolved"), path
            )
            assert over["annotations"]["description"].startswith("Back to normal")


def test_an_alertmanager_that_forgot_everything_learns_what_stands(tmp_path: Path) -> None:
    for life in ("first", "second"):
        folder = tmp_path / life
        folder.mkdir()
        with receiver() as hook, alertmanager(folder, hook.url) as manager:
            _send(AlertmanagerSink("am", f"http://{manager}").standing([notice(1)], time.time()))
            until(lambda hook=hook: hook.find("/watch-northern", sector="swanton", status="firing"), life)


def _alerts(manager: str, sector: str) -> list[dict[str, dict[str, str]]]:
    with urllib.request.urlopen(f"http://{manager}/api/v2/alerts", timeout=5) as answer:
        return [alert for alert in json.load(answer) if alert["labels"].get("sector") == sector]


def _send(request: Request | None) -> None:
    assert request is not None
    ask = urllib.request.Request(request.url, request.body, request.headers)
    with urllib.request.urlopen(ask, timeout=5) as answer:
        assert answer.status == 200
