"""The image that `make image` built: what is in it, and that it runs with nothing but what it needs."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_packaging import PYPROJECT, ROOT, pins

IMAGE = "localhost/surgewatch:local"
LARGEST = 420_000_000  # bytes
pytestmark = pytest.mark.image
RESTRICTED = [
    *("podman", "--cgroup-manager=cgroupfs", "run", "--pull=never", "--rm"),
    *("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=none"),
    "--runtime=runc",  # Debian 12's crun refuses hosts that mount both versions of cgroups
    *(
        "--ulimit=nofile=4096:4096",
        "--ulimit=nproc=4096:4096",
    ),  # the defaults may exceed what the caller may set
]


def podman(*arguments: str) -> str:
    """What the command prints; a failure shows all of it."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def in_image(*command: str, **options: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the image: read-only, as its own user, without capabilities and without a network."""
    given = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run([*RESTRICTED, *given, IMAGE, *command], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def image() -> dict[str, Any]:
    """The image's description; a skip without Podman or the image, or a failure where they are required."""
    missing = (
        not shutil.which("podman")
        or subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode
    )
    if missing and os.environ.get("SURGEWATCH_REQUIRE_IMAGE") == "1":
        pytest.fail("SURGEWATCH_REQUIRE_IMAGE=1, but Podman or the image is missing: run `make image`")
    if missing:
        pytest.skip("Podman or the image is missing: run `make image`")
    [description] = json.loads(podman("image", "inspect", IMAGE))
    return dict(description)


@pytest.fixture(scope="module")
def files(image: dict[str, Any]) -> set[str]:
    """The paths of all files and folders in the image."""
    return set(in_image("/", "-xdev", entrypoint="find", user="0").stdout.split("\n"))


def test_the_image_is_small(image: dict[str, Any]) -> None:
    assert image["Size"] < LARGEST


def test_the_image_is_labelled(image: dict[str, Any]) -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): value for name, value in image["Labels"].items()
    }
    assert labels["title"] == "Surgewatch"
    assert labels["licenses"] == PYPROJECT["project"]["license"]
    assert labels["version"] == PYPROJECT["project"]["version"]
    assert len(labels["revision"]) == 40


def test_the_image_sets_its_user_and_no_more_than_it_needs(image: dict[str, Any]) -> None:
    config = image["Config"]
    assert config["User"] == "10001"
    assert config["Entrypoint"] == ["surgewatch"]
    assert {line.partition("=")[0] for line in config["Env"]} == {
        "PATH",
        "PYTHONUNBUFFERED",
        "SURGEWATCH_STATE_DIR",
    }
    assert list(config["Volumes"]) == ["/var/lib/surgewatch"]


def test_the_image_carries_no_installer_no_compiler_no_tests_and_no_cache(files: set[str]) -> None:
    programs = {Path(path).name for path in files if path.startswith(("/usr/bin/", "/venv/bin/"))}
    assert {"python3", "surgewatch"} <= programs
    assert not programs & {"pip", "pip3", "gcc", "cc", "make"}
    assert not [
        path for path in files if path.startswith("/venv/") and path.endswith(("/tests", "-packages/pip"))
    ]
    assert not [path for path in files if "/.cache/" in path]
    for cache in (
        "/var/lib/apt/lists",
        "/var/cache/apt",
        "/tmp",
    ):
        assert not [path for path in files if path.startswith(f"{cache}/")], cache


def test_the_image_keeps_nothing_of_the_building_machine(files: set[str]) -> None:
    assert not files & {"/etc/pip.conf", "/run/ca.crt", "/src"}
    assert not [path for path in files if path.endswith("/.config")]


def test_the_image_carries_licence_rules_and_runbooks(files: set[str]) -> None:
    assert {
        "/venv/share/surgewatch/prometheus/rules/surges.yml",
        "/venv/share/surgewatch/runbooks/surge.md",
    } <= files
    assert any(path.endswith("/surgewatch-0.1.0.dist-info/licenses/LICENSE") for path in files)


def test_the_restrictions_of_these_tests_are_in_force() -> None:
    """Its own user, no capability, a system-call filter, and a root file system that nobody can write to."""
    assert in_image("-c", "touch /venv/file", entrypoint="sh").returncode != 0
    status = in_image("/proc/self/status", entrypoint="cat").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == ["10001"] * 4
    assert int(fields["CapBnd"], 16) == int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert " / overlay ro," in in_image("/proc/self/mounts", entrypoint="cat").stdout


def test_the_image_signs_in_to_msk() -> None:
    code = """
import boto3
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
boto3.client("sts", region_name="eu-west-1")
print(MSKAuthTokenProvider.generate_auth_token("eu-west-1")[0])
"""
    keys = ("--env=AWS_ACCESS_KEY_ID=example", "--env=AWS_SECRET_ACCESS_KEY=example")
    command = [*RESTRICTED, *keys, "--entrypoint=python", IMAGE, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) > 100


def test_the_demo_runs_in_the_image() -> None:
    """Broker, both workers and receiver: every event is counted and every notice is delivered once."""
    done = in_image("demo", "--from=2023-02-01", "--to=2023-04-15", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["sent"] > 0
    assert summary["notices"] > 0
    assert not summary["problems"]


def test_the_inventory_names_every_pinned_package_and_its_licence(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "image" / "inventory.py"
    subprocess.run([sys.executable, "-W", "error", script, IMAGE, tmp_path], check=True)
    components = json.loads((tmp_path / "sbom.cdx.json").read_text())["components"]
    listed = {item["purl"]: item for item in components}
    expected = {
        f"pkg:pypi/{name}@{pin.version}" for name, pin in pins("requirements.lock").items()
    } - absent()
    assert expected <= listed.keys()
    assert any(purl.startswith("pkg:deb/debian/openssl") or "libssl" in purl for purl in listed)
    with (tmp_path / "licences.tsv").open() as table:
        licences = {row["package"]: row["licence"] for row in csv.DictReader(table, delimiter="\t")}
    assert licences.keys() == listed.keys()
    assert all(licences.values())


def absent() -> set[str]:
    """What the lock pins for other systems than Linux."""
    return {f"pkg:pypi/colorama@{pins('requirements.lock')['colorama'].version}"}
