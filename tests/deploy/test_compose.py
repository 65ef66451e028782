"""The compose stack, checked by the client where it is there, and by its structure everywhere."""

import contextlib
import shutil
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from tests.prometheus import DEPLOY, run

ROOT = DEPLOY.parent
FILE = ROOT / "docker-compose.yml"
STACK = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]


LOADER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"  # what the client itself reads the file with


def checker() -> list[str]:
    """The compose client, or the library it is made of; a skip where there is neither."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _works([*command, "version"]):
            return [*command, "-f", str(FILE), "config", "--quiet"]
    if shutil.which("go") and _works(["go", "run", LOADER, str(FILE)]):
        return ["go", "run", LOADER, str(FILE)]
    pytest.skip("no compose client and no Go here; the structure is checked all the same")


def _works(command: list[str]) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return not subprocess.run(command, capture_output=True, check=False, timeout=200).returncode
    return False


def test_the_compose_client_accepts_the_stack() -> None:
    run(*checker(), cwd=ROOT)


def test_the_stack_is_whole() -> None:
    assert set(SERVICES) == {"kafka", "topics", "streams", "alerts", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"topics"}))
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_what_they_need(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other == "topics" else "service_healthy"
        assert condition == {"condition": wanted}
        assert other == "topics" or "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_everything_that_is_mounted_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", ()):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in STACK["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_of_a_stated_version(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert tag
    assert tag != "latest"


def test_prometheus_scrapes_the_services_that_there_are() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    for job in config["scrape_configs"]:
        for found in job.get("dns_sd_configs", ()):
            assert set(found["names"]) <= set(SERVICES)
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]


def test_workers_run_without_rights() -> None:
    for name in ("topics", "streams", "alerts"):
        assert SERVICES[name]["read_only"]
        assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "\nUSER 10001\n" in (DEPLOY / "Dockerfile").read_text()


def test_the_image_is_built_from_what_the_package_needs() -> None:
    kept = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in (DEPLOY / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert copied - {"."} <= kept
    assert {*wheel["packages"], *wheel["shared-data"], "LICENSE", "README.md", "pyproject.toml"} <= kept
    assert all((ROOT / path).exists() for path in kept)
