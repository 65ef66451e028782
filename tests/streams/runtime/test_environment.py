"""A misspelt variable is refused; one that another program of the project reads is not."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

import alerts.worker.settings
import streams.worker.settings
from streams.runtime.environment import ELSEWHERE, refuse_unknown, variables
from streams.runtime.refusals import SetupError
from streams.worker.schema_registry_settings import SchemaRegistrySettings

REPOSITORY = Path(__file__).parents[3]
SETTINGS = (streams.worker.settings.Settings, alerts.worker.settings.Settings)
BLOCKS = (*SETTINGS, SchemaRegistrySettings)
both = pytest.mark.parametrize("settings", SETTINGS)


@both
def test_every_variable_of_both_workers_is_known_to_both(settings: type[BaseSettings]) -> None:
    every = {name for one in BLOCKS for name in variables(one)}
    refuse_unknown(dict.fromkeys(every, ""), settings)
    refuse_unknown(dict.fromkeys(ELSEWHERE, ""), settings)


@both
def test_a_misspelt_variable_is_refused_with_the_nearest_name(settings: type[BaseSettings]) -> None:
    environment = {"SURGEWATCH_BROKER": "x", "SURGEWATCH_ZZZZ": "y", "PATH": "z"}
    with pytest.raises(SetupError) as refused:
        refuse_unknown(environment, settings)
    assert str(refused.value) == (
        "unknown settings: SURGEWATCH_BROKER (did you mean SURGEWATCH_BROKERS?); SURGEWATCH_ZZZZ"
    )


@both
def test_every_variable_that_the_documentation_or_a_deployment_names_is_known(
    settings: type[BaseSettings],
) -> None:
    pages = [*REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("deploy/**/*.y*ml")]
    pages += [REPOSITORY / name for name in ("README.md", "Makefile", ".ci/run")]
    named = {
        name for page in pages for name in re.findall(r"SURGEWATCH_[A-Z_]*[A-Z]\b(?!_)", page.read_text())
    }
    refuse_unknown(dict.fromkeys(named, ""), settings)


def test_a_secret_that_a_route_names_is_known() -> None:
    refuse_unknown({"SURGEWATCH_PAGER_KEY": "x"}, SETTINGS[1], {"SURGEWATCH_PAGER_KEY"})
