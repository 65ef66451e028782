"""The configuration reference is current, and what is deployed is configured by settings that exist."""

import re
from pathlib import Path

import pytest

import streams.worker.settings
from streams.runtime.kafka_security import KafkaSecurity
from tests.prometheus import DEPLOY

alerts = pytest.importorskip("alerts.worker.settings")
configuration = pytest.importorskip("surgewatch.reference.settings_page")

MODELS = (streams.worker.settings.Settings, alerts.Settings, KafkaSecurity)
KNOWN = {name for model in MODELS for name in configuration.variables(model)}
OUTSIDE = {
    "SURGEWATCH_VERSION",  # of the compose file
}
PLACES = [
    DEPLOY.parent / "docker-compose.yml",
    DEPLOY / "Dockerfile",
    DEPLOY.parent / "docs" / "operations.md",
    *sorted((DEPLOY / "kubernetes").glob("*.yaml")),
    *sorted((DEPLOY / "helm").rglob("templates/*.*")),
    *sorted((DEPLOY / "helm").rglob("values*")),
    *sorted((DEPLOY.parent / "docs" / "runbooks").glob("*.md")),
]


def test_the_committed_reference_is_made_from_the_models() -> None:
    assert configuration.TARGET.read_text() == configuration.reference(), (
        "run `make docs` and commit what it writes"
    )


def test_every_setting_has_a_description() -> None:
    for model in MODELS:
        assert [name for name, field in configuration.variables(model).items() if not field.description] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda path: path.name)
def test_every_variable_that_is_named_is_a_setting(place: Path) -> None:
    named = set(re.findall(r"\bSURGEWATCH_[A-Z][A-Z_]*[A-Z]\b", place.read_text()))
    assert named <= KNOWN | OUTSIDE
