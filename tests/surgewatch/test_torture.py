"""The options of `surgewatch torture` fit what the harness can do."""

from click import Choice

from surgewatch.commands.torture import command
from surgewatch.harness.torture import SECURITY


def test_every_way_to_reach_the_broker_can_be_chosen() -> None:
    (option,) = (one for one in command.params if one.name == "security")
    assert isinstance(option.type, Choice)
    assert tuple(option.type.choices) == tuple(SECURITY)
