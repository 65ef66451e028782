"""A new detector is one file, one entry in the table of questions, and one page; nothing else lists it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOY = ROOT / "tests" / "new_detector"
SHARE = 0.05 * 0.05 / 30.4  # of the budget, a day


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with the toy detector: one file, one entry, one page."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("streams", "alerts", "surgewatch", "deploy", "docs", "tests/new_detector"):
        shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    shutil.copy(TOY / "doubled.py", house / "streams" / "detectors")
    shutil.copy(TOY / "doubled.md", house / "docs" / "runbooks")
    table = house / "streams" / "contract" / "questions.py"
    before, after = table.read_text().split("    SILENCE = (")
    table.write_text(f"{before}{(TOY / 'entry.txt').read_text()}    SILENCE = ({after}")
    return house


def run(checkout: Path, *command: str) -> str:
    """What Python prints in that checkout."""
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=checkout, capture_output=True, text=True, timeout=120, env={"PYTHONPATH": str(checkout)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_it_is_published_notified_routed_and_shown_on_the_console(checkout: Path) -> None:
    found = json.loads(run(checkout, "tests/new_detector/story.py"))
    assert found["alpha"] == pytest.approx(SHARE)
    assert found["headline"] == "Doubled at Swanton: 90 in 1 day, expected 30 (×3.0)"
    assert found["severity"] == "warning", "no more than its entry allows"
    assert found["routed"]
    assert found["shown"] == ["doubled", "Doubled", "#123456"]
    assert found["remembered"] == [1.0]


def test_it_has_its_rule_its_dashboard_and_its_line_in_the_docs(checkout: Path) -> None:
    run(checkout, "deploy/prometheus/surges.py")
    run(checkout, "deploy/grafana/dashboards.py")
    run(checkout, "-m", "surgewatch.reference.questions_table")
    rules = (checkout / "deploy" / "prometheus" / "rules" / "surges.yml").read_text()
    assert 'expr: surgewatch:alerts:firing{question="doubled"}' in rules
    assert 'summary: "Doubled at {{ $labels.sector }}"' in rules
    assert "doubled" in (checkout / "deploy" / "prometheus" / "tests" / "questions.test.yml").read_text()
    assert (checkout / "deploy" / "grafana" / "dashboards" / "runbook-doubled.json").is_file()
    assert "#123456" in (checkout / "deploy/grafana/dashboards/surgewatch-situation.json").read_text()
    assert "| [Doubled](runbooks/doubled.md) (`doubled`) |" in (checkout / "docs/detectors.md").read_text()


def test_what_is_written_from_the_table_is_what_is_committed(tmp_path: Path) -> None:
    run(ROOT, "deploy/prometheus/surges.py", str(tmp_path))
    for name in ("rules/surges.yml", "tests/questions.test.yml"):
        assert (tmp_path / name).read_text() == (ROOT / "deploy" / "prometheus" / name).read_text()
    page = shutil.copy(ROOT / "docs" / "detectors.md", tmp_path / "detectors.md")
    run(ROOT, "-m", "surgewatch.reference.questions_table", str(page))
    assert page.read_text() == (ROOT / "docs" / "detectors.md").read_text(), "run `make docs`, commit"
