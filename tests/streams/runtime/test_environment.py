"""A misspelt variable is refused; one that another program of the project reads is not."""

import pytest
from pydantic_settings import BaseSettings

import alerts.worker.settings
import streams.worker.settings
from streams.runtime.environment import ELSEWHERE, refuse_unknown, variables
from streams.runtime.refusals import SetupError

SETTINGS = (streams.worker.settings.Settings, alerts.worker.settings.Settings)
both = pytest.mark.parametrize("settings", SETTINGS)


@both
def test_every_variable_of_both_workers_is_known_to_both(settings: type[BaseSettings]) -> None:
    every = {name for one in SETTINGS for name in variables(one)}
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


def test_a_secret_that_a_route_names_is_known() -> None:
    refuse_unknown({"SURGEWATCH_PAGER_KEY": "x"}, SETTINGS[1], {"SURGEWATCH_PAGER_KEY"})
