"""What a sink may have outlives the worker: all short histories of answers, kills and an alert."""

import datetime as dt
from itertools import product

import pytest

from alerts.notices.controls import Reroute
from streams.contract.controls import Withdrawn
from tests.alerts.delivery_law import assert_all_right
from tests.alerts.delivery_world import SINKS, World
from tests.alerts.receivers import Mood

EVENTS = ("over", "worse", "elsewhere", "back")
SECOND_MOODS = (Mood.BROKEN, Mood.SILENT, Mood.REFUSES)
LAST_MOODS = (Mood.WELL, Mood.SILENT, Mood.REFUSES)
WHO = {"by": "anna", "reason": "drill"}


def set_moods(world: World, mood: Mood) -> None:
    for receiver in world.receivers.values():
        receiver.mood = mood


def live(world: World, mood: Mood, *, is_killed: bool) -> None:
    """Let the sinks be in a mood for a while, and the worker be killed then."""
    set_moods(world, mood)
    world.work(3)
    if is_killed:
        world.restart()


def happen(world: World, event: str, mood: Mood) -> None:
    """Let something happen to the alert, while the sinks are in a mood."""
    set_moods(world, mood)
    at = dt.datetime.fromtimestamp(world.now, dt.UTC)
    if event == "over":
        for day in (1, 2, 3):
            world.judge("swanton", day, observed=None)
    elif event == "worse":
        world.judge("swanton", 1, observed=130)
    else:
        for name in ("all", "duty"):
            world.control(Reroute(name=name, route=None, at=at, **WHO))
        world.work(3)
    if event == "back":
        for name in ("all", "duty"):
            world.control(Withdrawn(withdraws=f"route/{name}", at=at, **WHO))
    world.work(3)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("first", Mood)
def test_no_kill_makes_a_worker_forget_what_a_sink_may_have(first: Mood, event: str) -> None:
    for second, third, *flags in product(SECOND_MOODS, LAST_MOODS, *[(False, True)] * 4):
        begins_killed, is_killed, ends_killed, sends_again = flags
        world = World()
        world.sends_again = sends_again
        set_moods(world, first)
        world.judge("swanton", 0, observed=45)
        live(world, first, is_killed=begins_killed)
        live(world, second, is_killed=is_killed)
        happen(world, event, third)
        if ends_killed:
            world.restart()
        world.heal()
        for sink in SINKS:
            assert_all_right(world, sink)
