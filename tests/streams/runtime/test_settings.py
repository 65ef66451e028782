"""Which topics a worker reads and writes, by its prefixes."""

import pytest

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
