"""How many examples dear laws draw: few, or ten times as many with `--hypothesis-profile=thorough`."""

from typing import Any

from hypothesis import settings

TIMES = 10


def few(number: int, **more: Any) -> settings:
    """Return the settings of a law that draws `number` examples; TIMES as many where it is to be thorough."""
    thorough = settings.get_current_profile_name() == "thorough"
    return settings(max_examples=number * TIMES if thorough else number, deadline=None, **more)
