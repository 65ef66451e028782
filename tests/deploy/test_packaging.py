"""The lock files pin what the project requires, and the wheel carries what an operator needs."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.prometheus import DEPLOY

ROOT = DEPLOY.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PYPROJECT["dependency-groups"]
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
RUN = [*PYPROJECT["project"]["dependencies"], *EXTRAS["rocksdb"], *EXTRAS["msk"], *EXTRAS["registry"]]
BUILD = GROUPS["build"]
DEV = [*RUN, *EXTRAS["apprise"], *BUILD, *(line for line in GROUPS["dev"] if isinstance(line, str))]
LOCKS = {"requirements.lock": RUN, "requirements-build.lock": BUILD, "requirements-dev.lock": DEV}
each_lock = pytest.mark.parametrize("name", LOCKS)


@dataclass(frozen=True)
class Pin:
    """One entry of a lock file."""

    version: str
    hashes: int
    required_by_project: bool


def pins(name: str) -> dict[str, Pin]:
    """The entries of a lock file by package."""
    entries = re.split(r"^(?=\w)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    found = {}
    for entry in entries:
        package, version = entry.split(maxsplit=1)[0].split("==")
        found[package] = Pin(version, entry.count("--hash=sha256:"), "surgewatch (pyproject.toml" in entry)
    return found


@each_lock
def test_a_lock_pins_what_pyproject_requires_and_nothing_it_no_longer_requires(name: str) -> None:
    """After a change of dependencies in pyproject.toml, `make lock` writes the lock files anew."""
    pinned = pins(name)
    required = {canonicalize_name(line.name): line for line in map(Requirement, LOCKS[name])}
    assert {package for package, pin in pinned.items() if pin.required_by_project} == required.keys()
    for package, requirement in required.items():
        assert requirement.specifier.contains(pinned[package].version), requirement


@each_lock
def test_every_pin_of_a_lock_has_hashes(name: str) -> None:
    assert all(pin.hashes for pin in pins(name).values())


@each_lock
def test_a_lock_names_no_address_and_no_index(name: str) -> None:
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)", (ROOT / name).read_text())


def test_development_and_image_use_the_same_versions() -> None:
    developed = pins("requirements-dev.lock")
    for name in ("requirements.lock", "requirements-build.lock"):
        for package, pin in pins(name).items():
            assert developed[package].version == pin.version, package


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def files_of(folder: str) -> set[str]:
    """The names of the files in a folder of the repository."""
    return {path.name for path in (ROOT / folder).iterdir()}


@pytest.mark.parametrize(
    ("source", "installed"),
    [
        ("deploy/prometheus/rules", "share/surgewatch/prometheus/rules"),
        ("deploy/grafana/dashboards", "share/surgewatch/grafana/dashboards"),
        ("docs/runbooks", "share/surgewatch/runbooks"),
    ],
)
def test_the_wheel_installs_rules_dashboards_and_runbooks(built: Path, source: str, installed: str) -> None:
    [wheel] = built.glob("*.whl")
    paths = [Path(name) for name in zipfile.ZipFile(wheel).namelist()]
    assert {path.name for path in paths if str(path.parent).endswith(f".data/data/{installed}")} == files_of(
        source
    )


def test_the_licence_is_in_the_wheel_and_in_the_source_distribution(built: Path) -> None:
    [wheel], [source] = built.glob("*.whl"), built.glob("*.tar.gz")
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as files:
        assert any(name.count("/") == 1 and name.endswith("/LICENSE") for name in files.getnames())
