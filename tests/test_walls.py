"""The walls between the rooms hold: a forbidden import in any folder of the core breaks a contract."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PURE = next(one["source_modules"] for one in CONTRACTS if one["name"].startswith("the cores do no I/O"))
AGAINST_THE_FLOW = {
    "streams/contract": "from streams.counting import series",
    "streams/counting": "from streams.baselines import regression",
    "streams/baselines": "from streams.detectors import surge",
    "streams/detectors": "from streams.judging import judge",
    "streams/judging": "from streams.pipelines import sector_pipeline",
    "streams/pipelines": "from streams.worker import app",
    "streams/runtime": "from streams.counting import series",
    "alerts/lifecycle": "from alerts.notices import notices",
    "alerts/notices": "from alerts.worker import delivery",
    "alerts/sinks": "from alerts.worker import delivery",
    "alerts/console": "from streams.judging import judge",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts."""
    for package in ("streams", "alerts", "surgewatch"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def report(house: Path) -> str:
    """What the linter prints."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house, capture_output=True, text=True, env={"PYTHONPATH": str(house), "COLUMNS": "200"},
    )  # fmt: skip
    assert "Contracts: " in ran.stdout, ran.stdout + ran.stderr
    return ran.stdout


def broken(house: Path) -> list[str]:
    """The names of the contracts that do not hold."""
    return [line.removesuffix(" BROKEN") for line in report(house).splitlines() if line.endswith(" BROKEN")]


def spoil(house: Path, folder: str, line: str) -> None:
    """Add an import to the first module of a folder."""
    module = min(path for path in (house / folder).glob("*.py") if path.name != "__init__.py")
    module.write_text(f"{module.read_text()}\n{line}\n")


def test_every_folder_of_the_core_is_kept_from_sockets_and_faust(house: Path) -> None:
    """One spoilt file in each pure folder, all at once: the contract names every one of them."""
    for package in PURE:
        spoil(house, package.replace(".", "/"), "import socket, faust, aiokafka")
    found = report(house)
    for package in PURE:
        for library in ("socket", "faust", "aiokafka"):
            assert f"{package} is not allowed to import {library}" in found


@pytest.mark.parametrize(("folder", "line"), AGAINST_THE_FLOW.items())
def test_no_folder_imports_against_the_flow(house: Path, folder: str, line: str) -> None:
    spoil(house, folder, line)
    assert broken(house)


def test_a_new_folder_has_to_enter_the_contract(house: Path) -> None:
    (house / "streams/annex").mkdir()
    (house / "streams/annex/__init__.py").touch()
    assert broken(house) == ["streams is read in the order in which the data flows"]


def test_the_house_as_it_stands_keeps_its_contracts(house: Path) -> None:
    assert broken(house) == []
