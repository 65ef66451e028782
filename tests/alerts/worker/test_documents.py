"""A document that is broken while the worker runs is named at once, and changes nothing."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alerts.worker.documents import Documents, documents
from alerts.worker.settings import Settings

ROUTES = """
[sink.desk]
kind = "webhook"
url = "https://example.org"
secret = "env:DESK"

[[route]]
sinks = ["desk"]
"""
POLICIES = "[default]\nresolve_after = 2\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DESK", "whsec_AAAA")
    for name, text in (("routes", ROUTES), ("policies", POLICIES)):
        (tmp_path / f"{name}.toml").write_text(text)
    return tmp_path


def watched(folder: Path) -> Documents:
    settings = Settings(brokers="nowhere:1", routes=folder / "routes.toml", policies=folder / "policies.toml")
    return Documents(documents(settings))


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("routes", ROUTES.replace('["desk"]', '["dusk"]'), "routes name unknown sinks: dusk"),
        ("routes", ROUTES.replace("webhook", "webhok"), "sink.desk"),
        ("routes", ROUTES.replace("https:", "htps:"), "its url is no http(s) address"),
        ("routes", ROUTES.replace("env:DESK", "env:DESC"), "the environment variable DESC is not set"),
        ("routes", ROUTES + "quiet = {", "routes.toml"),
        ("routes", "", "has no sinks, so nobody would be notified"),
        ("policies", POLICIES.replace("2", "two"), "line 2"),
        ("policies", POLICIES.replace("resolve", "resolv"), "resolv_after"),
    ],
)
def test_a_document_that_is_broken_is_named_in_one_line_until_it_is_mended(
    folder: Path, name: str, text: str, fault: str
) -> None:
    found = watched(folder)
    path = folder / f"{name}.toml"
    before = path.read_text()
    path.write_text(text)
    with capture_logs() as lines:
        found.look()
        found.look()
    (line,) = lines
    assert (line["log_level"], line["document"]) == ("error", name)
    assert fault in line["error"]
    assert "\n" not in line["error"]
    assert found.unusable == {name: line["error"]}
    path.write_text(before)
    found.look()
    assert found.unusable == {}


def test_a_document_that_is_gone_is_named(folder: Path) -> None:
    found = watched(folder)
    (folder / "routes.toml").unlink()
    found.look()
    assert "No such file" in found.unusable["routes"]


def test_a_document_that_has_changed_and_can_be_used_needs_a_restart(folder: Path) -> None:
    found = watched(folder)
    (folder / "policies.toml").write_text(POLICIES.replace("2", "4"))
    with capture_logs() as lines:
        found.look()
    assert [line["event"] for line in lines] == ["document has changed, a restart puts it in force"]
    assert found.unusable == {}


def test_nothing_is_said_while_nothing_changes(folder: Path) -> None:
    found = watched(folder)
    with capture_logs() as lines:
        found.look()
    assert lines == []
