"""An hour of a dead Slack or PagerDuty: right within 60 s of its return, with one message for each alert."""

from collections import Counter

import pytest

from alerts.lifecycle.alert import State
from alerts.notices.batches import Limits
from alerts.notices.messages import Message
from tests.alerts.delivery_law import assert_right
from tests.alerts.delivery_world import CHAT, LIMITS, PAGER, World
from tests.alerts.receivers import Mood, Receiver

SECTORS = tuple(f"sector-{number}" for number in range(25))
LATER = tuple(f"sector-{number}" for number in range(25, 35))
CHATS = {
    "webhook": Limits(spacing=1.0, most=200),
    "app": Limits(spacing=1.0, edits=True),
    "pager": LIMITS[CHAT],
}


class Counting(Receiver):
    """A receiver that counts the messages about each alert."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Counter[str] = Counter()

    def _receive(self, message: Message) -> None:
        self.taken[message.alert_id] += 1
        super()._receive(message)


def pass_time(world: World, *, seconds: int, step: int = 1) -> None:
    for _ in range(0, seconds, step):
        world.advance(step - 1)
        world.work(1)


def a_day_of(world: World, day: int) -> None:
    """Half of the sectors get worse, a few are calm, and the others go on."""
    for number, sector in enumerate(SECTORS):
        world.judge(sector, day, observed=None if number % 5 == 0 else 130 if number % 2 else 45)


def dead_for_an_hour(sink: str, mood: Mood, limits: Limits) -> tuple[World, Counting]:
    """Return the world after the hour in which the sink was dead, and everything changed."""
    world = World(limits={**LIMITS, CHAT: limits})
    receiver = world.receivers[sink] = Counting()
    for sector in SECTORS:
        world.judge(sector, 0, observed=45)
    pass_time(world, seconds=120)
    receiver.mood = mood
    for day in (1, 2, 3):
        a_day_of(world, day)
        for sector in LATER:
            world.judge(sector, day, observed=130)
        pass_time(world, seconds=1_200, step=20)
    receiver.mood = Mood.WELL
    receiver.taken.clear()
    return world, receiver


@pytest.mark.parametrize("mood", [Mood.BROKEN, Mood.BUSY])
@pytest.mark.parametrize(
    ("sink", "kind"), [(CHAT, "webhook"), (CHAT, "app"), (PAGER, "pager")], ids=["Slack", "app", "PagerDuty"]
)
def test_a_sink_is_right_within_a_minute_of_its_return_with_one_message_an_alert(
    sink: str, kind: str, mood: Mood
) -> None:
    world, receiver = dead_for_an_hour(sink, mood, CHATS[kind])
    pass_time(world, seconds=60)
    for alert in world.alerts():
        assert_right(world, sink, alert)
    assert set(receiver.taken.values()) == {1}
    assert any(alert.state is State.RESOLVED for alert in world.alerts())


def test_what_may_have_been_received_comes_again_under_its_id_before_what_is_newer() -> None:
    world, receiver = dead_for_an_hour(PAGER, Mood.LOST, CHATS["pager"])
    pass_time(world, seconds=60)
    for alert in world.alerts():
        assert_right(world, PAGER, alert)
    assert max(receiver.taken.values()) == 2
    assert receiver.repeated == 0
