"""An hour of a dead Slack or PagerDuty: right within 60 s of its return, with one message for each alert."""

from collections import Counter

import pytest
from pydantic import SecretStr

from alerts.lifecycle.alert import Reason, State
from alerts.notices.batches import Batch
from alerts.notices.messages import Message
from alerts.notices.outcomes import Absent, Delivered, Outcome
from alerts.sinks import Edits, Keyed, Sink, limits_of
from alerts.sinks.mail.sink import MailSink
from alerts.sinks.webhook import WebhookSink
from surgewatch.harness.webhook_receiver import SECRET
from tests.alerts.delivery_law import assert_right
from tests.alerts.delivery_world import CHAT, LIMITS, World
from tests.alerts.languages.test_every_text import SINKS
from tests.alerts.receivers import Mood, Receiver

SECTORS = tuple(f"sector-{number}" for number in range(25))
LATER = tuple(f"sector-{number}" for number in range(25, 35))
MEANWHILE = tuple(f"sector-{number}" for number in range(35, 45))  # begin and end while the sink is dead
KINDS = (*SINKS, WebhookSink("s", SecretStr("https://hook.example"), SecretStr(SECRET)))
HOURS = 72 * 3600.0
STATUS = {Mood.BROKEN: 500, Mood.BUSY: 429}  # of HTTP; and of SMTP:
REPLY = {Mood.BROKEN: 451, Mood.BUSY: 421}


class Dead(Receiver):
    """A receiver of some kind that is dead for a while. Its answers mean what the sink makes of them.

    Slack as an app is asked first for what it may have.
    """

    def __init__(self, world: World, sink: Sink) -> None:
        super().__init__(keyed=world.limits[CHAT].keyed)
        self.world, self.sink = world, sink
        self.taken: Counter[str] = Counter()

    def post(self, batch: Batch) -> Outcome:
        if self.mood in STATUS:
            status = (REPLY if isinstance(self.sink, MailSink) else STATUS)[self.mood]
            return self.sink.outcome(status, {"Retry-After": "7"}, b"")
        if self.mood is Mood.WELL and isinstance(self.sink, Edits):
            (message,) = batch.messages
            if self.world.queues[CHAT].entry(message.alert_id).doubted and not self._has(message):
                return Absent()
            super().post(batch)
            return Delivered(message.alert_id)
        return super().post(batch)

    def _has(self, message: Message) -> bool:
        """Return whether the message of the alert is there, and the reply about this change."""
        is_edit = message.reason is Reason.UPDATED
        return message.alert_id in self.known and (is_edit or message.notice_id in self.seen)

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


def dead_for_an_hour(sink: Sink, mood: Mood, *, is_killed: bool = False) -> tuple[World, Dead]:
    """Return the world after the hour in which the sink was dead, and everything changed."""
    world = World(limits={**LIMITS, CHAT: limits_of(sink, HOURS)})
    receiver = world.receivers[CHAT] = Dead(world, sink)
    for sector in SECTORS:
        world.judge(sector, 0, observed=45)
    pass_time(world, seconds=120)
    receiver.mood = mood
    for sector in MEANWHILE:
        world.judge(sector, 0, observed=45)
    pass_time(world, seconds=60)
    if is_killed:
        world.restart()
    for day in (1, 2, 3):
        a_day_of(world, day)
        for sector in LATER:
            world.judge(sector, day, observed=130)
        for sector in MEANWHILE:
            world.judge(sector, day, observed=None)
        pass_time(world, seconds=1_200, step=20)
    receiver.mood = Mood.WELL
    receiver.taken.clear()
    return world, receiver


def assert_all_are_right(world: World) -> None:
    for alert in world.alerts():
        assert_right(world, CHAT, alert)
    assert any(alert.state is State.RESOLVED for alert in world.alerts())


@pytest.mark.parametrize("mood", STATUS)
@pytest.mark.parametrize("sink", KINDS, ids=lambda sink: type(sink).__name__)
def test_a_sink_is_right_within_a_minute_of_its_return_with_one_message_an_alert(
    sink: Sink, mood: Mood
) -> None:
    """What began and ended meanwhile is not sent at all."""
    world, receiver = dead_for_an_hour(sink, mood)
    pass_time(world, seconds=60)
    assert_all_are_right(world)
    assert set(receiver.taken.values()) == {1}
    over = {alert.alert_id for alert in world.alerts() if alert.sector in MEANWHILE}
    assert len(over) == len(MEANWHILE)
    assert not over & receiver.taken.keys()


@pytest.mark.parametrize("sink", KINDS, ids=lambda sink: type(sink).__name__)
def test_a_kill_in_that_hour_changes_nothing(sink: Sink) -> None:
    world, receiver = dead_for_an_hour(sink, Mood.BUSY, is_killed=True)
    pass_time(world, seconds=60)
    assert_all_are_right(world)
    assert set(receiver.taken.values()) == {1}
    assert not receiver.taken.keys() & {one.alert_id for one in world.alerts() if one.sector in MEANWHILE}


@pytest.mark.parametrize("sink", KINDS, ids=lambda sink: type(sink).__name__)
def test_of_what_may_have_been_received_each_kind_is_sent_what_it_needs(sink: Sink) -> None:
    """One that keeps alerts by id is sent the end alone, another the beginning too, under its id."""
    world, receiver = dead_for_an_hour(sink, Mood.LOST)
    pass_time(world, seconds=90)
    assert_all_are_right(world)
    assert max(receiver.taken.values()) <= 2
    assert receiver.repeated == 0
    over = [receiver.taken[alert.alert_id] for alert in world.alerts() if alert.sector in MEANWHILE]
    assert set(over) <= ({0} if isinstance(sink, Edits) else {1} if isinstance(sink, Keyed) else {0, 2})
