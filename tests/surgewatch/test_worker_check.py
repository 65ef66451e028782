"""`surgewatch worker --check` finds what a start would refuse, without a broker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def check(worker: str, folder: Path, **settings: str) -> tuple[int, str]:
    """The exit status, and all that was printed."""
    own = {f"SURGEWATCH_{name}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", "surgewatch", "worker", worker, "--check"],
        env={**os.environ, "SURGEWATCH_BROKERS": "nowhere.invalid:9092", **own},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("worker", ["streams", "alerts"])
def test_what_can_be_used_ends_with_0(worker: str, tmp_path: Path) -> None:
    assert check(worker, tmp_path) == (0, "Settings and documents can be used.\n")


@pytest.mark.parametrize(
    ("worker", "setting", "text", "fault"),
    [
        ("streams", "CALENDAR", "date,kind,name,sector\n", "the columns are 'date,kind,name,sector'"),
        ("streams", "REGISTRY", "[[sector]]\nid = 'x'\n", "sector.0.name: Field required"),
        ("alerts", "ROUTES", '[[route]]\nsinks = ["a"]\n', "routes name unknown sinks: a"),
        ("alerts", "POLICIES", "[default]\nexpire_days = inf\n", "default.expire_days"),
        ("alerts", "CONSOLE_ACCESS", '[[grant]]\nrole = "read"\n', "a grant needs people or groups"),
    ],
)
def test_a_document_that_a_start_would_refuse_ends_with_2(
    worker: str, setting: str, text: str, fault: str, tmp_path: Path
) -> None:
    document = tmp_path / "document"
    document.write_text(text)
    status, printed = check(worker, tmp_path, **{setting: str(document)})
    assert status == 2
    assert fault in printed
    assert len(printed.splitlines()) < 5, printed


def test_settings_that_a_start_would_refuse_are_named_at_once(tmp_path: Path) -> None:
    status, printed = check("streams", tmp_path, COMMIT_SECONDS="0", DEDUP_IDS="many")
    assert status == 2
    assert "commit_seconds" in printed
    assert "dedup_ids" in printed
