"""The demo, as a newcomer runs it: embedded broker, both workers, a receiver."""

import json
import subprocess
import sys


def test_the_demo_counts_every_event_and_delivers_every_notice_once() -> None:
    command = [
        sys.executable,
        "-m",
        "surgewatch",
        "demo",
        "--json",
        "--from",
        "2022-10-01",
        "--to",
        "2023-04-15",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["sent"] == summary["counted"] + summary["rejected"] > 10_000
    assert summary["delivered"] == summary["notices"] > 0
    assert (summary["failed"], summary["repeated"]) == (0, 0)
    assert summary["fired"] >= 1
    assert "Displacement from RCMP Quebec to" in done.stderr


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "surgewatch", "demo", "nowhere"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "roxham-2022" in done.stderr
