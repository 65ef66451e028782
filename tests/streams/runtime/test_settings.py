"""Which topics a worker reads and writes, by its prefixes, and where its brokers are."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.runtime.refusals import SetupError
from streams.runtime.settings import WorkerSettings


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, {"encounters": "encounters", "controls": "controls", "verdicts": "verdicts"}),
        ({"topic_prefix": "a."}, {"encounters": "a.encounters", "verdicts": "a.verdicts"}),
        (
            {"topic_prefix": "shadow.", "events_prefix": ""},
            {"encounters": "encounters", "controls": "controls", "verdicts": "shadow.verdicts"},
        ),
        (
            {"topic_prefix": "shadow.", "events_prefix": "a."},
            {"encounters": "a.encounters", "encounters.dead": "shadow.encounters.dead"},
        ),
    ],
)
def test_a_shadow_shares_events_and_controls_and_nothing_else(
    given: dict[str, str], names: dict[str, str]
) -> None:
    settings = WorkerSettings.model_validate(given)
    assert {name: settings.topic(name) for name in names} == names


@pytest.mark.parametrize(
    "brokers", ["", "[::1", "::1", "a:b", "a:1,", "a:0", "a:65536", "a b:1", "a..b:1", "plaintext://a:9092"]
)
def test_brokers_that_are_no_host_and_port_are_refused(brokers: str) -> None:
    with pytest.raises(ValidationError, match="is no host:port"):
        WorkerSettings(brokers=brokers)


@pytest.mark.parametrize("brokers", ["a:1", "a", "10.0.0.1:9092, b-1.example.org:9094", "[::1]:9092"])
def test_brokers_may_be_names_and_addresses(brokers: str) -> None:
    assert WorkerSettings(brokers=brokers).brokers == brokers


@pytest.mark.parametrize(
    "given",
    [
        {"topic_prefix": "my topics/"},
        {"topic_prefix": "a" * 200},
        {"events_prefix": "é"},
        {"instance": "a b"},
        {"commit_seconds": 3_600},
        {"session_seconds": 3_600},
        {"watchdog_timeout_seconds": "inf"},
        {"batch_events": 10**9},
    ],
)
def test_a_setting_with_which_a_worker_could_not_work_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        WorkerSettings.model_validate(given)


def test_a_state_folder_that_cannot_be_made_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"cannot write to SURGEWATCH_STATE_DIR: .*file"):
        WorkerSettings(state_dir=tmp_path / "file").make_state_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in every folder")
def test_a_state_folder_that_is_read_only_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SetupError, match="is read-only for this user"):
        WorkerSettings(state_dir=tmp_path).make_state_dir()
    tmp_path.chmod(0o700)
